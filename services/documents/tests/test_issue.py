"""制发: from a signed text, or from the node's own data, to a numbered, sealed PDF; and every way it can fail."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import text

from services.documents.render import fonts, marks
from services.documents.render.office import OFFICE, OfficeError
from services.documents.settings import KNOBS
from services.documents.tests import papers
from services.documents.tests.packs import (
    DECISION,
    DECISION_FIELDS,
    FORM,
    JUDGMENT,
    JUDGMENT_FIELDS,
    NOTICE,
    RULING,
    SUMMONS,
    bundle,
)
from services.documents.tests.scene import CLERK, JUDGES, LEADER, OFFICER, TODAY, Scene
from services.documents.usecases import produce
from services.kit.errors import ConflictError, NotAllowedError, UnavailableError

FORM_FIELDS = {"审核意见": "同意", "批准意见": "同意结案", "执行情况": "已缴清", "结案理由": "执行完毕"}
NOTICE_FIELDS = {"法律依据": "第二十九条", "询问时间地点": "3月5日本局", "应携材料": "营业执照"}


def test_a_signed_decision_is_numbered_sealed_and_told(scene: Scene) -> None:
    drafted = scene.approve(scene.draft(scene.verified(), DECISION, DECISION_FIELDS))
    answer = scene.issued(drafted.case_id, DECISION)
    assert (answer["number"], answer["issued_on"]) == ("江市监处罚〔2025〕1号", "2025-03-03")
    issued = scene.seen(answer["instrument_id"], OFFICER)
    assert (issued.state, issued.approved_sha256, issued.pages) == ("issued", drafted.versions[0].sha256, 1)
    assert issued.pdf_sha256 == answer["sha256"]
    (event,) = scene.told("InstrumentIssued")
    told = event.data
    assert (event.case_id, event.pack_id, event.occurred_on, event.actor.name) == (
        drafted.case_id, "penalty", TODAY, "局长乙",
    )  # fmt: skip
    assert (told.number, told.volume, told.catalogue_seq, told.internal, told.node_id) == (
        answer["number"], "main", 1, False, "decide",
    )  # fmt: skip
    for word in ("江市监处罚〔2025〕1号", "2025年3月3日", "销售过期食品。"):
        assert word in told.text


def test_only_number_day_and_signers_are_added_to_what_was_approved(scene: Scene) -> None:
    drafted = scene.approve(scene.draft(scene.verified(), DECISION, DECISION_FIELDS))
    before = papers.parts(scene.content(drafted.instrument_id, number=1))
    answer = scene.issued(drafted.case_id, DECISION)
    after = papers.parts(scene.content(answer["instrument_id"]))
    assert [name for name in after if after[name] != before[name]] == ["word/document.xml"]
    expected = marks.text_of(before)
    for mark, value in ((marks.NUMBER, answer["number"]), (marks.DAY, "2025年3月3日"), (marks.SEAL, "")):
        expected = expected.replace(mark, value)
    assert marks.text_of(after) == expected


def test_an_unsigned_draft_is_not_issued(scene: Scene) -> None:
    case_id = scene.verified()
    scene.draft(case_id, DECISION, DECISION_FIELDS)
    effect_id = scene.asks(case_id, "issue_instrument", {"instrument": DECISION})
    assert "尚未签发：现应由签批人（机关负责人）" in scene.answer(effect_id)["refused"]
    assert scene.jobs() == []


def test_an_edit_after_the_approval_must_be_approved_again(scene: Scene) -> None:
    drafted = scene.approve(scene.draft(scene.verified(), DECISION, DECISION_FIELDS))
    docx = papers.edited(scene.content(drafted.instrument_id), "罚款10000元", "罚款1元")
    assert scene.upload(drafted, docx).state == "draft"
    effect_id = scene.asks(drafted.case_id, "issue_instrument", {"instrument": DECISION})
    assert "尚未签发" in scene.answer(effect_id)["refused"]


def test_without_draft_the_nodes_own_data_and_approval_do(scene: Scene) -> None:
    case_id = scene.verified()
    answer = scene.issued(case_id, FORM, fields=FORM_FIELDS)
    issued = scene.seen(answer["instrument_id"], OFFICER)
    assert (answer["number"], issued.internal, issued.state) == ("", True, "issued")
    assert [(v.origin, v.made_by_name) for v in issued.versions] == [("rendered", "局长乙")]
    assert "承办人意见：销售过期食品。" in scene.told("InstrumentIssued")[0].data.text
    assert scene.told("InstrumentIssued")[0].data.internal


def test_without_draft_at_another_node_it_is_refused(scene: Scene) -> None:
    case_id = scene.verified()
    effect_id = scene.asks(case_id, "issue_instrument", {"instrument": FORM, "fields": FORM_FIELDS}, node="verify")
    assert "应当先拟稿并签发" in scene.answer(effect_id)["refused"]


def test_missing_fields_refuse_the_effect_all_at_once(scene: Scene) -> None:
    effect_id = scene.asks(scene.case(), "issue_instrument", {"instrument": FORM, "fields": {"审核意见": "同意"}})
    refused = scene.answer(effect_id)["refused"]
    assert refused == "《结案审批表》缺少必备内容：承办人意见、批准意见、执行情况、结案理由。请补齐后再办理"
    assert scene.ask("select count(*) from instruments") == 0


def test_a_field_that_only_the_template_names_is_missed_too(scene: Scene) -> None:
    template = papers.plain("{{ 案件名称 }}{{ 别的 }}{{ 日期 }}")
    scene.publish(bundle("bureau", templates={"templates/form.docx": template}, version="2.0.0"), "penalty", "2.0.0")
    answer = scene.issued(scene.case(version="2.0.0"), FORM, fields=FORM_FIELDS | {"承办人意见": "结案"})
    assert "缺少必备内容：别的" in answer["refused"]


def test_a_text_without_a_place_for_its_number_is_refused(scene: Scene) -> None:
    template = papers.plain("{{ 机关名称 }}{{ 当事人 }}", "{{ 日期 }}")
    scene.publish(bundle("bureau", templates={"templates/notice.docx": template}, version="2.0.0"), "penalty", "2.0.0")
    answer = scene.issued(scene.case(version="2.0.0"), NOTICE, fields=NOTICE_FIELDS)
    assert "没有写文号的位置" in answer["refused"]


def test_the_panel_signs_in_order_and_stands_on_the_judgment(scene: Scene) -> None:
    case_id = scene.case("court", number="（2025）粤0703民初12号")
    drafted = scene.draft(case_id, JUDGMENT, JUDGMENT_FIELDS, JUDGES[0])
    with pytest.raises(NotAllowedError, match="现在应由审判长签署"):
        scene.approve(drafted, JUDGES[1])
    for signer in JUDGES:
        scene.approve(drafted, signer)
    with pytest.raises(ConflictError, match="您已签署过现行版本"):
        scene.approve(drafted, JUDGES[2])
    effect_id = scene.asks(case_id, "issue_instrument", {"instrument": JUDGMENT})
    assert "现应由书记员" in scene.answer(effect_id)["refused"]
    assert scene.approve(drafted, CLERK).state == "approved"
    answer = scene.issued(case_id, JUDGMENT)
    assert answer["number"] == "（2025）粤0703民初12号"
    said = scene.told("InstrumentIssued")[0].data.text
    assert "审判长王一审判员李二审判员张三书记员书记员赵" in said
    assert "二〇二五年三月三日" in said
    for word in ("原告：某某食品公司，住所地", "委托诉讼代理人：周律师，律师。", "被告：某商行。"):
        assert word in said


def test_rulings_of_one_case_count_by_themselves(scene: Scene) -> None:
    case_id = scene.case("court", number="（2025）粤0703民初12号")
    answers = [scene.issued(case_id, RULING, fields={"中止情形": "当事人死亡"}) for _ in range(3)]
    assert "refused" not in answers[0], answers[0]
    numbers = [answer["number"] for answer in answers]
    assert numbers == [f"（2025）粤0703民初12号之{n}" for n in "一二三"]
    summons = scene.issued(case_id, SUMMONS, fields={"时间地点": "三月五日第一法庭", "事由": "开庭"})
    assert summons["number"] == "（2025）粤0703民初12号"
    other = scene.issued(scene.case("court", number="（2025）粤0703民初13号"), RULING, fields={"中止情形": "等待"})
    assert other["number"] == "（2025）粤0703民初13号之一"


def test_a_court_case_without_number_cannot_issue(scene: Scene) -> None:
    case_id = scene.case("court", number="-")
    with scene.host.engine.begin() as connection:
        connection.execute(text("update case_card set case_number = ''"))
    wanted = {"instrument": SUMMONS, "fields": {"时间地点": "三月五日", "事由": "开庭"}}
    answer = scene.answer(scene.asks(case_id, "issue_instrument", wanted))
    assert answer["refused"].startswith("《传票》缺少必备内容：案号")
    docketed = {"number_it": {"case_number": "（2025）粤0703民初77号"}}
    effect_id = scene.asks(case_id, "issue_instrument", wanted, answers=docketed)
    scene.works()
    assert scene.answer(effect_id)["number"] == "（2025）粤0703民初77号"


def test_an_effect_is_performed_once_however_often_it_comes(scene: Scene) -> None:
    case_id = scene.verified()
    effect_id = scene.asks(case_id, "issue_instrument", {"instrument": FORM, "fields": FORM_FIELDS})
    payload = scene.jobs()[0]
    for _ in range(3):
        produce.produce(scene.host, payload)
    assert scene.answer(effect_id)["instrument_id"]
    assert len(scene.told("InstrumentIssued")) == 1


def test_two_of_a_kind_are_not_issued_at_once(scene: Scene) -> None:
    case_id = scene.verified()
    scene.asks(case_id, "issue_instrument", {"instrument": FORM, "fields": FORM_FIELDS})
    second = scene.asks(case_id, "issue_instrument", {"instrument": FORM, "fields": FORM_FIELDS})
    assert "正在制发" in scene.answer(second)["refused"]
    scene.works()
    assert scene.issued(case_id, FORM, fields=FORM_FIELDS)["instrument_id"]


def test_while_it_is_issued_nobody_changes_it(scene: Scene) -> None:
    drafted = scene.approve(scene.draft(scene.verified(), DECISION, DECISION_FIELDS))
    docx = scene.content(drafted.instrument_id)
    scene.asks(drafted.case_id, "issue_instrument", {"instrument": DECISION})
    issuing = scene.seen(drafted.instrument_id, OFFICER)
    assert issuing.state == "issuing"
    with pytest.raises(ConflictError, match="制发中"):
        scene.upload(issuing, docx)
    with pytest.raises(ConflictError, match="制发中"):
        scene.draft(drafted.case_id, DECISION, DECISION_FIELDS)


def fails(*_: object) -> bytes:
    """A conversion that does not work."""
    raise OfficeError("soffice ended with 134")


def test_after_the_last_attempt_it_is_refused_and_keeps_its_number(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = scene.case()
    effect_id = scene.asks(case_id, "issue_instrument", {"instrument": NOTICE, "fields": NOTICE_FIELDS})
    with monkeypatch.context() as patch:
        patch.setattr(OFFICE, "convert", fails)
        for _ in range(KNOBS.issue_attempts):
            with pytest.raises(OfficeError):
                scene.works()
            assert scene.answer(effect_id) == {}
        scene.works()
    assert "多次制发未成" in scene.answer(effect_id)["refused"]
    assert scene.issued(scene.case(), NOTICE, fields=NOTICE_FIELDS)["number"] == "江市监询通〔2025〕2号"
    assert scene.issued(case_id, NOTICE, fields=NOTICE_FIELDS)["number"] == "江市监询通〔2025〕1号"


def test_a_store_that_is_down_costs_no_attempt(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_: object) -> bytes:
        raise UnavailableError("对象存储不可用")

    effect_id = scene.asks(scene.case(), "issue_instrument", {"instrument": NOTICE, "fields": NOTICE_FIELDS})
    with monkeypatch.context() as patch:
        patch.setattr(OFFICE, "convert", down)
        for _ in range(KNOBS.issue_attempts + 2):
            with pytest.raises(UnavailableError):
                scene.works()
    scene.works()
    assert scene.answer(effect_id)["number"] == "江市监询通〔2025〕1号"


def test_a_number_that_is_kept_over_the_year_is_voided_with_a_trace(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = scene.case()
    effect_id = scene.asks(case_id, "issue_instrument", {"instrument": NOTICE, "fields": NOTICE_FIELDS})
    monkeypatch.setattr(fonts, "missing", lambda _: ["某某体"])
    scene.works()
    assert "缺少文书使用的字体且没有约定的代用字体：某某体" in scene.answer(effect_id)["refused"]
    monkeypatch.undo()
    answer = scene.issued(case_id, NOTICE, fields=NOTICE_FIELDS, on=date(2026, 1, 5))
    assert answer["number"] == "江市监询通〔2026〕1号"
    assert scene.ask("select void_reason from numbers where year = 2025") == "制发未成，跨年后改用 2026 年文号"
    assert scene.ask("select count(*) from audit where action = 'void_number'") == 1


def test_a_document_that_libreoffice_cannot_read_is_refused_at_once(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    effect_id = scene.asks(scene.case(), "issue_instrument", {"instrument": NOTICE, "fields": NOTICE_FIELDS})
    monkeypatch.setattr(produce, "_final", lambda *_: b"PK no docx at all")
    scene.works()
    assert "无法转换为 PDF" in scene.answer(effect_id)["refused"]


def test_unknown_instruments_and_packs(scene: Scene) -> None:
    effect_id = scene.asks(scene.case(), "issue_instrument", {"instrument": "no-such"})
    assert "没有文书“no-such”" in scene.answer(effect_id)["refused"]
    waiting = scene.asks(scene.case(version="9.9.9"), "issue_instrument", {"instrument": FORM})
    assert scene.answer(waiting) == {}
    assert scene.ask("select count(*) from inbox_waiting") == 1
    scene.publish(bundle("bureau", version="9.9.9"), "penalty", "9.9.9")
    with scene.host.engine.begin() as connection:
        connection.execute(text("update inbox_waiting set retry_at = now()"))
    scene.listener.sweep()
    assert "缺少必备内容" in scene.answer(waiting)["refused"]


def test_every_step_is_on_the_record(scene: Scene) -> None:
    drafted = scene.approve(scene.draft(scene.verified(), DECISION, DECISION_FIELDS))
    answer = scene.issued(drafted.case_id, DECISION)
    scene.content(answer["instrument_id"], "pdf", LEADER)
    with scene.host.engine.connect() as connection:
        rows = connection.execute(text("select action, actor->>'name' from audit where case_id = :c order by position"),
                                  {"c": drafted.case_id}).all()  # fmt: skip
    assert [tuple(row) for row in rows] == [
        ("draft_instrument", "办案员甲"), ("approve_instrument", "局长乙"), ("number_instrument", "局长乙"),
        ("issue_instrument", "局长乙"), ("read_instrument", "局长乙"),
    ]  # fmt: skip
