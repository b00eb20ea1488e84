"""A person's own notices."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from anjuan.notices.v1 import notices_pb2 as pb
from services.kit import paging, schema
from services.kit.errors import NotFoundError
from services.kit.identity import Actor
from services.notices.store import NoticesUnit, readable_by
from services.notices.tables import notices
from services.notices.usecases import reader_ids


def list_notices(uow: NoticesUnit, actor: Actor, request: pb.ListNoticesRequest) -> pb.ListNoticesAnswer:
    """Newest first, by keyset."""
    limit = paging.size(request.limit)
    mine = readable_by(reader_ids(actor))
    wanted = _joined().where(mine)
    if request.unread:
        wanted = wanted.where(notices.c.read_at.is_(None))
    if key := paging.after(request.cursor):
        wanted = wanted.where(notices.c.notice_id < key[0])
    with uow:
        rows = uow.connection.execute(wanted.order_by(notices.c.notice_id.desc()).limit(limit + 1)).all()
        unread = select(func.count()).select_from(notices).where(mine, notices.c.read_at.is_(None))
        total = uow.connection.execute(unread).scalar_one()
    more = paging.cursor(rows[limit - 1].notice_id) if len(rows) > limit else ""
    return pb.ListNoticesAnswer(
        notices=[_shown(row) for row in rows[:limit]], unread=total,
        next_cursor=more,
    )  # fmt: skip


def get_notice(uow: NoticesUnit, actor: Actor, notice_id: str) -> pb.Notice:
    """One of the caller's own; raises NotFoundError for another's."""
    with uow:
        mine = _joined().where(notices.c.notice_id == notice_id, readable_by(reader_ids(actor)))
        row = uow.connection.execute(mine).one_or_none()
    if row is None:
        raise NotFoundError("没有这条通知")
    return _shown(row)


def _joined() -> Any:
    card = schema.case_card
    columns = (notices, card.c.case_number, card.c.title)
    return select(*columns).outerjoin(card, card.c.case_id == notices.c.case_id)


def _shown(row: Any) -> pb.Notice:
    return pb.Notice(
        notice_id=row.notice_id, case_id=row.case_id, case_number=row.case_number or "", case_title=row.title or "",
        text=row.text, method=row.method, sent_on=row.sent_on.isoformat(), sent_by_name=row.sent_by_name,
        read_at=row.read_at.isoformat() if row.read_at else "",
    )  # fmt: skip
