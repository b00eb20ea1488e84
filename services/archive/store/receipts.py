"""Receipts of servings: which were begun, and which of those are still missing."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, case, func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from services.archive.tables import papers, receipts
from services.kit.schema import case_card


class Receipts:
    """One for each instrument and addressee, by whichever method."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def expect(self, case_id: str, begun: Iterable[tuple[str, str]]) -> None:
        """Begun: instrument and party; what is proven already stays so."""
        if rows := [{"instrument_id": i, "party_id": p, "case_id": case_id} for i, p in dict.fromkeys(begun)]:
            self.connection.execute(upsert(receipts).values(rows).on_conflict_do_nothing())

    def proven(self, case_id: str, instrument_id: str, party_id: str) -> None:
        """Told by documents, perhaps before the node that began it."""
        row = {"instrument_id": instrument_id, "party_id": party_id, "case_id": case_id, "is_proven": True}
        known = upsert(receipts).values(row)
        self.connection.execute(known.on_conflict_do_update(index_elements=["instrument_id", "party_id"],
                                                            set_={"is_proven": True}))  # fmt: skip

    def missing(self, case_id: str) -> list[tuple[str, bool, str]]:
        """Title of the instrument, whether it lies in 副卷, and the addressee's name; in the order they came.

        One that its own room has not told here yet has no title: who may read it is not known.
        """
        mine = (receipts.c.case_id == case_id) & ~receipts.c.is_proven
        parties = self.connection.execute(select(case_card.c.parties).where(case_card.c.case_id == case_id)).scalar()
        names = {p["party_id"]: str(p["name"]) for p in parties or ()}
        title = case((papers.c.state == "expected", ""), else_=func.coalesce(papers.c.title, ""))
        inner = func.coalesce(papers.c.is_internal, False)
        query = select(title, inner, receipts.c.party_id).where(mine).order_by(papers.c.came_at, receipts.c.party_id)
        joined = query.join_from(receipts, papers, papers.c.paper_id == receipts.c.instrument_id, isouter=True)
        return [(t, i, names.get(p, "受送达人")) for t, i, p in self.connection.execute(joined)]
