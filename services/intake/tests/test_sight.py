"""What of a case is not for everybody who may open it."""

from __future__ import annotations

from anjuan.intake.v1 import intake_pb2 as pb
from services.intake import views
from services.intake.tests.scene import CLERK, DEFENDANT, PLAINTIFF, Scene, civil
from services.intake.tests.test_views import link
from services.kit.effects import struct


def test_what_was_wrong_with_a_filing_is_not_read_by_the_other_side(scene: Scene) -> None:
    case = scene.submits(civil(materials=[]), PLAINTIFF)
    lacking = [{"checklist_item": item, "detail": "缺"} for item in ("complaint", "identity")]
    vague = {"detail": "诉讼请求不明确"}
    scene.asks("issue_deficiency_notice", case, defects=[*lacking, vague], due_on="2025-03-20")
    link(scene, case, DEFENDANT.account_id)
    better = pb.CorrectFilingRequest(filing_id=case.filing_id, if_version=3, content=struct({"claim": "偿还本金"}),
                                     materials=civil().materials)  # fmt: skip
    scene.corrects(better, PLAINTIFF)
    scene.asks("accept_filing", case)
    for actor, told in ((CLERK, 1), (PLAINTIFF, 1), (DEFENDANT, 0)):
        with scene.begin(actor) as uow:
            seen, filing = views.get_case(uow, case.case_id), views.get_filing(uow, scene.packs, case.filing_id)
        assert (len(seen.notices), len(filing.notices)) == (told, told), actor.name
        assert not filing.defects
