"""People as identity tells them: what is shut opens only to roles that are still held."""

from __future__ import annotations

from datetime import date

from anjuan.identity.v1.events_pb2 import PersonChanged
from anjuan.identity.v1.identity_pb2 import Appointment, Person
from services.kit import clock, events, projections, run
from services.kit.identity import Actor, system


def knows(host: run.Host, *people: Actor) -> None:
    """These people in their posts, in the room's copy."""
    for someone in people:
        posts = [Appointment(body_id=someone.body_id, role=role) for role in sorted(someone.roles)]
        card = Person(person_id=someone.person_id, name=someone.name, body_id=someone.body_id, state="active",
                      appointments=posts)  # fmt: skip
        fact = PersonChanged(person=card)
        event = events.Event(
            event_id=clock.new_id(), source="identity", type="PersonChanged", aggregate_id=someone.person_id, seq=1,
            occurred_on=date(2025, 1, 6), at=clock.now(), actor=system("test"), raw=events.to_raw(fact),
            body_id=someone.body_id,
        )  # fmt: skip
        with host.begin_as_system("test") as uow:
            projections.apply_all(uow.connection, [event])
