"""Cases as this room knows them: kit's projections and its own notes of what events told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import Connection, TextClause, func, select, text

from services.documents.model.case import Body, Case
from services.documents.tables import case_facts
from services.kit import schema
from services.kit.errors import CaseNotKnownError


@cache
def _telling(names: tuple[str, ...]) -> TextClause:
    """Made once for each kind of fact."""
    new = ", ".join(f"cast(:{name} as jsonb)" for name in names)
    kept = (f"{name} = {'' if name == 'filing' else f'case_facts.{name} || '}excluded.{name}" for name in names)
    return text(f"insert into case_facts (case_id, {', '.join(names)}) values (:case_id, {new}) "  # noqa: S608
                f"on conflict (case_id) do update set {', '.join(kept)}")  # fmt: skip


class Cases:
    """Reading is whole; writing adds what one event told."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def find(self, case_id: str) -> Case | None:
        """A case; None while it, or its body, is not known here."""
        card, facts = schema.case_card, case_facts
        joined = card.outerjoin(facts, facts.c.case_id == card.c.case_id)
        names = ("filing", "forms", "results", "actors")
        query = select(card, *(facts.c[n] for n in names)).select_from(joined).where(card.c.case_id == case_id)
        row = self.connection.execute(query).mappings().one_or_none()
        body = self.body(row["body_id"]) if row is not None else None
        if row is None or body is None:
            return None
        columns = {c.name: row[c.name] for c in card.c}
        told = {n: row[n] or {} for n in names}
        return Case(case_id, body, (row["procedure_id"], row["pack_version"]), columns, **told)

    def get(self, case_id: str) -> Case:
        """A case for a caller; raises CaseNotKnownError, in the same words as where access refuses."""
        if (found := self.find(case_id)) is None:
            raise CaseNotKnownError("案件尚未同步到此处，或者您无权查看")
        return found

    def body(self, body_id: str) -> Body | None:
        """A body; None while it is not known here."""
        tree = schema.body_tree
        row = self.connection.execute(select(tree).where(tree.c.body_id == body_id)).one_or_none()
        if row is None:
            return None
        kinds = {k: str(v.get("kind", "")) for k, v in row.departments.items()}
        return Body(body_id, row.name, row.kind, row.code, row.parent_id or "", kinds)

    def person(self, person_id: str) -> Mapping[str, Any] | None:
        """A person's card."""
        cards = schema.person_card
        row = self.connection.execute(select(cards).where(cards.c.person_id == person_id)).one_or_none()
        return None if row is None else row._asdict()

    def tell(self, case_id: str, **told: Mapping[str, Any]) -> None:
        """Add to what is known: `filing` is replaced, forms, results and actors are merged key by key."""
        values = {name: json.dumps(value, ensure_ascii=False) for name, value in told.items()}
        self.connection.execute(_telling(tuple(told)), values | {"case_id": case_id})

    def root_bodies(self, root_id: str | None) -> Any:
        """A query of the bodies of one tree, or of all that are in no scripted tree."""
        tree, dates = schema.body_tree, schema.legal_dates
        if root_id is not None:
            return select(tree.c.body_id).where(tree.c.root_id == root_id)
        return select(tree.c.body_id).where(tree.c.root_id.not_in(select(func.coalesce(dates.c.root_id, ""))))
