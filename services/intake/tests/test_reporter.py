"""举报人: never a party, and nowhere to be found but in the 副卷."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select, text

from anjuan.intake.v1 import intake_pb2 as pb
from anjuan.kit.v1.cards_pb2 import WorkflowCard
from anjuan.workflow.v1.events_pb2 import CaseAssigned
from services.intake import views
from services.intake.tests.scene import (
    BUREAU,
    DEFENDANT,
    LEADER,
    OFFICER,
    PRINTS,
    REGISTRAR,
    SUPERVISOR,
    WHISTLE,
    Scene,
    paper,
    report,
)
from services.intake.usecases.register import correct_register
from services.kit import schema
from services.kit.effects import plain, struct
from services.kit.errors import CaseNotKnownError, InvalidInputError, NotAllowedError, RuleRefusedError
from services.kit.identity import Actor

SECRETS = ("欧阳举报", "13912345678", "某路1号", "举报信", "p-whistle")


def get(scene: Scene, case: pb.SubmitFilingAnswer, actor: Actor) -> pb.Filing:
    with scene.begin(actor) as uow:
        return views.get_filing(uow, scene.packs, case.filing_id)


def assigned(scene: Scene, case: pb.SubmitFilingAnswer) -> None:
    """办案员 becomes the case officer."""
    fact = CaseAssigned(card=WorkflowCard(officer_ids=[OFFICER.person_id]))
    scene.hears("workflow", fact, case.case_id, case_id=case.case_id, body_id=BUREAU)


@pytest.mark.parametrize("actor", [REGISTRAR, WHISTLE])
def test_no_event_audit_row_or_card_knows_who_it_was(scene: Scene, actor: Actor) -> None:
    case = scene.submits(report(), actor)
    request = pb.CorrectFilingRequest(
        filing_id=case.filing_id, if_version=1, materials=[paper("", "欧阳举报的第二封举报信")]
    )
    if actor is WHISTLE:
        scene.corrects(request, actor, BUREAU)
    change = pb.CorrectRegisterRequest(case_id=case.case_id, title="某超市销售过期食品案", reason="规范名称")
    change.if_version = 2 if actor is WHISTLE else 1
    correct_register(scene.begin(REGISTRAR), scene.packs, PRINTS, change)
    assigned(scene, case)
    get(scene, case, OFFICER)
    assert scene.asks("docket", case)["case_number"] == "江市监立案〔2025〕1号"
    scene.asks("close_case", case, disposition="penalty")
    with scene.begin(LEADER) as uow:
        bodies = [bytes(b).decode() for b in uow.connection.execute(select(schema.outbox.c.body)).scalars()]
        audit = [dict(r) for r in uow.connection.execute(select(schema.audit)).mappings()]
        cards = [dict(r) for r in uow.connection.execute(select(schema.case_card)).mappings()]
        kept = uow.connection.execute(text("select name from reporters")).scalar()
    assert kept == "欧阳举报"
    assert all("某超市" in body for body in bodies if "card" in body)
    assert (len(bodies), len(audit), len(cards)) == ((7, 6, 1) if actor is WHISTLE else (6, 5, 1))
    for place in (*bodies, *(json.dumps(r, ensure_ascii=False, default=str) for r in (*audit, *cards))):
        assert not [secret for secret in SECRETS if secret in place]


def test_what_the_others_are_told(scene: Scene) -> None:
    fact = scene.told(scene.submits(report(), REGISTRAR).case_id)[0].data
    assert (fact.reported_by_name, fact.filing.reported_by_name) == (True, True)
    assert not fact.filing.HasField("reporter")
    [material] = fact.filing.materials
    assert (material.name, material.internal) == ("副卷材料", True)
    assert material.sha256 == paper("", "欧阳举报的举报信").sha256
    nameless = scene.submits(report(reporter=pb.Reporter()), REGISTRAR)
    assert not scene.told(nameless.case_id)[0].data.reported_by_name
    from_account = scene.told(scene.submits(report(), WHISTLE).case_id)[0]
    assert (from_account.actor.name, from_account.actor.person_id) == ("举报人", "reporter")
    assert from_account.data.card.reporter_account_id == "acc-whistle"
    assert list(from_account.data.card.representative_account_ids) == []


def test_who_sees_the_reporter(scene: Scene) -> None:
    case = scene.submits(report(), REGISTRAR)
    for actor in (REGISTRAR, SUPERVISOR):
        seen = get(scene, case, actor)
        assert (seen.HasField("reporter"), list(seen.materials), plain(seen.content)) == (
            False,
            [],
            {"claim": "销售过期食品"},
        )
        assert not [secret for secret in SECRETS if secret in str(seen)]
        with scene.begin(actor) as uow:
            assert list(views.get_case(uow, case.case_id).materials) == []
    assigned(scene, case)
    for actor in (OFFICER, LEADER):
        seen = get(scene, case, actor)
        assert (seen.reporter.name, seen.materials[0].name) == ("欧阳举报", "欧阳举报的举报信")
        assert plain(seen.content) == {"claim": "销售过期食品", "source": "电话举报"}
    with scene.begin(LEADER) as uow:
        looked = uow.connection.execute(select(schema.audit).where(schema.audit.c.action == "view_reporter")).all()
    assert [row.actor["id"] for row in looked] == [OFFICER.person_id, LEADER.person_id]


def test_a_reporter_sees_the_own_report_and_its_outcome_only(scene: Scene) -> None:
    case = scene.submits(report(), WHISTLE)
    scene.asks("refuse_docketing", case, reason="经查不属实")
    seen = get(scene, case, WHISTLE)
    assert (seen.case_state, seen.state, seen.reporter.phone) == ("not_docketed", "declined", "13912345678")
    assert (seen.materials[0].name, plain(seen.content)["claim"]) == ("欧阳举报的举报信", "销售过期食品")
    assert (list(seen.parties), seen.case_id, seen.cause, list(seen.open_items)) == ([], "", "", [])
    with pytest.raises(CaseNotKnownError), scene.begin(WHISTLE) as uow:
        views.get_case(uow, case.case_id)
    with scene.begin(WHISTLE) as uow:
        assert not views.list_cases(uow, pb.ListCasesRequest()).cases
    with pytest.raises(CaseNotKnownError):
        get(scene, case, DEFENDANT)


def test_a_reporter_is_not_told_who_carries_the_case(scene: Scene) -> None:
    case = scene.submits(report(), WHISTLE)
    assigned(scene, case)
    scene.asks("docket", case)
    seen = str(get(scene, case, WHISTLE))
    assert "docketed" in seen
    assert not [word for word in (OFFICER.name, OFFICER.person_id) if word in seen]
    with pytest.raises(CaseNotKnownError), scene.begin(WHISTLE) as uow:
        views.get_case(uow, case.case_id)


def test_what_a_clerk_wrote_is_not_shown_to_the_reporter(scene: Scene) -> None:
    filing = report()
    filing.reporter.account_id = "acc-whistle"
    scene.account("acc-whistle")
    case = scene.submits(filing, REGISTRAR)
    seen = get(scene, case, WHISTLE)
    assert (seen.title, plain(seen.content), list(seen.materials)) == ("某超市销售过期食品", {}, [])


def test_a_sealed_report_is_closed_to_the_reporter_too(scene: Scene) -> None:
    case = scene.submits(report(), WHISTLE)
    with scene.begin(LEADER) as uow:  # as sealing leaves it
        uow.connection.execute(schema.case_card.update().values(sealed=True))
    with pytest.raises(CaseNotKnownError):
        get(scene, case, WHISTLE)


def test_a_reporter_is_no_party_and_is_not_named_in_the_open(scene: Scene) -> None:
    filing = report(title="欧阳举报举报某超市", content=struct({"claim": "请回电13912345678"}))
    filing.parties[0].account_id = "acc-whistle"
    with pytest.raises(InvalidInputError) as refused:
        scene.submits(filing, WHISTLE)
    assert {f["pointer"] for f in refused.value.fields} == {"/title", "/content/claim", "/parties/0/account_id"}
    shop = report(reporter=pb.Reporter(name="张三"), title="张三丰超市销售过期食品")
    shop.parties[0].name = "张三丰超市"
    assert scene.submits(shop, REGISTRAR).case_id
    with pytest.raises(NotAllowedError):
        scene.submits(report(channel="ex_officio"), WHISTLE)


def test_no_correction_makes_the_reporter_a_party(scene: Scene) -> None:
    case = scene.submits(report(), WHISTLE)
    scene.account("acc-whistle")
    [shop] = scene.told(case.case_id)[0].data.filing.parties
    shop.account_id = "acc-whistle"
    known = pb.Party(role="respondent", kind="natural_person", name="欧阳举报")

    def wrong(**sent: Any) -> set[str]:
        change = pb.CorrectRegisterRequest(case_id=case.case_id, if_version=1, reason="规范名称", **sent)
        with pytest.raises(InvalidInputError) as refused:
            correct_register(scene.begin(REGISTRAR), scene.packs, PRINTS, change)
        return {fault["pointer"] for fault in refused.value.fields}

    assert wrong(parties=[shop, known]) == {"/parties/0/account_id", "/parties/1/name"}
    assert wrong(title="欧阳举报举报某超市") == {"/title"}


def test_no_later_act_reveals_the_reporter(scene: Scene) -> None:
    case = scene.submits(report(), REGISTRAR)
    refused = scene.asks("refuse_docketing", case, reason="欧阳举报所述不实")
    assert refused == {"refused": "内容中不得出现举报人的姓名、电话，请删去后重新办理"}
    change = pb.CorrectRegisterRequest(case_id=case.case_id, if_version=1, title="甲案", reason="欧阳举报来电更正")
    with pytest.raises(RuleRefusedError):
        correct_register(scene.begin(REGISTRAR), scene.packs, PRINTS, change)
    party = scene.told(case.case_id)[0].data.filing.parties[0]
    party.phone = "13912345678"
    change = pb.CorrectRegisterRequest(case_id=case.case_id, if_version=1, reason="补录电话", parties=[party])
    with pytest.raises(RuleRefusedError):  # neither told nor recorded, but kept with the party
        correct_register(scene.begin(REGISTRAR), scene.packs, PRINTS, change)
    assert len(scene.told(case.case_id)) == 1
