"""Facts of a case that came before the node that counts them was open."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.kit.database import UnitOfWork
from services.workflow.tables import facts


class Facts:
    """Kept only where the pack says so (waits_for from: case)."""

    def __init__(self, uow: UnitOfWork) -> None:
        self.uow = uow

    def keep(self, instance_id: str, case_id: str, event_id: str, event: dict[str, Any]) -> None:
        """Remember a fact; a second time changes nothing."""
        row = upsert(facts).values(
            event_id=event_id, instance_id=instance_id, case_id=case_id, type=event["type"], event=event
        )
        self.uow.connection.execute(row.on_conflict_do_nothing())

    def unused(self, instance_id: str, type_: str, node_id: str) -> list[tuple[str, dict[str, Any]]]:
        """Facts of a type that this node has not counted yet, oldest first: (event id, fact)."""
        query = select(facts.c.event_id, facts.c.event).where(
            facts.c.instance_id == instance_id, facts.c.type == type_, ~facts.c.used_by.contains([node_id])
        )
        return [(r.event_id, r.event) for r in self.uow.connection.execute(query.order_by(facts.c.position))]

    def use(self, event_id: str, node_id: str) -> None:
        """The node has counted the fact."""
        used = func.array_append(facts.c.used_by, node_id)
        self.uow.connection.execute(update(facts).where(facts.c.event_id == event_id).values(used_by=used))
