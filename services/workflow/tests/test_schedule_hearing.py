"""Rooms and people are never booked twice, not even at the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from anjuan.workflow.v1 import workflow_pb2 as pb
from services.kit.errors import (
    CaseNotKnownError,
    ConflictError,
    DomainError,
    InvalidInputError,
    NotAllowedError,
    RuleRefusedError,
)
from services.workflow.tests.desk import COUNTY, Desk
from services.workflow.tests.tiny import bundle

TINY = ("tiny", "1.0.0")


def begin(desk: Desk, **node: object) -> str:
    desk.publish(bundle("tiny", "start s\ntask a\nend e\ns -> a -> e", {"a": node}))
    return desk.file(TINY)


def wanted(case_id: str, start: str = "09:00", end: str = "11:00", **more: object) -> pb.ScheduleHearingRequest:
    known = {"case_id": case_id, "room": "听证室一", "starts_at": f"2025-03-10T{start}:00+08:00",
             "ends_at": f"2025-03-10T{end}:00+08:00", "panel_ids": ["head", "leader"], "kind": "听证"}  # fmt: skip
    return pb.ScheduleHearingRequest(**known | more)  # type: ignore[arg-type]


def test_room_and_people_clash(desk: Desk) -> None:
    case_id = begin(desk)
    made = desk.ask("leader", "ScheduleHearing", wanted(case_id))
    with pytest.raises(ConflictError, match="听证室一 2025-03-10 09:00 至 11:00"):
        desk.ask("leader", "ScheduleHearing", wanted(case_id, "10:59", "12:00", panel_ids=["zhang"]))
    with pytest.raises(ConflictError, match="head某"):
        desk.ask("leader", "ScheduleHearing", wanted(case_id, "10:00", room="听证室二"))
    after = desk.ask("leader", "ScheduleHearing", wanted(case_id, "11:00", "12:00"))
    [first, _] = desk.told(case_id, "HearingScheduled")
    assert (first.data.hearing_id, list(first.data.card.panel_ids)) == (made.hearing_id, ["head", "leader"])
    cancel = pb.CancelHearingRequest(hearing_id=made.hearing_id, reason="当事人申请延期")
    with pytest.raises(CaseNotKnownError):
        desk.ask("stranger", "CancelHearing", cancel)
    assert desk.ask("leader", "CancelHearing", cancel).state == "cancelled"
    with pytest.raises(ConflictError):
        desk.ask("leader", "CancelHearing", cancel)
    desk.ask("leader", "ScheduleHearing", wanted(case_id))
    day: dict[str, Any] = {"body_id": COUNTY, "from": "2025-03-10", "to": "2025-03-11"}
    page = desk.ask("leader", "ListHearings", pb.ListHearingsRequest(**day, limit=2))
    rest = desk.ask("leader", "ListHearings", pb.ListHearingsRequest(**day, limit=2, cursor=page.next_cursor))
    assert [h.state for h in page.hearings] == ["cancelled", "scheduled"]
    assert [h.hearing_id for h in rest.hearings] == [after.hearing_id]
    assert list(desk.ask("stranger", "ListHearings", pb.ListHearingsRequest(**day)).hearings) == []


def test_what_cannot_be_scheduled(desk: Desk) -> None:
    case_id = begin(desk)
    for request, refusal in (
        (wanted(case_id, end="08:00"), InvalidInputError), (wanted(case_id, room=" "), InvalidInputError),
        (wanted(case_id, starts_at="明天"), InvalidInputError), (wanted(case_id, panel_ids=["x"]), InvalidInputError),
        (wanted(case_id, panel_ids=["stranger"]), InvalidInputError),
        (wanted(case_id, panel_ids=["head", "inspector"]), InvalidInputError),
        (wanted(case_id, starts_at="0001-01-01T00:00:00+14:00"), InvalidInputError),
        (wanted(case_id, ends_at="9999-12-31T23:59:59-14:00"), InvalidInputError),
        (wanted(case_id, starts_at="2025-03-02T09:00:00+08:00"), RuleRefusedError),
        (wanted("unknown"), CaseNotKnownError),
    ):  # fmt: skip
        with pytest.raises(refusal):
            desk.ask("leader", "ScheduleHearing", request)
    assert desk.query("select * from hearings") == []


def test_eight_at_once_get_one_room(desk: Desk) -> None:
    begin(desk)
    cases = [desk.file(TINY) for _ in range(8)]

    def attempt(number: int) -> str:
        panel = ["head", "leader"] if number % 2 else ["leader", "head"]
        try:
            return str(desk.ask("leader", "ScheduleHearing", wanted(cases[number], panel_ids=panel)).state)
        except DomainError as error:
            return error.slug

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(attempt, range(8))) == ["conflict"] * 7 + ["scheduled"]


def test_a_node_schedules_by_its_effect(desk: Desk) -> None:
    told = {"kind": "听证", "room": "=case.title", "starts_at": "2025-03-10T09:00:00+08:00",
            "ends_at": "2025-03-10T10:00:00+08:00"}  # fmt: skip
    case_id = begin(desk, effects=[{"id": "hearing", "effect": "schedule_hearing", "with": told}])
    assert desk.complete("zhang", case_id, "a").state == "done"
    [hearing] = desk.ask("leader", "ListHearings", pb.ListHearingsRequest(case_id=case_id)).hearings
    assert (hearing.room, hearing.state) == ("线索一件", "scheduled")
    second = desk.file(TINY)
    with pytest.raises(ConflictError):
        desk.complete("zhang", second, "a")
    assert desk.open_nodes(second) == ["a"]


def test_nobody_names_himself_to_the_panel(desk: Desk) -> None:
    case_id = begin(desk)
    for panel in (["legal_head"], ["zhang"], ["head", "zhang"]):
        with pytest.raises(NotAllowedError, match="由院长、机关负责人或部门负责人指定"):
            desk.ask("zhang", "ScheduleHearing", wanted(case_id, panel_ids=panel))
    assert desk.query("select * from hearings") == []
    desk.ask("leader", "ScheduleHearing", wanted(case_id, panel_ids=["head", "zhang"]))
    # one of the panel books a second day for some of it: who sits and who presides stay as designated
    later = wanted(case_id, "14:00", "15:00", panel_ids=["zhang"])
    assert list(desk.ask("zhang", "ScheduleHearing", later).panel_ids) == ["zhang"]
    desk.ask("zhang", "ScheduleHearing", wanted(case_id, "16:00", "17:00", panel_ids=[]))
    assert list(desk.course("leader", case_id).panel_ids) == ["head", "zhang"]
    with pytest.raises(NotAllowedError):
        desk.ask("zhang", "ScheduleHearing", wanted(case_id, "18:00", "19:00", panel_ids=["zhang", "li"]))


def test_a_node_names_only_people_of_the_body(desk: Desk) -> None:
    told = {"kind": "听证", "room": "听证室", "starts_at": "2025-03-10T09:00:00+08:00",
            "ends_at": "2025-03-10T10:00:00+08:00", "panel_ids": "=['li', 'stranger']"}  # fmt: skip
    case_id = begin(desk, effects=[{"id": "hearing", "effect": "schedule_hearing", "with": told}])
    with pytest.raises(InvalidInputError, match="不是本机关的在职人员：stranger"):
        desk.complete("zhang", case_id, "a")
    assert desk.open_nodes(case_id) == ["a"]


def test_where_the_law_lets_him_the_head_sits_himself(desk: Desk) -> None:
    told = {"kind": "开庭", "room": "第一法庭", "starts_at": "2025-03-10T09:00:00+08:00",
            "ends_at": "2025-03-10T10:00:00+08:00", "panel_ids": "=['both', 'li']"}  # fmt: skip
    named = {"officers": "=['both', 'li']", "may_name_self": "=true"}
    effects = [{"id": "name", "effect": "assign_case", "with": named},
               {"id": "hearing", "effect": "schedule_hearing", "after": ["name"], "with": told}]  # fmt: skip
    case_id = begin(desk, actor={"role": "division_head"}, effects=effects)
    assert desk.complete("both", case_id, "a").state == "done"
    course = desk.course("both", case_id)
    assert (list(course.officer_ids), list(course.panel_ids)) == (["both", "li"], ["both", "li"])


def test_the_head_of_a_department_names_nobody_but_others(desk: Desk) -> None:
    named = {"id": "name", "effect": "assign_case", "with": {"officers": "=['both']"}}
    case_id = begin(desk, actor={"role": "division_head"}, effects=[named])
    for method, request in (
        ("ScheduleHearing", wanted(case_id, panel_ids=["both", "leader"])),
        ("AssignCase", pb.AssignCaseRequest(case_id=case_id, officer_ids=["both"], reason="自办")),
    ):
        with pytest.raises(NotAllowedError, match="不能指定本人"):
            desk.ask("both", method, request)
    with pytest.raises(NotAllowedError, match="不能指定本人"):
        desk.complete("both", case_id, "a")
    desk.ask("both", "AssignCase", pb.AssignCaseRequest(case_id=case_id, officer_ids=["zhang"], reason="分案"))
    desk.ask("leader", "ScheduleHearing", wanted(case_id, panel_ids=["both", "leader"]))
    desk.ask("both", "ScheduleHearing", wanted(case_id, "14:00", "15:00", panel_ids=["both", "leader"]))
    assert desk.complete("head", case_id, "a").state == "done"
