"""补正: by whom, when, and what a second notice may say."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from anjuan.intake.v1 import intake_pb2 as pb
from services.intake.tests.scene import CLERK, DEFENDANT, PLAINTIFF, PRINTS, SUPERVISOR, Scene, civil, paper
from services.intake.usecases.register import correct_register
from services.kit import schema
from services.kit.effects import struct
from services.kit.errors import CaseNotKnownError, InvalidInputError, PreconditionError, RuleRefusedError
from services.kit.identity import Actor

COMPLAINT = paper("complaint", "补正的起诉状")
IDENTITY = paper("identity", "身份证")
BOTH = [{"checklist_item": "complaint", "detail": "缺起诉状"}, {"checklist_item": "identity", "detail": "缺身份证明"}]


def correct(
    scene: Scene, case: pb.SubmitFilingAnswer, actor: Actor = PLAINTIFF, **change: Any
) -> pb.SubmitFilingAnswer:
    request: dict[str, Any] = {"filing_id": case.filing_id, "if_version": case.version} | change
    return scene.corrects(pb.CorrectFilingRequest(**request), actor)


@pytest.fixture
def bare(scene: Scene) -> pb.SubmitFilingAnswer:
    """A filing of 赵一 without any material."""
    return scene.submits(civil(materials=[]), PLAINTIFF)


@pytest.fixture
def deficient(scene: Scene, bare: pb.SubmitFilingAnswer) -> pb.SubmitFilingAnswer:
    """The same after the notice."""
    scene.asks("issue_deficiency_notice", bare, defects=BOTH)
    return pb.SubmitFilingAnswer(case_id=bare.case_id, filing_id=bare.filing_id, version=2)


def test_the_filer_corrects_before_any_notice(scene: Scene, bare: pb.SubmitFilingAnswer) -> None:
    better = correct(scene, bare, materials=[COMPLAINT], content=struct({"claim": "偿还本金"}))
    assert (better.state, better.version, [d.checklist_item for d in better.open_items]) == (
        "submitted",
        2,
        ["identity"],
    )
    fact = scene.told(bare.case_id)[-1]
    assert (fact.type, fact.data.filing.content["claim"]) == ("FilingCorrected", "偿还本金")
    with pytest.raises(PreconditionError):
        correct(scene, bare, materials=[IDENTITY])
    with pytest.raises(InvalidInputError, match="If-Match"):
        correct(scene, bare, materials=[IDENTITY], if_version=0)


def test_only_what_was_told_counts_as_open(scene: Scene, deficient: pb.SubmitFilingAnswer) -> None:
    half = correct(scene, deficient, materials=[COMPLAINT])
    assert half.state == "deficient"
    assert [d.checklist_item for d in scene.told(deficient.case_id)[-1].data.filing.defects] == ["identity"]
    whole = correct(scene, half, materials=[IDENTITY])
    assert (whole.state, list(whole.open_items)) == ("submitted", [])
    assert scene.asks("accept_filing", whole) == {"accepted_on": "2025-03-03"}
    with pytest.raises(RuleRefusedError, match="案件已受理，不能补正"):
        correct(scene, whole, if_version=5)


def test_a_second_notice_for_an_old_defect_is_refused(scene: Scene, deficient: pb.SubmitFilingAnswer) -> None:
    whole = correct(scene, deficient, materials=[COMPLAINT, IDENTITY])
    unsigned = {"checklist_item": "complaint", "detail": "补交的起诉状没有签名"}
    vague = {"detail": "诉讼请求不明确"}
    refused = scene.asks("issue_deficiency_notice", whole, defects=[unsigned, vague])["refused"]
    assert refused == "补正已于2025-03-03一次性告知，此后没有变化的内容不得再次要求补正：诉讼请求不明确"
    assert scene.asks("issue_deficiency_notice", whole, defects=[unsigned])["notice_id"]
    with scene.begin(CLERK) as uow:
        assert [len(n.defects) for n in uow.notices.of(whole.case_id)] == [2, 1]


def test_the_bodys_people_correct_only_while_deficient(scene: Scene, bare: pb.SubmitFilingAnswer) -> None:
    with pytest.raises(RuleRefusedError, match="尚未告知补正"):
        correct(scene, bare, CLERK, materials=[COMPLAINT])
    scene.asks("issue_deficiency_notice", bare, defects=BOTH)
    assert correct(scene, bare, CLERK, materials=[COMPLAINT], if_version=2).version == 3


def test_nobody_else_corrects(scene: Scene, bare: pb.SubmitFilingAnswer) -> None:
    for actor in (DEFENDANT, SUPERVISOR):
        with pytest.raises(CaseNotKnownError) as forbidden:
            correct(scene, bare, actor, materials=[COMPLAINT])
        with pytest.raises(CaseNotKnownError) as unknown:
            correct(scene, bare, actor, filing_id="nothing")
        assert forbidden.value.detail == unknown.value.detail


def test_rows_are_replaced_by_id_and_faults_point_into_the_request(scene: Scene) -> None:
    case = scene.submits(civil(), PLAINTIFF)
    [zhao, qian] = scene.told(case.case_id)[0].data.filing.parties
    renamed = pb.Party(party_id=qian.party_id, role="defendant", kind="natural_person", name="钱二宝")
    third = pb.Party(role="defendant", kind="organisation", name="孙三公司")
    correct(scene, case, parties=[renamed, third])
    assert [p.name for p in scene.told(case.case_id)[-1].data.filing.parties] == ["赵一", "钱二宝", "孙三公司"]
    with pytest.raises(InvalidInputError) as refused:
        correct(scene, case, if_version=2, content=struct({}), materials=[pb.Material(material_id="x", name="甲")],
                parties=[third, pb.Party(party_id="y", role="defendant", kind="organisation", name="")])  # fmt: skip
    assert {f["pointer"] for f in refused.value.fields} == {
        "/content/claim", "/materials/0", "/materials/0/sha256", "/parties/1", "/parties/1/name",
    }  # fmt: skip
    emptied = pb.Party(party_id=zhao.party_id, role="defendant", kind="natural_person", name="赵一")
    with pytest.raises(InvalidInputError) as refused:
        correct(scene, case, if_version=2, parties=[emptied])
    assert refused.value.fields == [{"pointer": "/parties", "detail": "至少应有1名原告，现有0名"}]


def test_a_correction_is_on_the_record(scene: Scene, bare: pb.SubmitFilingAnswer) -> None:
    correct(scene, bare, materials=[COMPLAINT])
    with scene.begin(CLERK) as uow:
        rows = uow.connection.execute(select(schema.audit.c.action, schema.audit.c.actor)).all()
    assert [(r.action, r.actor["id"]) for r in rows] == [("submit_filing", "p-zhao"), ("correct_filing", "p-zhao")]


def copy_of(party: pb.Party, **changed: Any) -> pb.Party:
    copy = pb.Party(**changed)
    copy.MergeFrom(pb.Party(party_id=party.party_id, role=party.role, kind=party.kind, name=party.name))
    return copy


def test_a_filer_slips_into_no_row_of_the_other_side(scene: Scene) -> None:
    case = scene.submits(civil(), PLAINTIFF)
    [zhao, qian] = scene.told(case.case_id)[0].data.filing.parties
    taken = copy_of(qian, account_id="acc-zhao")
    again = pb.Party(role="defendant", kind="organisation", name="孙三公司", account_id="acc-zhao")
    for parties, said in (([taken], "不能把本人的账户关联到"), ([copy_of(zhao), taken], "不能把本人的账户关联到"),
                          ([again], "同一账户不能代表两方")):  # fmt: skip
        with pytest.raises(InvalidInputError) as refused:
            correct(scene, case, parties=parties)
        assert any(said in fault["detail"] for fault in refused.value.fields), said


def test_a_filer_leaves_the_row_of_another_account_alone(scene: Scene) -> None:
    case = scene.submits(civil(), PLAINTIFF)
    [zhao, qian] = scene.told(case.case_id)[0].data.filing.parties
    linked = copy_of(qian, account_id="acc-qian")
    request = pb.CorrectRegisterRequest(case_id=case.case_id, if_version=1, reason="核对后关联", parties=[linked])
    correct_register(scene.begin(CLERK), scene.packs, PRINTS, request)
    with pytest.raises(InvalidInputError) as refused:
        correct(scene, case, if_version=2, parties=[copy_of(qian)])
    assert refused.value.fields[0]["pointer"] == "/parties/0"
    own = copy_of(zhao, account_id="acc-zhao", phone="13800000009")
    assert correct(scene, case, if_version=2, parties=[own]).version == 3
