"""Who carries a case, as workflow has told it, with names as identity has told them."""

from __future__ import annotations

from sqlalchemy import Connection, select

from services.intake.model.officers import Officer, officers_of
from services.kit.schema import body_tree, case_card, person_card


class Officers:
    """Read from the copies that every room keeps."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def of(self, case_id: str) -> list[tuple[Officer, str]]:
        """Each with the name; the id, where the person has not been told here yet."""
        card, tree = case_card.c, body_tree.c
        query = select(card.officer_ids, card.panel_ids, tree.kind).where(card.case_id == case_id)
        row = self.connection.execute(query.join_from(case_card, body_tree, tree.body_id == card.body_id)).one_or_none()
        found = officers_of(row.officer_ids, row.panel_ids, row.kind == "court") if row else ()
        ids = [officer.person_id for officer in found]
        named = select(person_card.c.person_id, person_card.c.name).where(person_card.c.person_id.in_(ids))
        names = {row.person_id: row.name for row in self.connection.execute(named)} if ids else {}
        return [(officer, names.get(officer.person_id, officer.person_id)) for officer in found]
