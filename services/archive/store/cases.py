"""Cases as the archive knows them from kit's projections."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from services.kit import schema
from services.kit.errors import CaseNotKnownError


@dataclass(frozen=True)
class CaseCard:
    """What sheets and volumes say of a case."""

    case_id: str
    body_id: str
    body_name: str
    state: str
    title: str
    case_number: str
    cause: str
    party_names: str
    pack: tuple[str, str]
    received_on: str
    docketed_on: str
    closed_on: str
    disposition: str
    officer_ids: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its number, or its title while it has none."""
        return self.case_number or self.title


class Cases:
    """Reads only: the owners write."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def find(self, case_id: str) -> CaseCard | None:
        """None while its register entry has not arrived here."""
        card, tree = schema.case_card, schema.body_tree
        joined = card.outerjoin(tree, tree.c.body_id == card.c.body_id)
        query = select(card, tree.c.name.label("body_name")).select_from(joined).where(card.c.case_id == case_id)
        row = self.connection.execute(query).one_or_none()
        if row is None or not row.body_id:
            return None
        days = {name: str(getattr(row, name) or "") for name in ("received_on", "docketed_on", "closed_on")}
        return CaseCard(
            case_id=case_id, body_id=row.body_id, body_name=row.body_name or row.body_id, state=row.state,
            title=row.title, case_number=row.case_number, cause=row.cause, party_names=row.party_names,
            pack=(row.procedure_id, row.pack_version), disposition=row.disposition,
            officer_ids=tuple(row.officer_ids), **days,
        )  # fmt: skip

    def get(self, case_id: str) -> CaseCard:
        """One case.

        Raises:
            CaseNotKnownError: not (yet) known here.
        """
        if (found := self.find(case_id)) is None:
            raise CaseNotKnownError("案件暂未同步到电子卷宗服务，请稍后重试")
        return found
