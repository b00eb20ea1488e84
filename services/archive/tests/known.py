"""People as identity tells them: what is shut opens only to roles that are still held."""

from __future__ import annotations

from anjuan.identity.v1.events_pb2 import PersonChanged
from anjuan.identity.v1.identity_pb2 import Appointment, Person
from services.archive.tests.files import told
from services.kit import run
from services.kit.identity import Actor


def knows(host: run.Host, *people: Actor) -> None:
    """These people in their posts, in the room's copy."""
    for someone in people:
        posts = [Appointment(body_id=someone.body_id, role=role) for role in sorted(someone.roles)]
        card = Person(person_id=someone.person_id, name=someone.name, body_id=someone.body_id, state="active",
                      appointments=posts)  # fmt: skip
        told(host, "identity", PersonChanged(person=card), someone.person_id)
