"""The notices room's unit of work and its repository."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, Connection, any_, exists, func, insert, select, update

from services.kit import schema
from services.kit.database import UnitOfWork
from services.kit.errors import CaseNotKnownError, NotFoundError
from services.notices.model import Notice
from services.notices.tables import notices

_FIELDS = tuple(Notice.__dataclass_fields__)


def readable_by(reader_ids: Sequence[str]) -> ColumnElement[bool]:
    """Addressed to one of these; what a case's parties were told, while its card names the account."""
    card = schema.case_card.alias().c
    named = exists().where(card.case_id == notices.c.case_id, notices.c.recipient_id == any_(card.party_account_ids))
    return notices.c.recipient_id.in_(reader_ids) & ((notices.c.recipient_kind != "party") | named)


class Inbox:
    """Notices by addressee."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def add(self, notice: Notice) -> None:
        """A new notice."""
        self.connection.execute(insert(notices).values(**{name: getattr(notice, name) for name in _FIELDS}))

    def mark_read(self, notice_id: str, reader_ids: Sequence[str], at: datetime) -> None:
        """The first reading counts.

        Raises:
            NotFoundError: none of the reader's.
        """
        mine = (notices.c.notice_id == notice_id) & readable_by(reader_ids)
        first = update(notices).where(mine).values(read_at=func.coalesce(notices.c.read_at, at))
        if not self.connection.execute(first).rowcount:
            raise NotFoundError("没有这条通知")

    def card(self, case_id: str) -> Mapping[str, Any]:
        """The case as known here.

        Raises:
            CaseNotKnownError: not yet.
        """
        known = select(schema.case_card).where(schema.case_card.c.case_id == case_id)
        row = self.connection.execute(known).one_or_none()
        if row is None:
            raise CaseNotKnownError("案件尚未同步到此处")
        return row._mapping  # type: ignore[return-value]


class NoticesUnit(UnitOfWork):
    """One transaction of the notices room."""

    @cached_property
    def inbox(self) -> Inbox:
        """Notices."""
        return Inbox(self.connection)
