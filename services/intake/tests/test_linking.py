"""Whom staff may link to a case: accounts that a counter has confirmed, and no others."""

from __future__ import annotations

from typing import Any

import pytest

from anjuan.intake.v1 import intake_pb2 as pb
from services.intake import views
from services.intake.tests.scene import CLERK, DEFENDANT, PLAINTIFF, PRINTS, REGISTRAR, Scene, civil, report
from services.intake.usecases.filing import correct_filing
from services.intake.usecases.register import correct_register
from services.kit.errors import CaseNotKnownError, InvalidInputError
from services.kit.identity import Actor


def refused(scene: Scene, filing: pb.Filing, actor: Actor = CLERK, said: str = "尚未核验") -> list[str]:
    with pytest.raises(InvalidInputError, match="处需要改正") as found:
        scene.submits(filing, actor)
    assert all(said in fault["detail"] for fault in found.value.fields)
    return [str(fault["pointer"]) for fault in found.value.fields]


def opens(scene: Scene, case: pb.SubmitFilingAnswer, actor: Actor) -> bool:
    try:
        with scene.begin(actor) as uow:
            return bool(views.get_case(uow, case.case_id).title)
    except CaseNotKnownError:
        return False


def test_an_account_that_nobody_has_confirmed_is_linked_by_no_clerk(scene: Scene) -> None:
    """An impostor has registered the number of 孙三: the clerk who finds that account cannot give it the case."""
    filing = civil()
    filing.parties[1].account_id = "acc-impostor"
    filing.parties[0].representatives.append(pb.Representative(name="李四", kind="lawyer", account_id="acc-lawyer"))
    assert refused(scene, filing) == ["/parties/0/representatives/0/account_id", "/parties/1/account_id"]
    scene.account("acc-lawyer")
    assert refused(scene, filing) == ["/parties/1/account_id"]
    scene.account("acc-impostor", "blocked")
    assert refused(scene, filing, said="该账户已停用") == ["/parties/1/account_id"]
    scene.account("acc-impostor", "confirmed")
    scene.submits(filing)


def test_a_reporter_s_account_too(scene: Scene) -> None:
    filing = report()
    filing.reporter.account_id = "acc-impostor"
    assert refused(scene, filing, REGISTRAR) == ["/reporter/account_id"]


def test_the_register_is_corrected_by_the_same_rule(scene: Scene) -> None:
    """Who stands behind a row already may stay there: he linked himself, and sees what he filed."""
    scene.account("acc-zhao", "blocked")
    scene.account("acc-qian", "blocked")
    case = scene.submits(civil(materials=civil().materials[1:]), PLAINTIFF)
    [zhao, qian] = scene.told(case.case_id)[0].data.filing.parties
    qian.account_id = DEFENDANT.account_id

    def correct(**sent: Any) -> pb.Case:
        request = pb.CorrectRegisterRequest(case_id=case.case_id, if_version=1, reason="核对后更正", **sent)
        return correct_register(scene.begin(CLERK), scene.packs, PRINTS, request)

    with pytest.raises(InvalidInputError) as found:
        correct(parties=[zhao, qian])
    assert [fault["pointer"] for fault in found.value.fields] == ["/parties/1/account_id"]
    defects = [{"checklist_item": "complaint", "detail": "缺起诉状"}]
    assert "refused" not in scene.asks("issue_deficiency_notice", case, defects=defects, due_on="2025-03-20")
    request = pb.CorrectFilingRequest(filing_id=case.filing_id, if_version=2, parties=[qian])
    with pytest.raises(InvalidInputError, match="1处"):
        correct_filing(scene.begin(CLERK), scene.packs, request)
    zhao.phone = "13800000009"
    scene.account("acc-qian")
    request = pb.CorrectFilingRequest(filing_id=case.filing_id, if_version=2, parties=[zhao, qian])
    assert correct_filing(scene.begin(CLERK), scene.packs, request).version == 3
    complaint = pb.Material(checklist_item="complaint", name="起诉状")
    request = pb.CorrectFilingRequest(filing_id=case.filing_id, if_version=3, materials=[complaint])
    correct_filing(scene.begin(CLERK), scene.packs, request)
    scene.asks("docket", case)
    assert opens(scene, case, DEFENDANT)
