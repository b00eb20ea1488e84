"""Moving the legal date of a scripted tree (design rule 5)."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from anjuan.identity.v1 import events_pb2 as events
from anjuan.identity.v1 import identity_pb2 as pb
from services.identity.model.faults import day, fault, refuse
from services.identity.model.legal_dates import Rooms, next_stop
from services.identity.store import IdentityUnit
from services.kit import access, schema
from services.kit.errors import ConflictError, RuleRefusedError


def advance_legal_date(
    uow: IdentityUnit, rooms: Rooms, request: pb.AdvanceLegalDateRequest, scripted: bool
) -> pb.AdvanceLegalDateAnswer:
    """Move on to the target, settling before and on every day on the way on which a room has work.

    Raises:
        RuleRefusedError: production, a tree without a legal date, or a day that has passed.
        ConflictError: the platform does not come to rest, or somebody else moves this tree.
    """
    to = day(request.to)
    refuse([fault("/to", "日期应写成 2025-01-31 的样子")] if to is None else [], "无法推进")
    root = request.root_body_id
    with uow:
        access.require(uow.connection, uow.cause.actor, "operate")
        current = _legal_on(uow, root, scripted)
    if to is None or to < current:
        raise RuleRefusedError(f"法定日期只能向前推进，该机关已在 {current}")
    stops: list[str] = []
    rooms.settle()
    while current < to:
        stop = next_stop(current, to, rooms.due_days(root, current))
        _move(uow, root, current, stop)
        stops.append(stop.isoformat())
        current = stop
        rooms.settle()
    return pb.AdvanceLegalDateAnswer(legal_on=current.isoformat(), stops=stops)


def _legal_on(uow: IdentityUnit, root: str, scripted: bool) -> date:
    table = schema.legal_dates
    found: date | None = uow.connection.execute(select(table.c.legal_on).where(table.c.root_id == root)).scalar()
    if not scripted or found is None:
        raise RuleRefusedError("该机关按实际日期办案，不能推进法定日期")
    return found


def _move(uow: IdentityUnit, root: str, expected: date, to: date) -> None:
    with uow:
        uow.lock(root)
        if _legal_on(uow, root, scripted=True) != expected:
            raise ConflictError("法定日期正由另一请求推进，请稍后查看")
        fact = events.LegalDateAdvanced(root_body_id=root, legal_on=to.isoformat())
        uow.emit(fact, stream=root, body_id=root, occurred_on=to)
        uow.record("advance_legal_date", root, body_id=root, legal_on=to)
