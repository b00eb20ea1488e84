"""What every change of a dossier leaves: a fact with the archive's card, and an audit row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf.message import Message
from sqlalchemy import select

from anjuan.kit.v1.cards_pb2 import ArchiveCard
from services.archive.store import ArchiveUnit
from services.archive.store.cases import CaseCard
from services.kit import schema
from services.kit.errors import ConflictError


def card(uow: ArchiveUnit, case_id: str, state: str = "") -> ArchiveCard:
    """The archive's part of the case card as it is now; `state` when it changes with this act."""
    known = select(schema.case_card.c.dossier_state).where(schema.case_card.c.case_id == case_id)
    before = str(uow.connection.execute(known).scalar() or "")
    return ArchiveCard(dossier_state=state or before or "open", pages=uow.pages.shown(case_id))


def tell(uow: ArchiveUnit, case: CaseCard, fact: Message) -> None:
    """Tell a fact of the case."""
    uow.emit(fact, stream=case.case_id, case_id=case.case_id, body_id=case.body_id, pack=case.pack)


def record(uow: ArchiveUnit, action: str, object_id: str, case: CaseCard, detail: Mapping[str, Any]) -> None:
    """Leave an audit row of the case."""
    uow.record(action, object_id, case_id=case.case_id, body_id=case.body_id, legal_on=uow.legal_on(case.body_id),
               detail=detail)  # fmt: skip


def is_archived(uow: ArchiveUnit, case_id: str) -> bool:
    """Whether the dossier is locked, or just being locked."""
    return uow.dossiers.of_case(case_id) is not None


def open_case(uow: ArchiveUnit, case_id: str) -> CaseCard:
    """The case, locked, its dossier still open to change.

    Raises:
        CaseNotKnownError: not known here.
        ConflictError: archived; nothing changes afterwards.
    """
    uow.lock(case_id)
    case = uow.cases.get(case_id)
    if is_archived(uow, case_id):
        raise ConflictError("卷宗已归档，不能再改动；补充材料请按规定另行立卷")
    return case
