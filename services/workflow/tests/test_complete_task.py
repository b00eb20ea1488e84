"""Completing a node: who, when, what; once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest

from anjuan.workflow.v1 import workflow_pb2 as pb
from services.kit.effects import struct
from services.kit.errors import (
    CaseNotKnownError,
    ConflictError,
    DomainError,
    InvalidInputError,
    KeyReusedError,
    NotAllowedError,
    PreconditionError,
    RuleRefusedError,
)
from services.workflow.tests.desk import CERTIFICATE, ON, Desk
from services.workflow.tests.tiny import LAW, bundle, form

LINE = "start s\ntask a b\nend e\ns -> a -> b -> e"
TINY = ("tiny", "1.0.0")
DAY = {"type": "string", "format": "date"}
REASON = {"type": "string", "minLength": 3}
FORMS = {"a": form(reason=REASON, day=DAY, n={"type": "integer"}) | {"required": ["reason"]}}


def line(desk: Desk, nodes: dict[str, object] | None = None, **more: object) -> str:
    desk.publish(bundle("tiny", LINE, {"a": {}, "b": {}} | (nodes or {}), forms=FORMS, **more))  # type: ignore[arg-type]
    return desk.file(TINY)


def test_complete_task_moves_the_token_and_tells_it(desk: Desk) -> None:
    case_id = line(desk)
    done = desk.complete("zhang", case_id, "a", {"reason": "情况属实", "n": 2})
    assert (done.state, list(done.waiting_for)) == ("done", [])
    told = desk.told(case_id)
    assert [e.type for e in told] == ["ProcedureStarted", "NodeOpened", "NodeCompleted", "NodeOpened"]
    completed = told[2]
    assert (completed.data.node_id, completed.data.completed_by, completed.occurred_on) == ("a", "zhang", ON)
    assert (completed.actor.person_id, completed.pack_id, completed.pack_version) == ("zhang", *TINY)
    assert completed.raw["data"] == {"reason": "情况属实", "n": 2.0}
    assert told[3].data.card.open_node_ids == ["b"]
    assert desk.open_nodes(case_id) == ["b"]
    assert desk.complete("li", case_id, "b").state == "done"
    assert [e.type for e in desk.told(case_id)][-2:] == ["NodeCompleted", "ProcedureConcluded"]
    course = desk.course("leader", case_id)
    assert (course.concluded, course.outcome, [v.done_by for v in course.visits]) == (True, "e", ["zhang", "li"])
    actions = [r.action for r in desk.query("select action from audit where case_id = :c order by position", c=case_id)]
    assert actions == ["start_procedure", "complete_task", "complete_task", "read_course"]


def test_the_form_is_checked_whole(desk: Desk) -> None:
    case_id = line(desk)
    with pytest.raises(InvalidInputError) as refused:
        desk.complete("zhang", case_id, "a", {"reason": "短", "day": "2025-02-30", "n": 1.5, "x": 1})
    assert {f["pointer"] for f in refused.value.fields} == {"/reason", "/day", "/n", ""}
    with pytest.raises(InvalidInputError, match="reason"):
        desk.complete("zhang", case_id, "a", {})
    assert desk.told(case_id, "NodeCompleted") == []


def test_the_day_lies_between_opening_and_today(desk: Desk) -> None:
    case_id = line(desk)
    desk.advance(ON + timedelta(days=7))
    for day, why in (("2025-03-11", "不得晚于"), ("2025-03-02", "不得早于"), ("3月3日", "应为日期")):
        with pytest.raises(InvalidInputError, match=why) as refused:
            desk.complete("zhang", case_id, "a", {"reason": "情况属实"}, occurred_on=day)
        assert refused.value.fields[0]["pointer"] == "/occurred_on"
    desk.complete("zhang", case_id, "a", {"reason": "情况属实"}, occurred_on="2025-03-05")
    assert [e.occurred_on for e in desk.told(case_id)][2:] == [date(2025, 3, 5)] * 2
    assert desk.task("li", case_id, "b").opened_on == "2025-03-05"


def test_who_may(desk: Desk) -> None:
    case_id = line(desk, {"a": {"actor": {"role": "case_officer", "qualification": CERTIFICATE}}})
    task = desk.task("zhang", case_id, "a")
    request = pb.CompleteTaskRequest(task_id=task.task_id, data=struct({"reason": "情况属实"}))
    assert desk.list("novice", case_id=case_id).to_do == 0
    for who, refusal in (("novice", NotAllowedError), ("leader", NotAllowedError), ("stranger", CaseNotKnownError),
                         ("inspector", NotAllowedError), ("party:x", CaseNotKnownError)):  # fmt: skip
        with pytest.raises(refusal):
            desk.ask(who, "CompleteTask", request)
    with pytest.raises(CaseNotKnownError):
        desk.ask("zhang", "CompleteTask", pb.CompleteTaskRequest(task_id="nothing"))
    desk.person("zhang", qualifications=[])
    with pytest.raises(NotAllowedError):
        desk.ask("zhang", "CompleteTask", request)
    desk.person("zhang", state="left")
    assert desk.list("zhang").to_do == 0
    desk.person("zhang")
    assert desk.ask("zhang", "CompleteTask", request).state == "done"


def test_several_people_act_together(desk: Desk) -> None:
    case_id = line(desk, {"a": {"actor": {"role": "case_officer", "qualification": CERTIFICATE, "min_people": 2}}})
    facts = {"reason": "情况属实"}
    with pytest.raises(RuleRefusedError, match=r"至少 2 人.*某法"):
        desk.complete("zhang", case_id, "a", facts)
    for other in ("zhang", "nobody"):
        with pytest.raises(InvalidInputError):
            desk.complete("zhang", case_id, "a", facts, with_ids=[other])
    for other in ("novice", "leader", "stranger"):
        with pytest.raises(NotAllowedError):
            desk.complete("zhang", case_id, "a", facts, with_ids=[other])
    desk.complete("zhang", case_id, "a", facts, with_ids=["li"])
    assert list(desk.course("leader", case_id).visits[0].people) == ["zhang", "li"]


def test_what_the_pack_forbids(desk: Desk) -> None:
    bar = {"id": "bar", "when": "form.n > act.people.size() + 1 && case.channel == 'ex_officio'",
           "message": "数目不对", "articles": LAW}  # fmt: skip
    case_id = line(desk, {"a": {"refuses": [bar]}})
    with pytest.raises(RuleRefusedError, match="数目不对（《某法》第一条）"):
        desk.complete("zhang", case_id, "a", {"reason": "情况属实", "n": 3})
    assert desk.complete("zhang", case_id, "a", {"reason": "情况属实", "n": 2}).state == "done"


def test_stale_versions_and_repeated_keys(desk: Desk) -> None:
    case_id = line(desk)
    task = desk.task("zhang", case_id, "a")
    good = pb.CompleteTaskRequest(task_id=task.task_id, data=struct({"reason": "情况属实"}), if_version=task.version)
    stale = pb.CompleteTaskRequest(task_id=task.task_id, data=good.data, if_version=task.version + 1)
    with pytest.raises(PreconditionError):
        desk.ask("zhang", "CompleteTask", stale, key="k")
    first = desk.ask("zhang", "CompleteTask", good, key="k")
    assert desk.ask("zhang", "CompleteTask", good, key="k") == first
    with pytest.raises(KeyReusedError):
        desk.ask("zhang", "CompleteTask", stale, key="k")
    with pytest.raises(ConflictError, match="已办结，办理人zhang某"):
        desk.ask("li", "CompleteTask", good)
    assert len(desk.told(case_id, "NodeCompleted")) == 1


def test_sixteen_at_once_one_wins(desk: Desk) -> None:
    case_id = line(desk)
    task = desk.task("zhang", case_id, "a")
    request = pb.CompleteTaskRequest(task_id=task.task_id, data=struct({"reason": "情况属实"}), if_version=task.version)

    def attempt(number: int) -> str:
        try:
            return str(desk.ask(("zhang", "li", "qian", "novice")[number % 4], "CompleteTask", request).state)
        except DomainError as error:
            return error.slug

    with ThreadPoolExecutor(16) as pool:
        found = sorted(pool.map(attempt, range(16)))
    assert found == ["conflict"] * 15 + ["done"]
    assert len(desk.told(case_id, "NodeCompleted")) == 1
    assert desk.query("select count(*) as n from tasks where node_id = 'b'")[0].n == 1


def test_drafts_are_kept_and_shown(desk: Desk) -> None:
    case_id = line(desk)
    task = desk.task("zhang", case_id, "a")
    desk.ask("zhang", "SaveDraft", pb.SaveDraftRequest(task_id=task.task_id, data=struct({"reason": "写到一半"})))
    view = desk.ask("li", "GetTask", pb.GetTaskRequest(task_id=task.task_id))
    assert (view.draft["reason"], list(view.actions), view.task.version) == ("写到一半", ["complete"], task.version)
    assert "reason" in view.form_schema_json
    with pytest.raises(NotAllowedError):
        desk.ask("leader", "SaveDraft", pb.SaveDraftRequest(task_id=task.task_id))
    assert list(desk.ask("leader", "GetTask", pb.GetTaskRequest(task_id=task.task_id)).actions) == []
    with pytest.raises(CaseNotKnownError):
        desk.ask("stranger", "GetTask", pb.GetTaskRequest(task_id=task.task_id))
