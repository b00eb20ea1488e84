"""Hearings: a room, a time, the people who sit; nothing is booked twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy.exc import IntegrityError

from anjuan.workflow.v1 import events_pb2 as facts_pb2
from anjuan.workflow.v1.workflow_pb2 import CancelHearingRequest, ScheduleHearingRequest
from anjuan.workflow.v1.workflow_pb2 import Hearing as HearingMessage
from services.kit import access, clock
from services.kit.errors import (
    CaseNotKnownError,
    ConflictError,
    InvalidInputError,
    NotAllowedError,
    RuleRefusedError,
)
from services.workflow.model.records import Hearing
from services.workflow.store import WorkflowUnit
from services.workflow.usecases.assignment import LEADERS, require_not_self
from services.workflow.usecases.opening import Opening, offer_own
from services.workflow.usecases.run import Packs, Run

_YEARS = range(1900, 2201)  # beyond them no zone can be reckoned, and no hearing is meant


def instant(value: str, pointer: str) -> datetime:
    """An ISO 8601 instant from 1900 to 2200; without a zone it is China's."""
    try:
        found = datetime.fromisoformat(value)
    except ValueError as error:
        raise _wrong_instant(pointer) from error
    if found.year not in _YEARS:
        raise _wrong_instant(pointer)
    return found if found.tzinfo else found.replace(tzinfo=clock.CHINA)


def _wrong_instant(pointer: str) -> InvalidInputError:
    said = "应为 1900 年至 2200 年间的时刻，如 2025-03-03T09:00:00+08:00"
    return InvalidInputError(said, [{"pointer": pointer, "detail": said}])


def schedule(
    run: Run, *, room: str, starts_at: str, ends_at: str, panel_ids: Sequence[str], kind: str, on: date,
    designates: bool = True,
) -> Hearing:  # fmt: skip
    """Book the room and the people; where it `designates`, they are the case's panel from now on.

    Raises:
        InvalidInputError: no room, an end before the start, people who do not serve in the case's body.
        RuleRefusedError: it would begin before the day on which it is scheduled.
        ConflictError: the room or one of the people is taken; says which and when.
    """
    start, end = instant(starts_at, "/starts_at"), instant(ends_at, "/ends_at")
    if not room.strip() or end <= start:
        raise InvalidInputError("请填写法庭（会议室），结束时间应晚于开始时间")
    if start.astimezone(clock.CHINA).date() < on:
        raise RuleRefusedError(f"开庭（听证）时间不得早于排期之日 {on}")
    _require_known(run, panel_ids)
    i = run.instance
    hearing = Hearing(
        clock.new_id(), i.case_id, i.body_id, kind, room.strip(), start, end, tuple(panel_ids), "scheduled"
    )
    _book(run, hearing)
    if designates and hearing.panel_ids:
        run.change(panel_ids=hearing.panel_ids)
    run.tell(facts_pb2.HearingScheduled(
        hearing_id=hearing.hearing_id, room=hearing.room, starts_at=start.isoformat(), ends_at=end.isoformat(),
        panel_ids=hearing.panel_ids, kind=kind,
    ), on)  # fmt: skip
    return hearing


def _require_known(run: Run, panel_ids: Sequence[str]) -> None:
    known, body_id = run.uow.people.find(panel_ids), run.instance.body_id
    strange = [p for p in panel_ids if p not in known or not known[p].serves(body_id)]
    if strange or len(set(panel_ids)) != len(panel_ids):
        said = "审判（听证）人员有重复，或不是本机关的在职人员：" + "、".join(strange)
        raise InvalidInputError(said, [{"pointer": "/panel_ids", "detail": said}])


def _book(run: Run, hearing: Hearing) -> None:
    uow, values = run.uow, {k: v for k, v in hearing.__dict__.items() if k != "panel_ids"}
    uow.hearings.add(**values, panel_ids=list(hearing.panel_ids))
    keys = [f"room:{hearing.body_id}:{hearing.room}", *(f"person:{p}" for p in hearing.panel_ids)]
    wanted = (hearing.hearing_id, keys, hearing.starts_at, hearing.ends_at)
    try:
        with uow.savepoint():
            uow.bookings.book(*wanted)
    except IntegrityError as error:
        taken = "；".join(_said(uow, t) for t in uow.bookings.taken(*wanted))
        raise ConflictError(f"该时间已有安排：{taken}") from error


def _said(uow: WorkflowUnit, taken: tuple[str, datetime, datetime, str]) -> str:
    key, start, end, room = taken
    who = room if key.startswith("room:") else uow.people.name(key.partition(":")[2])
    local = start.astimezone(clock.CHINA), end.astimezone(clock.CHINA)
    return f"{who} {local[0]:%Y-%m-%d %H:%M} 至 {local[1]:%H:%M}"


def schedule_hearing(uow: WorkflowUnit, packs: Packs, request: ScheduleHearingRequest) -> HearingMessage:
    """A hearing that a person arranges beside the nodes' own effects; only those who lead change the panel.

    Raises:
        NotAllowedError: somebody who does not lead names people that are not the case's panel; and see schedule.
    """
    access.require(uow.connection, uow.cause.actor, "work_case", case_id=request.case_id)
    run = Run.of(uow, packs, request.case_id)
    on, leads = run.today, uow.cause.actor.has(*LEADERS)
    # who sits may read the internal volume, so nobody names himself
    if not leads and not set(request.panel_ids) <= set(run.instance.panel_ids):
        raise NotAllowedError("合议庭（听证）人员由院长、机关负责人或部门负责人指定")
    require_not_self(run, uow.people.caller(uow.cause.actor), request.panel_ids, run.instance.panel_ids)
    hearing = schedule(run, room=request.room, starts_at=request.starts_at, ends_at=request.ends_at,
                       panel_ids=list(request.panel_ids), kind=request.kind, on=on, designates=leads)  # fmt: skip
    offer_own(run, Opening(on, uow.cause.actor.name))
    run.save()
    uow.record("schedule_hearing", hearing.hearing_id, case_id=hearing.case_id, body_id=hearing.body_id, legal_on=on)
    return message(hearing)


def cancel_hearing(uow: WorkflowUnit, packs: Packs, request: CancelHearingRequest) -> HearingMessage:
    """Give room and people back, with a reason."""
    found = uow.hearings.find(request.hearing_id)
    if found is None:
        raise CaseNotKnownError("案件尚未同步到此处，或者您无权查看")
    access.require(uow.connection, uow.cause.actor, "work_case", case_id=found.case_id)
    run = Run.of(uow, packs, found.case_id)
    if not request.reason.strip():
        raise InvalidInputError("请写明取消的理由", [{"pointer": "/reason", "detail": "请写明取消的理由"}])
    hearing = uow.hearings.find(request.hearing_id)
    if hearing is None or hearing.state != "scheduled":
        raise ConflictError("该庭期已取消")
    uow.bookings.free(hearing.hearing_id)
    uow.hearings.change(hearing.hearing_id, state="cancelled")
    on = uow.legal_on(hearing.body_id)
    run.tell(facts_pb2.HearingCancelled(hearing_id=hearing.hearing_id, reason=request.reason), on)
    offer_own(run, Opening(on, uow.cause.actor.name))
    run.save()
    uow.record("cancel_hearing", hearing.hearing_id, case_id=hearing.case_id, body_id=hearing.body_id, legal_on=on,
               detail={"reason": request.reason})  # fmt: skip
    return message(hearing, state="cancelled")


def message(hearing: Hearing, **other: Any) -> HearingMessage:
    """A hearing as it is told."""
    h = hearing
    known = {
        "hearing_id": h.hearing_id, "case_id": h.case_id, "body_id": h.body_id, "room": h.room, "kind": h.kind,
        "starts_at": h.starts_at.astimezone(clock.CHINA).isoformat(), "panel_ids": h.panel_ids, "state": h.state,
        "ends_at": h.ends_at.astimezone(clock.CHINA).isoformat(),
    }  # fmt: skip
    return HearingMessage(**known | other)
