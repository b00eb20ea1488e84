"""People, bodies and the circle around a case, from the projections."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select

from services.kit import schema
from services.kit.database import UnitOfWork
from services.kit.identity import Actor
from services.kit.procedure.model import ActorRule
from services.workflow.model.audience import Circle, Person, Seat, account_key
from services.workflow.model.records import Instance
from services.workflow.model.superior import Tier


class People:
    """Who is who, as identity has told."""

    def __init__(self, uow: UnitOfWork) -> None:
        self.uow = uow

    def find(self, ids: Iterable[str]) -> dict[str, Person]:
        """Those of the people that are known here."""
        table = schema.person_card
        rows = self.uow.connection.execute(select(table).where(table.c.person_id.in_(sorted(set(ids)))))
        return {r.person_id: Person.of(r) for r in rows}

    def name(self, person_id: str) -> str:
        """A person's name, or the id where he is not known."""
        card = schema.person_card.c
        found = self.uow.connection.execute(select(card.name).where(card.person_id == person_id)).scalar()
        return str(found) if found is not None else person_id

    def has_left(self, person_id: str) -> bool:
        """Whether a person is no longer in office."""
        found = self.find([person_id]).get(person_id)
        return found is not None and found.state != "active"

    def caller(self, actor: Actor) -> Person:
        """The caller as identity told of him; without appointments where it has not (yet), and for parties."""
        found = self.find([actor.person_id]) if actor.kind == "staff" else {}
        return found.get(actor.person_id, Person(actor.person_id, actor.name))

    def keys(self, actor: Actor, today: date, caller: Person | None = None) -> frozenset[str]:
        """Under which keys tasks wait for the caller, in the roles of his token; `today`: the legal date."""
        if actor.kind == "party":
            return frozenset({account_key(actor.account_id)} if actor.account_id else ())
        if actor.kind != "staff":
            return frozenset()
        return (caller or self.caller(actor)).keys(actor.body_id, today, actor.roles)

    def circle(self, instance: Instance, rules: Sequence[ActorRule]) -> Circle:
        """The people around a case, as far as these rules ask for them."""
        placed = any(r.department_kind or r.in_ == "superior_body" for r in rules)
        bodies = self._bodies(instance.body_id) if placed else {}
        known = instance.variables
        return Circle(
            body_id=instance.body_id, superior_id=next((b for b in bodies if b != instance.body_id), ""),
            department_id=instance.department_id,
            departments={b: {d: v.get("kind", "") for d, v in own.items()} for b, own in bodies.items()},
            officers=instance.officer_ids, panel=instance.panel_ids, actors=known.get("actors", {}),
            previous=tuple(known.get("previous", ())),
            accounts=self._accounts(instance.case_id) if any(r.relation == "party" for r in rules) else (),
        )  # fmt: skip

    def _accounts(self, case_id: str) -> tuple[str, ...]:
        card = schema.case_card.c
        query = select(card.party_account_ids).where(card.case_id == case_id)
        return tuple(self.uow.connection.execute(query).scalar() or ())

    def chain(self, body_id: str) -> list[Tier]:
        """A body, then those above it, nearest first."""
        tree = schema.body_tree.c
        above = self.uow.connection.execute(select(tree.ancestor_ids).where(tree.body_id == body_id)).scalar() or []
        wanted = [body_id, *above]
        rows = self.uow.connection.execute(select(tree.body_id, tree.name, tree.tier).where(tree.body_id.in_(wanted)))
        found = {r.body_id: Tier(r.body_id, r.name, r.tier) for r in rows}
        return [found[b] for b in wanted if b in found]

    def works_here(self, body_id: str) -> bool:
        """Whether people of a body work on this site, or it is there by name alone."""
        card = schema.person_card
        serves = card.c.appointments.contains([{"body_id": body_id}])
        query = select(card.c.person_id).where(serves, card.c.state == "active").limit(1)
        return self.uow.connection.execute(query).first() is not None

    def seated(self, waiting: Iterable[Seat], most: int) -> list[str]:
        """Who may take a task that waits so, by name; nobody when they are more than `most`."""
        card, found = schema.person_card, set[str]()
        for seat in waiting:
            kind, _, rest = seat.key.partition(":")
            if kind == "person":
                found |= {rest.partition(":")[2]} - set(seat.excluded)
            elif kind == "role":
                body_id, role, department, _ = rest.split(":")
                held = {"body_id": body_id, "role": role} | ({"department_id": department} if department else {})
                query = select(card.c.person_id).where(card.c.appointments.contains([held]), card.c.state == "active")
                found |= {r.person_id for r in self.uow.connection.execute(query.limit(most + 1))} - set(seat.excluded)
        return sorted(found) if len(found) <= most else []

    def departments_of(self, body_id: str) -> frozenset[str]:
        """Ids of a body's departments."""
        return frozenset(self._bodies(body_id).get(body_id, {}))

    def _bodies(self, body_id: str) -> dict[str, Any]:
        """A body and the one above it, with their departments."""
        tree = schema.body_tree
        above = select(tree.c.parent_id).where(tree.c.body_id == body_id).scalar_subquery()
        wanted = (tree.c.body_id == body_id) | (tree.c.body_id == above)
        rows = self.uow.connection.execute(select(tree.c.body_id, tree.c.departments).where(wanted))
        return {r.body_id: r.departments for r in rows}
