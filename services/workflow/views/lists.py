"""Packs and hearings, page by page."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import literal, select, tuple_

from anjuan.workflow.v1 import workflow_pb2 as pb
from services.kit import access
from services.kit.paging import cursor, size
from services.kit.schema import case_card
from services.workflow.model.records import Hearing, PackBundle
from services.workflow.store import WorkflowUnit
from services.workflow.tables import hearings, pack_bundles
from services.workflow.usecases import packs
from services.workflow.usecases.hearings import instant, message
from services.workflow.views.pages import after


def list_packs(uow: WorkflowUnit, request: pb.ListPacksRequest) -> pb.ListPacksAnswer:
    """Every version, by id and version; packs are public rules, no secret."""
    limit, last, t = size(request.limit), after(request.cursor), pack_bundles.c
    query = select(pack_bundles).order_by(t.pack_id, t.version).limit(limit + 1)
    if last is not None:
        query = query.where(tuple_(t.pack_id, t.version) > tuple_(*last))
    rows = [PackBundle.of(r, pack_bundles) for r in uow.connection.execute(query)]
    following = cursor(rows[limit - 1].pack_id, rows[limit - 1].version) if len(rows) > limit else ""
    return pb.ListPacksAnswer(packs=[packs.message(r) for r in rows[:limit]], next_cursor=following)


def list_hearings(uow: WorkflowUnit, request: pb.ListHearingsRequest) -> pb.ListHearingsAnswer:
    """Hearings by their start, of cases that the caller may list."""
    limit, last, t = size(request.limit), after(request.cursor, datetime.fromisoformat), hearings.c
    wanted = [access.case_filter(uow.cause.actor, "list_cases")]
    if request.body_id:
        wanted.append(t.body_id == request.body_id)
    if request.case_id:
        wanted.append(t.case_id == request.case_id)
    if begin := getattr(request, "from"):
        wanted.append(t.starts_at >= instant(begin, "/from"))
    if request.to:
        wanted.append(t.starts_at < instant(request.to, "/to"))
    if last is not None:
        start = literal(last[0], t.starts_at.type)
        wanted.append(tuple_(t.starts_at, t.hearing_id) > tuple_(start, last[1]))
    query = select(hearings).join(case_card, case_card.c.case_id == t.case_id).where(*wanted)
    ordered = query.order_by(t.starts_at, t.hearing_id).limit(limit + 1)
    rows = [Hearing.of(r, hearings) for r in uow.connection.execute(ordered)]
    following = cursor(rows[limit - 1].starts_at.isoformat(), rows[limit - 1].hearing_id) if len(rows) > limit else ""
    return pb.ListHearingsAnswer(hearings=[message(r) for r in rows[:limit]], next_cursor=following)
