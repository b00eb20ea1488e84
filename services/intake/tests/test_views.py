"""Reading the register: who sees what, filters, order, pages."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select, text

from anjuan.intake.v1 import intake_pb2 as pb
from anjuan.kit.v1.cards_pb2 import SupervisionCard, WorkflowCard
from anjuan.supervision.v1.events_pb2 import ClockDueSoon, DueDayChanged
from anjuan.workflow.v1.events_pb2 import CaseAssigned
from services.intake import views
from services.intake.tests.scene import (
    BUREAU,
    CLERK,
    COURT,
    DEFENDANT,
    JUDGE,
    LEADER,
    OFFICER,
    PLAINTIFF,
    PRINTS,
    REGISTRAR,
    SUPERVISOR,
    UPPER,
    Scene,
    civil,
    report,
)
from services.intake.usecases.register import correct_register
from services.kit import schema
from services.kit.errors import CaseNotKnownError, InvalidInputError, NotAllowedError
from services.kit.identity import Actor


def listed(scene: Scene, actor: Actor = CLERK, **wanted: Any) -> list[str]:
    with scene.begin(actor) as uow:
        return [row.case_id for row in views.list_cases(uow, pb.ListCasesRequest(**wanted)).cases]


def test_newest_first_page_by_page(scene: Scene) -> None:
    ids = [scene.submits(civil()).case_id for _ in range(7)]
    seen, cursor = [], ""
    for _ in range(3):
        with scene.begin(CLERK) as uow:
            page = views.list_cases(uow, pb.ListCasesRequest(limit=3, cursor=cursor))
        seen.append([row.case_id for row in page.cases])
        cursor = page.next_cursor
    assert (seen, cursor) == ([ids[:3:-1], ids[3:0:-1], ids[0::-1]], "")
    for wrong in ("%%%", "中文"):
        with pytest.raises(InvalidInputError):
            listed(scene, cursor=wrong)


def test_a_page_has_its_limit(scene: Scene) -> None:
    for _ in range(101):
        scene.submits(civil(materials=[]))
    assert [len(listed(scene)), len(listed(scene, limit=500)), len(listed(scene, limit=1))] == [20, 100, 1]
    with pytest.raises(InvalidInputError):
        listed(scene, limit=-1)


def test_a_case_names_who_carries_it(scene: Scene) -> None:
    case = scene.submits(civil())
    panel = WorkflowCard(officer_ids=[JUDGE.person_id, "p-unknown"])
    with scene.begin(CLERK) as uow:
        assert not views.get_case(uow, case.case_id).officers, "nobody yet"
    scene.hears("workflow", CaseAssigned(card=panel), case.case_id, case_id=case.case_id, body_id=COURT)
    with scene.begin(CLERK) as uow:
        seen = views.get_case(uow, case.case_id).officers
    assert [(o.name, list(o.roles)) for o in seen] == [
        (JUDGE.name, ["responsible_judge"]), ("p-unknown", ["panel_member"]),
    ]  # fmt: skip


def test_a_party_is_told_who_carries_the_case_once_it_is_docketed(scene: Scene) -> None:
    case = scene.submits(civil(), PLAINTIFF)
    scene.asks("accept_filing", case)
    panel = WorkflowCard(officer_ids=[JUDGE.person_id, "p-unknown"])
    scene.hears("workflow", CaseAssigned(card=panel), case.case_id, case_id=case.case_id, body_id=COURT)
    with scene.begin(PLAINTIFF) as uow:
        assert not views.get_case(uow, case.case_id).officers
    scene.asks("docket", case)
    with scene.begin(PLAINTIFF) as uow:
        seen = views.get_case(uow, case.case_id).officers
    assert [(o.person_id, o.name, list(o.roles)) for o in seen] == [("", JUDGE.name, ["responsible_judge"])]


def test_filters(scene: Scene) -> None:
    old = scene.submits(civil(submitted_on="2025-02-01", title="甲"))
    other = civil(title="乙")
    other.parties[1].name = "孙%三"
    new = scene.submits(other)
    number = scene.asks("docket", old)["case_number"]
    half_width = number.replace("（", "(").replace("）", ")")
    for wanted, found in (
        ({"state": "docketed"}, [old]), ({"state": "received"}, [new]), ({"procedure_id": "civil"}, [new, old]),
        ({"procedure_id": "penalty"}, []), ({"case_number": number}, [old]), ({"case_number": half_width}, [old]),
        ({"party_name": "孙%"}, [new]), ({"party_name": "%"}, [new]), ({"party_name": "钱二"}, [old]),
        ({"received_from": "2025-02-02"}, [new]), ({"received_to": "2025-02-01"}, [old]),
        ({"received_from": "2025-02-01", "received_to": "2025-03-03"}, [new, old]),
    ):  # fmt: skip
        assert listed(scene, **wanted) == [case.case_id for case in found], wanted
    with pytest.raises(InvalidInputError) as refused:
        listed(scene, received_from="yesterday")
    assert refused.value.fields[0]["pointer"] == "/received_from"


def test_a_row_shows_the_due_day_that_supervision_tells(scene: Scene) -> None:
    case = scene.submits(civil())
    card = SupervisionCard(limit_id="civil-trial", due_on="2025-09-03", state="running", unit="month", provisional=True)
    scene.hears("supervision", DueDayChanged(card=card), case.case_id, case_id=case.case_id)
    with scene.begin(CLERK) as uow:
        [row] = views.list_cases(uow, pb.ListCasesRequest()).cases
    assert (row.due_on, row.due_state, row.due_unit, row.provisional) == ("2025-09-03", "running", "month", True)
    assert (row.party_names, row.cause, row.docketed_on) == ("赵一、钱二", "买卖合同纠纷", "")
    card.state = "due_soon"
    scene.hears("supervision", ClockDueSoon(card=card), case.case_id, case_id=case.case_id)
    with scene.begin(CLERK) as uow:
        assert views.list_cases(uow, pb.ListCasesRequest()).cases[0].due_state == "due_soon"


def test_each_body_has_its_own_register(scene: Scene) -> None:
    court, bureau = scene.submits(civil()), scene.submits(report(), REGISTRAR)
    assert (listed(scene, CLERK), listed(scene, REGISTRAR)) == ([court.case_id], [bureau.case_id])
    with pytest.raises(NotAllowedError):
        listed(scene, CLERK, body_id=BUREAU)
    assert listed(scene, SUPERVISOR) == []
    assert listed(scene, SUPERVISOR, include_subtree=True) == [bureau.case_id]
    assert listed(scene, SUPERVISOR, body_id=BUREAU) == [bureau.case_id]
    assert listed(scene, SUPERVISOR, body_id=UPPER, include_subtree=True) == [bureau.case_id]
    assert listed(scene, REGISTRAR, include_subtree=True) == [bureau.case_id]
    with pytest.raises(NotAllowedError):
        listed(scene, REGISTRAR, body_id=UPPER, include_subtree=True)
    with pytest.raises(NotAllowedError):
        listed(scene, SUPERVISOR, body_id=COURT)


def test_a_party_lists_its_cases_once_accepted(scene: Scene) -> None:
    """What others filed from then on; what it filed itself at once."""
    own = scene.submits(civil(), PLAINTIFF)
    filing = civil()
    filing.parties[1].account_id = DEFENDANT.account_id
    case = scene.submits(filing)
    assert (listed(scene, PLAINTIFF), listed(scene, DEFENDANT)) == ([own.case_id], [])
    scene.asks("decline_filing", own, reason="不属于受理范围", article="第一百二十七条")
    scene.asks("accept_filing", case)
    assert (listed(scene, PLAINTIFF), listed(scene, DEFENDANT)) == ([case.case_id, own.case_id], [case.case_id])


def test_a_party_lists_by_body(scene: Scene) -> None:
    case = scene.submits(civil(), PLAINTIFF)
    assert listed(scene, PLAINTIFF, body_id=COURT) == [case.case_id]
    assert listed(scene, PLAINTIFF, body_id=BUREAU) == []


def test_a_case_as_staff_and_as_a_party_see_it(scene: Scene) -> None:
    case = scene.submits(civil(), PLAINTIFF)
    scene.asks("docket", case, date(2025, 3, 4))
    with scene.begin(JUDGE) as uow:
        whole = views.get_case(uow, case.case_id)
    with scene.begin(PLAINTIFF) as uow:
        mine = views.get_case(uow, case.case_id)
    assert (whole.case_number, whole.docketed_on, whole.version) == ("（2025）粤0703民初1号", "2025-03-04", 2)
    assert (whole.state, whole.secrecy_level, whole.case_type_code) == ("docketed", 1, "民初")
    assert [m.name for m in whole.materials] == ["起诉状", "身份证复印件"]
    assert whole.parties[1].id_number == "440703198506152227"
    assert (mine.parties[0].id_number, mine.parties[0].phone) == ("440703199001011239", "13800000001")
    assert (mine.parties[1].id_number, mine.parties[1].phone) == ("440***********2227", "138****0002")
    for actor in (DEFENDANT, OFFICER, LEADER):
        with pytest.raises(CaseNotKnownError), scene.begin(actor) as uow:
            views.get_case(uow, case.case_id)


def test_the_filer_reads_the_filing_before_acceptance(scene: Scene) -> None:
    case = scene.submits(civil(materials=[]), PLAINTIFF)
    defects = [
        {"checklist_item": "complaint", "detail": "缺起诉状"},
        {"checklist_item": "identity", "detail": "缺证明"},
    ]
    scene.asks("issue_deficiency_notice", case, defects=defects, due_on="2025-03-20")
    with scene.begin(PLAINTIFF) as uow:
        filing = views.get_filing(uow, scene.packs, case.filing_id)
    assert (filing.state, filing.case_state, filing.version) == ("deficient", "received", 2)
    [notice] = filing.notices
    assert (notice.due_on, [d.detail for d in notice.defects]) == ("2025-03-20", ["缺起诉状", "缺证明"])
    assert [d.checklist_item for d in filing.open_items] == ["complaint", "identity"]
    for actor in (DEFENDANT, LEADER):
        with pytest.raises(CaseNotKnownError), scene.begin(actor) as uow:
            views.get_filing(uow, scene.packs, case.filing_id)


def test_the_filer_opens_the_case_he_has_just_filed(scene: Scene) -> None:
    filing = civil()
    filing.materials[0].ClearField("checklist_item")
    filing.parties[1].representatives.append(pb.Representative(name="钱大", kind="relative"))
    case = scene.submits(filing, PLAINTIFF)
    defects = [{"checklist_item": "complaint", "detail": "缺起诉状"}]
    scene.asks("issue_deficiency_notice", case, defects=defects, due_on="2025-03-20")
    scene.hears("workflow", CaseAssigned(card=WorkflowCard(officer_ids=[JUDGE.person_id])), case.case_id,
                case_id=case.case_id, body_id=COURT)  # fmt: skip
    link(scene, case, DEFENDANT.account_id)

    def seen(actor: Actor = PLAINTIFF) -> pb.Case:
        with scene.begin(actor) as uow:
            return views.get_case(uow, case.case_id)

    mine = seen()
    assert (mine.state, mine.filing_state, mine.seen_as_filer, mine.filing_id) == (
        "received", "deficient", True, case.filing_id,
    )  # fmt: skip
    assert [m.name for m in mine.materials] == ["起诉状", "身份证复印件"]
    assert [(n.due_on, [d.detail for d in n.defects]) for n in mine.notices] == [("2025-03-20", ["缺起诉状"])]
    assert (mine.parties[0].id_number, mine.parties[1].id_number) == ("440703199001011239", "440***********2227")
    assert not mine.officers, "who examines it is not told before it is docketed"
    with pytest.raises(CaseNotKnownError):
        seen(DEFENDANT)
    scene.asks("decline_filing", case, reason="不属于受理范围", article="第一百二十七条")
    assert (seen().state, seen().filing_state) == ("declined", "declined")
    with pytest.raises(CaseNotKnownError):
        seen(DEFENDANT)


def link(scene: Scene, case: pb.SubmitFilingAnswer, account_id: str) -> None:
    """The clerk links the second party."""
    with scene.begin(CLERK) as uow:
        entry = views.get_case(uow, case.case_id)
    entry.parties[1].account_id = account_id
    request = pb.CorrectRegisterRequest(case_id=case.case_id, if_version=entry.version, reason="核对后关联",
                                        parties=[entry.parties[1]])  # fmt: skip
    correct_register(scene.begin(CLERK), scene.packs, PRINTS, request)


def test_a_link_to_a_case_that_is_closed_to_the_reader_is_not_shown(scene: Scene) -> None:
    strange = civil()
    strange.parties[0].account_id = ""
    case, other = scene.submits(civil(), PLAINTIFF), scene.submits(strange)
    scene.asks("docket", case)
    number = scene.asks("docket", other)["case_number"]
    scene.asks("link_case", case, relation="related", case_number=number, reason="同一未成年人")
    scene.asks("link_case", case, relation="appeal_of", case_number="（2024）粤0703民初9号")

    def links(actor: Actor) -> list[str]:
        with scene.begin(actor) as uow:
            return [link.case_id for link in views.get_case(uow, case.case_id).links]

    assert (links(CLERK), links(PLAINTIFF)) == ([other.case_id, ""], [""])
    with scene.begin(CLERK) as uow:  # as sealing leaves it
        card = schema.case_card
        uow.connection.execute(card.update().where(card.c.case_id == other.case_id).values(sealed=True))
    assert links(CLERK) == [""]


def test_a_party_without_cases_does_not_walk_the_register(scene: Scene) -> None:
    assert "case_card_accounts" in plan_of_the_list(scene, PLAINTIFF).split("CTE mine")[1]


def test_what_staff_took_in_is_found_by_an_index(scene: Scene) -> None:
    assert "filings_submitter" in plan_of_the_list(scene, OFFICER)


def plan_of_the_list(scene: Scene, actor: Actor) -> str:
    with scene.begin(actor) as uow:
        conditions = views._wanted(uow, pb.ListCasesRequest())
        wanted = select(schema.case_card.c.case_id).where(*conditions).order_by(schema.case_card.c.case_id.desc())
        for walk in ("seqscan", "indexscan", "indexonlyscan"):  # what suits a handful of rows alone
            uow.connection.execute(text(f"set local enable_{walk} = off"))
        compiled = wanted.limit(21).compile(uow.connection, compile_kwargs={"render_postcompile": True})
        found = uow.connection.exec_driver_sql(f"explain {compiled}", compiled.params).scalars()
        return "\n".join(found)


def test_who_took_a_lead_in_sees_what_became_of_it(scene: Scene) -> None:
    lead = report(channel="ex_officio", title="某超市无证经营", reporter=None)
    kept = [scene.submits(lead, OFFICER).case_id for _ in range(2)]
    scene.asks("refuse_docketing", pb.SubmitFilingAnswer(case_id=kept[0]), reason="违法行为轻微", article="第十九条")
    other = replace(OFFICER, person_id="p-other-officer")
    scene.knows(other)
    with scene.begin(OFFICER) as uow:
        seen = views.get_case(uow, kept[0])
        filing = views.get_filing(uow, scene.packs, seen.filing_id)
    assert (seen.state, filing.case_state, seen.seen_as_filer) == ("not_docketed", "not_docketed", True)
    assert not [*seen.materials, *filing.materials], "source material stays in the 副卷"
    assert listed(scene, OFFICER) == kept[::-1], "the second is still everybody's"
    assert listed(scene, other) == kept[1:]
    with pytest.raises(CaseNotKnownError), scene.begin(other) as uow:
        views.get_case(uow, kept[0])
    for actor, case_id in ((LEADER, kept[0]), (OFFICER, kept[1])):
        with scene.begin(actor) as uow:
            assert not views.get_case(uow, case_id).seen_as_filer, "open to the caller anyway"
    scene.hears("workflow", CaseAssigned(card=WorkflowCard(officer_ids=["p-other-officer"])), kept[1],
                case_id=kept[1], body_id=BUREAU)  # fmt: skip
    scene.asks("docket", pb.SubmitFilingAnswer(case_id=kept[1]))
    assert listed(scene, OFFICER) == kept[:1], "a case of others is theirs"
