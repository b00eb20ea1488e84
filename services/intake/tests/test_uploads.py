"""材料: a named file counts when its bytes have come, from whom archive will open it for; paper has no hash."""

from __future__ import annotations

from dataclasses import replace

import pytest

from anjuan.intake.v1 import intake_pb2 as pb
from services.intake.tests.scene import (
    BUREAU,
    CLERK,
    COURT,
    DEFENDANT,
    JUDGE,
    PLAINTIFF,
    REGISTRAR,
    WHISTLE,
    Scene,
    civil,
    paper,
    report,
)
from services.intake.tests.test_submit_filing import faults
from services.kit.errors import InvalidInputError
from services.kit.identity import Actor

ABSENT = {"/materials/0/sha256": "该文件尚未上传完成，请先上传（可断点续传），上传完成后再提交"}


def naming(data: bytes, sha256: str, size: int = 0) -> pb.Filing:
    """A filing whose only material is that file."""
    named = pb.Material(checklist_item="evidence", name="证据", sha256=sha256, size=size or len(data))
    return civil(materials=[named])


def test_a_hash_without_its_bytes_is_a_fault_until_they_have_come(scene: Scene) -> None:
    data = b"first half, second half"
    upload_id = scene.archive.open(PLAINTIFF, data, COURT)
    sha256 = scene.archive.bring(DEFENDANT, data, COURT)  # another party has sent the same: nothing of it is said
    filing = naming(data, sha256)
    assert faults(scene, filing, PLAINTIFF) == ABSENT
    assert scene.archive.send(PLAINTIFF, upload_id, data[:10]).state == "open"
    assert faults(scene, filing, PLAINTIFF) == ABSENT
    assert scene.archive.send(PLAINTIFF, upload_id, data[10:], 10).state == "assembling"
    assert faults(scene, filing, PLAINTIFF) == {"/materials/0/sha256": "该文件已收齐，正在核对内容，请稍候再提交"}
    scene.archive.bring(PLAINTIFF, data, COURT)
    assert scene.submits(filing, PLAINTIFF).case_id
    assert faults(scene, naming(data, sha256, size=5), PLAINTIFF) == {
        "/materials/0/size": "与已上传文件的大小（23字节）不符"
    }


@pytest.mark.parametrize(("by", "to", "who", "counts"), [
    (JUDGE, COURT, CLERK, True),  # a colleague of the receiving body
    (PLAINTIFF, COURT, CLERK, True),  # a party, to that body; the counter names it
    (REGISTRAR, BUREAU, CLERK, False),  # to another body
    (REGISTRAR, BUREAU, REGISTRAR, True),  # 移送: one's own, sent to one's own body
    (CLERK, COURT, REGISTRAR, False),  # of people of the receiving body, asked about from outside
    (CLERK, COURT, PLAINTIFF, False),  # a party names what it has sent itself
    (PLAINTIFF, BUREAU, PLAINTIFF, True),  # wherever it has sent it
])  # fmt: skip
def test_whose_upload_counts(scene: Scene, by: Actor, to: str, who: Actor, counts: bool) -> None:
    data = f"{by.person_id} to {to} for {who.person_id}".encode()
    filing = naming(data, scene.archive.bring(by, data, to))
    actor = replace(who, roles=who.roles | {"docketing_clerk"}) if who is REGISTRAR else who
    filing.channel = "transfer" if who is REGISTRAR else "party"
    if counts:
        assert scene.submits(filing, actor).case_id
    else:
        assert faults(scene, filing, actor) == ABSENT


def test_a_reporter_sends_to_the_body_that_receives(scene: Scene) -> None:
    letter = "另一封举报信".encode()
    sha256 = scene.archive.bring(WHISTLE, letter, COURT)
    filing = report(materials=[pb.Material(checklist_item="report_record", name="举报信", sha256=sha256)])
    with pytest.raises(InvalidInputError):  # its sender is named nowhere, so only as the body's can it be opened
        scene.submits(filing, WHISTLE)
    scene.archive.bring(WHISTLE, letter, BUREAU)
    assert scene.submits(filing, WHISTLE).case_id


def test_paper_at_the_counter_has_no_hash(scene: Scene) -> None:
    on_paper = [pb.Material(checklist_item=item, name=item) for item in ("complaint", "identity")]
    assert not scene.submits(civil(materials=on_paper)).open_items
    online = "网上提交的材料须先上传文件；纸质材料请到立案窗口提交"
    assert faults(scene, civil(materials=on_paper), PLAINTIFF) == dict.fromkeys(
        ("/materials/0/sha256", "/materials/1/sha256"), online
    )


def test_one_paper_row_opens_no_door_for_others(scene: Scene) -> None:
    case = scene.submits(civil(materials=civil().materials[1:]), PLAINTIFF)
    defects = [{"checklist_item": "complaint", "detail": "缺起诉状"}]
    scene.asks("issue_deficiency_notice", case, defects=defects, due_on="2025-03-20")
    change = pb.CorrectFilingRequest(filing_id=case.filing_id, if_version=2)
    change.materials.add(checklist_item="complaint", name="起诉状")
    assert scene.corrects(change, CLERK).version == 3
    stands = scene.told(case.case_id)[-1].data.filing.materials[1]
    again = pb.CorrectFilingRequest(filing_id=case.filing_id, if_version=3, materials=[stands])
    again.materials.add(checklist_item="evidence", name="没有文件的证据")
    with pytest.raises(InvalidInputError) as refused:
        scene.corrects(again, PLAINTIFF)
    assert [f["pointer"] for f in refused.value.fields] == ["/materials/1/sha256"]
    del again.materials[1]
    assert scene.corrects(again, PLAINTIFF).version == 4, "what is paper stays so"


def test_the_register_s_sizes_are_those_of_the_files(scene: Scene) -> None:
    filing = civil()
    for material in filing.materials:
        material.size = 0
    case = scene.submits(filing, PLAINTIFF)
    told = scene.told(case.case_id)[-1].data.filing.materials
    assert [m.size for m in told] == [m.size for m in civil().materials], "filled in from the upload"
    change = pb.CorrectFilingRequest(filing_id=case.filing_id, if_version=1, materials=told)
    change.materials[1].size = 7
    with pytest.raises(InvalidInputError, match="1处"):
        scene.corrects(change, PLAINTIFF)
    change.materials[1].size = 0
    assert scene.corrects(change, PLAINTIFF).version == 2
    assert [m.size for m in scene.told(case.case_id)[-1].data.filing.materials] == [m.size for m in told]
    on_paper = [pb.Material(checklist_item="complaint", name="起诉状", size=9)]
    assert faults(scene, civil(materials=on_paper)) == {"/materials/0/size": "纸质材料没有文件，不填写文件大小"}


def test_what_stands_in_the_filing_is_not_asked_about_again(scene: Scene) -> None:
    case = scene.submits(civil(), PLAINTIFF)
    again = pb.CorrectFilingRequest(filing_id=case.filing_id, if_version=1, materials=civil().materials)
    again.materials.add(name="补充证据", sha256="f" * 64, size=1)
    with pytest.raises(InvalidInputError) as refused:
        scene.corrects(again, PLAINTIFF)
    assert [f["pointer"] for f in refused.value.fields] == ["/materials/2/sha256"]
    again.materials[2].CopyFrom(paper("evidence", "补充证据"))
    assert scene.corrects(again, PLAINTIFF).version == 2
