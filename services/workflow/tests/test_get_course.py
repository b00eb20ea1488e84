"""Who sees how much of a case's course."""

from __future__ import annotations

import json

import pytest

from anjuan.identity.v1 import identity_pb2
from anjuan.intake.v1 import events_pb2 as intake_facts
from anjuan.kit.v1.cards_pb2 import PartyCard
from anjuan.workflow.v1 import workflow_pb2 as pb
from services.kit.errors import CaseNotKnownError, InvalidInputError, NotAllowedError
from services.kit.procedure.bundle import domain
from services.kit.settings import procedures_dir
from services.workflow.tests.desk import CITY, COUNTY, Desk
from services.workflow.tests.tiny import bundle, form

TINY = ("tiny", "1.0.0")
TEXT = {"type": "string"}
FORMS = {"a": form(seen=TEXT, source=TEXT | {"x-internal": True}), "b": form(x=TEXT)}


def begin(desk: Desk) -> str:
    drawing = "start s\ntask a b c\nend e\ns -> a -> b -> c -> e"
    desk.publish(bundle("tiny", drawing, {"a": {}, "b": {"internal": True}, "c": {}}, forms=FORMS))
    case_id = desk.file(TINY)
    desk.complete("zhang", case_id, "a", {"seen": "门店", "source": "某人"})
    desk.complete("zhang", case_id, "b", {"x": "内部意见"})
    assert [e.data.internal for e in desk.told(case_id, "NodeCompleted")] == [False, True]
    return case_id


def shown(course: pb.Course) -> dict[str, dict[str, str]]:
    return {v.node_id: {k: str(x) for k, x in v.data.items()} for v in course.visits}


def test_own_people_the_tier_above_and_the_party(desk: Desk) -> None:
    case_id = begin(desk)
    whole = {"a": {"seen": "门店", "source": "某人"}, "b": {"x": "内部意见"}, "c": {}}
    assert shown(desk.course("leader", case_id)) == whole
    # a colleague who does not carry the case reads the dossier, not its internal part; but what he did himself
    assert shown(desk.course("li", case_id)) == {"a": {"seen": "门店"}, "b": {}, "c": {}}
    assert shown(desk.course("zhang", case_id)) == whole
    assert [len(v.opinions) for v in desk.course("li", case_id).visits] == [1, 0, 0]
    above = desk.course("inspector", case_id)
    assert shown(above) == {"a": {}, "b": {}, "c": {}}
    assert [(list(v.people), v.done_on) for v in above.visits] == [(["zhang"], "2025-03-03")] * 2 + [([], "")]
    assert not any(v.opinions or v.effects or v.reason for v in above.visits)
    for who in ("stranger", "party:acme", "drafter"):
        with pytest.raises(CaseNotKnownError):
            desk.course(who, case_id)
    party = PartyCard(party_id="pa", name="某公司", role="respondent", account_id="acme")
    card = desk.card(case_id, TINY, state="docketed", parties=[party])
    desk.intake(intake_facts.CaseDocketed(card=card), case_id, TINY)
    mine = desk.course("party:acme", case_id)
    assert (shown(mine), [v.done_by for v in mine.visits]) == ({"a": {}, "c": {}}, ["", ""])
    assert not any(v.opinions for v in mine.visits)


def test_effects_and_reasons_stay_in_the_body(desk: Desk) -> None:
    told = {"id": "told", "effect": "notify", "with": {"to": "officers", "text": "内部提醒"}}
    levels = {"mode": "single", "levels": [{"id": "leader", "title": "批准", "actor": {"role": "body_leader"}}]}
    node = {"approval": levels, "effects": [told], "awaits": []}
    desk.publish(bundle("tiny", "start s\ntask a b\nend e\ns -> a -> b -> e", {"a": node, "b": {}}))
    case_id = desk.file(TINY)
    desk.complete("zhang", case_id, "a")
    desk.decide("leader", case_id, "a", "return", "线索来源要保密")
    [own], [above] = desk.course("li", case_id).visits, desk.course("inspector", case_id).visits
    assert (own.reason, len(own.opinions)) == ("线索来源要保密", 2)
    assert (above.reason, len(above.opinions)) == ("", 0)
    desk.complete("zhang", case_id, "a")
    desk.decide("leader", case_id, "a")
    assert [e.name for e in desk.course("li", case_id).visits[0].effects] == ["told"]
    assert not desk.course("inspector", case_id).visits[0].effects


def test_an_instrument_is_named_to_who_may_open_its_volume(desk: Desk) -> None:
    template = "templates/meeting-record.docx"
    law = {name: domain(name) for name in ("documents", "catalogues")}
    papers = (("samr-penalty-decision", "处罚决定书", "main", 2), ("samr-meeting-record", "讨论记录", "internal", 6))
    asked = [{"id": v, "effect": "issue_instrument", "with": {"instrument": i}} for i, _, v, _ in papers]
    kinds = [{"id": i, "title": title, "template": template, "volume": {"id": v, "seq": seq},
              "fields": dict.fromkeys(law["documents"][i]["required_fields"], "")}
             for i, title, v, seq in papers]  # fmt: skip
    volumes = [{"id": v, "kind": v, "catalogue": f"samr-penalty-{c}", "takes": [{"seq": seq, "rest": True}]}
               for v, c, seq in (("main", "main", 2), ("internal", "sub", 6))]  # fmt: skip
    told = {"instruments.yaml": {"instruments": kinds}, "volumes.yaml": {"volumes": volumes}}
    told |= {f"frozen/{name}.json": found for name, found in law.items()}
    more = {name: json.dumps(data).encode() for name, data in told.items()}
    more[template] = (procedures_dir() / "admin-penalty-general" / template).read_bytes()
    desk.publish(bundle("tiny", "start s\ntask a\nend e\ns -> a -> e", {"a": {"effects": asked}}, more=more))
    case_id = desk.file(TINY)
    desk.complete("zhang", case_id, "a")

    def named(who: str) -> list[tuple[str, str]]:
        return [(e.title, e.subject) for e in desk.course(who, case_id).visits[0].effects]

    whole = [("制发文书", "处罚决定书"), ("制发文书", "讨论记录")]
    assert named("zhang") == named("leader") == whole
    # a colleague reads the dossier without the internal volume
    assert named("li") == [("制发文书", "处罚决定书"), ("制发文书", "")]
    assert named("inspector") == []
    [task] = desk.query("select task_id from tasks where node_id = 'a'")
    view = desk.ask("legal_head", "GetTask", pb.GetTaskRequest(task_id=task.task_id))
    assert [e.subject for e in view.effects] == ["处罚决定书", ""]


def test_a_task_is_no_way_round(desk: Desk) -> None:
    case_id = begin(desk)
    a, b = (desk.query("select task_id from tasks where node_id = :n", n=n)[0].task_id for n in ("a", "b"))
    party = PartyCard(party_id="pa", name="某公司", role="respondent", account_id="acme")
    card = desk.card(case_id, TINY, state="docketed", parties=[party])
    desk.intake(intake_facts.CaseDocketed(card=card), case_id, TINY)

    def read(who: str, task_id: str) -> dict[str, object]:
        return dict(desk.ask(who, "GetTask", pb.GetTaskRequest(task_id=task_id)).draft)

    for who in ("inspector", "party:acme"):
        assert len(desk.course(who, case_id).visits) >= 2
        for task_id in (a, b):
            with pytest.raises((NotAllowedError, CaseNotKnownError)):
                read(who, task_id)
    assert read("legal_head", a) == {"seen": "门店"}
    with pytest.raises((NotAllowedError, CaseNotKnownError)):
        read("legal_head", b)
    for who in ("zhang", "leader"):
        assert (read(who, a), read(who, b)) == ({"seen": "门店", "source": "某人"}, {"x": "内部意见"})


def test_people_designated_anew_take_over(desk: Desk) -> None:
    case_id = begin(desk)
    request = pb.AssignCaseRequest(case_id=case_id, officer_ids=["li"], reason="原承办人调离")
    for who, refusal in (("zhang", NotAllowedError), ("stranger", CaseNotKnownError), ("inspector", NotAllowedError)):
        with pytest.raises(refusal):
            desk.ask(who, "AssignCase", request)
    with pytest.raises(InvalidInputError, match="理由"):
        desk.ask("leader", "AssignCase", pb.AssignCaseRequest(case_id=case_id, officer_ids=["li"]))
    answer = desk.ask("leader", "AssignCase", request)
    assert (list(answer.officer_ids), answer.department_id) == (["li"], "d-investigation")
    [told] = desk.told(case_id, "CaseAssigned")
    assert (told.data.reason, told.actor.person_id) == ("原承办人调离", "leader")
    rows = desk.query("select officer_ids from case_card where case_id = :c", c=case_id)
    assert rows[0].officer_ids == ["li"]


def test_a_task_follows_the_officer_of_the_case(desk: Desk) -> None:
    drawing = "start s\ntask a b\nend e\ns -> a -> b -> e"
    assign = {"id": "assign", "effect": "assign_case", "with": {"officers": "=['li']"}}
    carried = {"actor": {"relation": "case_officer"}}
    desk.publish(bundle("tiny", drawing, {"a": {"effects": [assign]}, "b": carried}))
    case_id = desk.file(TINY)
    desk.complete("zhang", case_id, "a")
    assert (desk.list("li").to_do, desk.list("qian").to_do) == (1, 0)
    desk.ask("head", "AssignCase", pb.AssignCaseRequest(case_id=case_id, officer_ids=["qian"], reason="调离"))
    assert (desk.list("li").to_do, desk.list("qian").to_do) == (0, 1)
    assert desk.complete("qian", case_id, "b").state == "done"


def test_an_upper_body_may_be_asked(desk: Desk) -> None:
    drawing = "start s\ntask a\nend e\ns -> a -> e"
    upper = {"actor": {"role": "pack_publisher", "in": "superior_body"}}
    roles = ["case_officer", "division_head", "body_leader", "pack_publisher"]
    desk.publish(bundle("tiny", drawing, {"a": upper}, labels={"pack_publisher": "上级人员"}, roles=roles))
    case_id = desk.file(TINY)
    task = desk.task("drafter", case_id, "a")
    assert (task.body_id, desk.list("leader").to_do) == (CITY, 0)
    assert desk.complete("drafter", case_id, "a").state == "done"


def test_an_upper_tier_opens_a_dossier_with_a_reason_and_on_the_record(desk: Desk) -> None:
    case_id = begin(desk)
    [a] = desk.query("select task_id from tasks where node_id = 'a'")

    def course(who: str, reason: str) -> dict[str, dict[str, str]]:
        return shown(desk.ask(who, "GetCourse", pb.GetCourseRequest(case_id=case_id, reason=reason)))

    def form_of(who: str, reason: str) -> dict[str, object]:
        return dict(desk.ask(who, "GetTask", pb.GetTaskRequest(task_id=a.task_id, reason=reason)).draft)

    nothing: dict[str, dict[str, str]] = {"a": {}, "b": {}, "c": {}}
    for who in ("inspector", "chief"):
        assert (course(who, ""), course(who, "curiosity")) == (nothing, nothing)
        with pytest.raises(NotAllowedError):
            form_of(who, "")
    assert desk.query("select 1 from audit where action in ('read_course', 'read_task')") == []
    assert course("inspector", "supervision") == {"a": {"seen": "门店"}, "b": {}, "c": {}}
    assert form_of("inspector", "supervision") == {"seen": "门店"}
    assert course("chief", "appeal")["b"] == {"x": "内部意见"}
    assert form_of("chief", "appeal") == {"seen": "门店", "source": "某人"}
    for who in ("stranger", "drafter"):
        for read in (course, form_of):
            with pytest.raises(CaseNotKnownError):
                read(who, "appeal")
    rows = desk.query("select action, actor, detail from audit where action like 'read_%' order by position")
    assert [(r.action, r.actor["id"], r.detail["reason"], r.detail["internal"]) for r in rows] == [
        ("read_course", "inspector", "supervision", False), ("read_task", "inspector", "supervision", False),
        ("read_course", "chief", "appeal", True), ("read_task", "chief", "appeal", True),
    ]  # fmt: skip


def test_a_role_taken_back_opens_no_internal_volume_although_the_token_has_it(desk: Desk) -> None:
    case_id = begin(desk)
    assert shown(desk.course("leader", case_id))["b"] == {"x": "内部意见"}
    elsewhere = identity_pb2.Appointment(body_id=COUNTY, role="registrar")
    desk.person("leader", appointments=[elsewhere])
    assert shown(desk.course("leader", case_id))["b"] == {}
    desk.person("chief", state="left")
    request = pb.GetCourseRequest(case_id=case_id, reason="supervision")
    assert shown(desk.ask("chief", "GetCourse", request)) == {"a": {}, "b": {}, "c": {}}
