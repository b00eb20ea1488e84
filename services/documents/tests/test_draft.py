"""拟稿: drafts from the template, their next versions out of Word, and what is refused."""

from __future__ import annotations

import io

import pytest
from docx import Document
from docx.shared import Pt

from anjuan.documents.v1 import documents_pb2 as pb
from services.documents.render import marks
from services.documents.tests import papers
from services.documents.tests.packs import DECISION, DECISION_FIELDS, FORM, bundle
from services.documents.tests.scene import LEADER, OFFICER, STRANGER, Scene
from services.kit.errors import (
    CaseNotKnownError,
    ConflictError,
    InvalidInputError,
    NotAllowedError,
    PreconditionError,
    RuleRefusedError,
)


def test_a_draft_takes_what_people_the_pack_and_the_register_know(scene: Scene) -> None:
    drafted = scene.draft(scene.verified(), DECISION, DECISION_FIELDS)
    said = marks.text_of(papers.parts(scene.content(drafted.instrument_id)))
    assert (drafted.state, list(drafted.missing_fields), drafted.number) == ("draft", [], "")
    for word in (
        "江门市市场监督管理局", "销售过期食品。", "经营过期食品", "统一社会信用代码：91440703MA5EXAMP0X", "罚款10000元",
        "进货单 A&B <1>", marks.NUMBER, marks.DAY,
    ):  # fmt: skip
        assert word in said
    assert marks.read_token(papers.parts(scene.content(drafted.instrument_id)))
    assert drafted.next_signer == "签批人（机关负责人）"
    assert [(v.number, v.origin, v.made_by_name) for v in drafted.versions] == [(1, "rendered", "办案员甲")]


def test_everything_missing_is_named_at_once_and_marked_in_the_text(scene: Scene) -> None:
    drafted = scene.draft(scene.case(), DECISION, {"法律依据": " "})
    wanted = ["法律依据", "事实和证据", "陈述申辩采纳情况", "处罚内容和依据", "履行方式和期限", "复议诉讼途径和期限"]
    assert list(drafted.missing_fields) == wanted
    said = marks.text_of(papers.parts(scene.content(drafted.instrument_id)))
    assert marks.gaps(said) == ["事实和证据", "法律依据", *wanted[2:]]
    with pytest.raises(RuleRefusedError) as refused:
        scene.approve(drafted)
    assert [f["pointer"] for f in refused.value.fields] == [f"/fields/{name}" for name in wanted]


def test_a_gap_that_a_clerk_types_over_is_filled(scene: Scene) -> None:
    fields = {k: v for k, v in DECISION_FIELDS.items() if k != "处罚内容和依据"}
    drafted = scene.draft(scene.verified(), DECISION, fields)
    assert list(drafted.missing_fields) == ["处罚内容和依据"]
    docx = papers.edited(scene.content(drafted.instrument_id), "【待填：处罚内容和依据】", "罚款五千元")
    uploaded = scene.upload(drafted, docx)
    assert (list(uploaded.missing_fields), uploaded.versions[1].origin) == ([], "uploaded")
    assert scene.approve(uploaded).state == "approved"


def test_redrafting_adds_a_version_and_ends_the_approval(scene: Scene) -> None:
    case_id = scene.verified()
    approved = scene.approve(scene.draft(case_id, DECISION, DECISION_FIELDS))
    again = scene.draft(case_id, DECISION, {**DECISION_FIELDS, "处罚内容和依据": "罚款8000元"})
    assert again.instrument_id == approved.instrument_id
    assert (again.state, len(again.versions), list(again.signatures)) == ("draft", 2, [])
    assert "罚款8000元" in marks.text_of(papers.parts(scene.content(again.instrument_id)))
    assert "罚款10000元" in marks.text_of(papers.parts(scene.content(again.instrument_id, number=1)))


def test_only_who_works_the_case_may_draft(scene: Scene) -> None:
    case_id = scene.case()
    with pytest.raises(CaseNotKnownError):
        scene.draft(case_id, DECISION, DECISION_FIELDS, STRANGER)
    with pytest.raises(CaseNotKnownError):
        scene.draft("no-such-case", DECISION, DECISION_FIELDS)


@pytest.mark.parametrize("name", ["文号", "日期", "机关印章", "署名", "a\nb"])
def test_what_the_house_fills_in_is_not_the_clerks(scene: Scene, name: str) -> None:
    with pytest.raises(InvalidInputError, match="有字段不能填写"):
        scene.draft(scene.case(), DECISION, {name: "2025年1月1日"})


def test_an_instrument_that_the_procedure_does_not_have(scene: Scene) -> None:
    with pytest.raises(InvalidInputError, match=r"可制发的有：行政处罚决定书（samr-penalty-decision）"):
        scene.draft(scene.case(), "court-judgment", {})


def test_a_template_with_code_is_refused_and_nothing_stays(scene: Scene) -> None:
    bad = papers.plain("{{ 文号.__class__ }}")
    scene.publish(bundle("bureau", templates={"templates/decision.docx": bad}, version="2.0.0"), "penalty", "2.0.0")
    case_id = scene.case(version="2.0.0")
    with pytest.raises(InvalidInputError, match="含有代码"):
        scene.draft(case_id, DECISION, DECISION_FIELDS)
    assert scene.listed(OFFICER, case_id=case_id) == []


def test_an_upload_must_be_this_instruments_own_text(scene: Scene) -> None:
    drafted, other = (scene.draft(scene.verified(), DECISION, DECISION_FIELDS) for _ in range(2))
    for docx in (papers.plain("另一份"), scene.content(other.instrument_id)):
        with pytest.raises(InvalidInputError, match="案件标识"):
            scene.upload(drafted, docx)


def test_an_upload_keeps_the_marks_that_the_house_fills(scene: Scene) -> None:
    drafted = scene.draft(scene.verified(), DECISION, DECISION_FIELDS)
    docx = papers.edited(scene.content(drafted.instrument_id), marks.NUMBER, "江市监处罚〔2025〕99号")
    with pytest.raises(InvalidInputError, match="请保留【文号】"):
        scene.upload(drafted, docx)


def test_an_upload_names_the_version_it_was_made_from(scene: Scene) -> None:
    drafted = scene.draft(scene.verified(), DECISION, DECISION_FIELDS)
    docx = papers.edited(scene.content(drafted.instrument_id), "罚款10000元", "罚款9000元")
    with pytest.raises(InvalidInputError, match="If-Match"):
        scene.upload(pb.Instrument(instrument_id=drafted.instrument_id), docx)
    uploaded = scene.upload(drafted, docx)
    assert uploaded.version > drafted.version
    with pytest.raises(PreconditionError, match="已被他人更新"):
        scene.upload(drafted, docx)


def test_an_upload_with_macros_is_refused(scene: Scene) -> None:
    drafted = scene.draft(scene.verified(), DECISION, DECISION_FIELDS)
    files = papers.parts(scene.content(drafted.instrument_id)) | {"word/vbaProject.bin": b"x"}
    with pytest.raises(InvalidInputError, match="上传的文书不能使用：含有宏代码"):
        scene.upload(drafted, papers.packed(files))
    assert len(scene.seen(drafted.instrument_id, OFFICER).versions) == 1


def test_jinja_in_an_upload_is_only_text(scene: Scene) -> None:
    drafted = scene.draft(scene.verified(), DECISION, DECISION_FIELDS)
    docx = papers.edited(scene.content(drafted.instrument_id), "罚款10000元", "{{ 7*7 }}")
    uploaded = scene.upload(drafted, docx)
    scene.approve(uploaded)
    answer = scene.issued(uploaded.case_id, DECISION)
    assert "{{7*7}}" in scene.told("InstrumentIssued")[0].data.text.replace(" ", "")
    assert answer["number"]


def test_revisions_must_be_settled_before_it_is_signed(scene: Scene) -> None:
    drafted = scene.draft(scene.verified(), DECISION, DECISION_FIELDS)
    files = papers.parts(scene.content(drafted.instrument_id))
    body = files["word/document.xml"].decode().replace("</w:p>", '<w:ins w:id="9" w:author="a"/></w:p>', 1)
    uploaded = scene.upload(drafted, papers.packed(files | {"word/document.xml": body.encode()}))
    assert list(uploaded.missing_fields) == ["未接受的修订"]
    with pytest.raises(RuleRefusedError, match="未接受的修订"):
        scene.approve(uploaded)


def test_only_the_approver_approves_and_only_what_was_read(scene: Scene) -> None:
    drafted = scene.draft(scene.verified(), DECISION, DECISION_FIELDS)
    with pytest.raises(NotAllowedError, match=r"现在应由签批人（机关负责人）签署"):
        scene.approve(drafted, OFFICER)
    with pytest.raises(ConflictError, match="不是现行版本"):
        scene.approve(drafted, LEADER, "0" * 64)
    approved = scene.approve(drafted)
    assert (approved.state, approved.approved_sha256) == ("approved", drafted.versions[0].sha256)
    assert [(s.person_name, s.sha256) for s in approved.signatures] == [("局长乙", drafted.versions[0].sha256)]
    with pytest.raises(ConflictError, match="已全部签署"):
        scene.approve(approved)


def test_a_form_of_the_internal_volume_is_internal(scene: Scene) -> None:
    drafted = scene.draft(scene.verified(), FORM, {})
    assert drafted.internal
    assert "机关印章" not in drafted.missing_fields


def test_lines_become_paragraphs_of_the_same_form(scene: Scene) -> None:
    fields = {**DECISION_FIELDS, "处罚内容和依据": "第一，罚款；\n第二，没收。\x07\x00"}
    drafted = scene.draft(scene.verified(), DECISION, fields)
    lines = Document(io.BytesIO(scene.content(drafted.instrument_id))).paragraphs
    found = [p for p in lines if "第一，" in p.text or "第二，" in p.text]
    assert [p.text for p in found] == ["决定处罚如下：第一，罚款；", "第二，没收。"]
    assert found[0].paragraph_format.first_line_indent == found[1].paragraph_format.first_line_indent == Pt(32)
