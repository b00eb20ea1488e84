"""送达: one serving for each addressee and method; the law fixes the day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from anjuan.documents.v1 import documents_pb2 as pb
from services.documents.tests.packs import JUDGMENT, JUDGMENT_FIELDS, NOTICE, SUMMONS
from services.documents.tests.scene import BUREAU, CLERK, COURT, JUDGES, OFFICER, PROVINCE, Scene
from services.documents.tests.test_issue import NOTICE_FIELDS
from services.documents.usecases import serve
from services.kit.errors import CaseNotKnownError, ConflictError, InvalidInputError, RuleRefusedError
from services.kit.identity import system
from services.kit.legal_calendar import time_limit

LATER = date(2025, 3, 10)


def begun(scene: Scene, kind: str = "bureau", **params: Any) -> list[pb.Serving]:
    """Servings of an issued instrument, on a day of which a week has gone by."""
    case_id = scene.case(kind)
    summons = {"时间地点": "三月二十日", "事由": "开庭"}
    instrument, fields = (SUMMONS, summons) if kind == "court" else (NOTICE, NOTICE_FIELDS)
    answer = scene.issued(case_id, instrument, fields=fields)
    asked = {"instrument_id": answer["instrument_id"], "addressees": [f"{case_id}-1", f"{case_id}-2"], **params}
    effect_id = scene.asks(case_id, "serve_instrument", asked)
    result = scene.answer(effect_id)
    assert "refused" not in result, result
    for root in (PROVINCE, COURT):
        scene.moves(root, LATER)
    seen = scene.seen(answer["instrument_id"], OFFICER if kind == "bureau" else JUDGES[0])
    assert [s.serving_id for s in seen.servings] == result["serving_ids"]
    assert [b["party_id"] for b in result["begun"]] == [s.addressee_id for s in seen.servings]
    return list(seen.servings)


def test_each_addressee_is_served_and_the_last_one_completes(scene: Scene) -> None:
    first, second = begun(scene)
    assert (first.addressee_name, first.method, first.state, first.started_on) == (
        "某某食品公司", "personal", "started", "2025-03-03",
    )  # fmt: skip
    assert scene.prove(first.serving_id, served_on="2025-03-05").served_on == "2025-03-05"
    scene.prove(second.serving_id, served_on="2025-03-06")
    told = scene.told("InstrumentServed")
    assert [(e.data.party_id, e.data.served_on, e.data.all_served, e.occurred_on) for e in told] == [
        (first.addressee_id, "2025-03-05", False, date(2025, 3, 5)),
        (second.addressee_id, "2025-03-06", True, date(2025, 3, 6)),
    ]  # fmt: skip
    assert (told[0].data.role, told[0].data.instrument, told[0].data.number) == (
        "respondent", NOTICE, "江市监询通〔2025〕1号",
    )  # fmt: skip
    with pytest.raises(ConflictError, match="已有证明"):
        scene.prove(first.serving_id, served_on="2025-03-07")


def test_addressees_named_at_issuing_must_all_have_it(scene: Scene) -> None:
    case_id = scene.case()
    answer = scene.issued(case_id, NOTICE, fields=NOTICE_FIELDS, addressees=["respondent"])
    asked = {"instrument_id": answer["instrument_id"], "addressees": [f"{case_id}-1"]}
    (serving_id,) = scene.answer(scene.asks(case_id, "serve_instrument", asked))["serving_ids"]
    scene.prove(serving_id, served_on="2025-03-03")
    assert not scene.told("InstrumentServed")[0].data.all_served
    rest = scene.answer(scene.asks(case_id, "serve_instrument", {"instrument_id": answer["instrument_id"]}))
    assert rest["serving_ids"][0] == serving_id
    scene.prove(rest["serving_ids"][1], served_on="2025-03-03")
    assert scene.told("InstrumentServed")[1].data.all_served


def test_before_it_is_issued_nothing_is_served(scene: Scene) -> None:
    case_id = scene.case()
    drafted = scene.draft(case_id, NOTICE, NOTICE_FIELDS)
    for instrument_id, word in ((drafted.instrument_id, "尚未制发"), ("", "没有写明"), ("no-such", "没有写明")):
        effect_id = scene.asks(case_id, "serve_instrument", {"instrument_id": instrument_id, "addressees": []})
        assert word in scene.answer(effect_id)["refused"]
    other = scene.issued(scene.case(), NOTICE, fields=NOTICE_FIELDS)["instrument_id"]
    effect_id = scene.asks(case_id, "serve_instrument", {"instrument_id": other, "addressees": []})
    assert "不属于本案" in scene.answer(effect_id)["refused"]


def test_the_instrument_may_come_from_the_effect_before(scene: Scene) -> None:
    case_id = scene.case()
    answer = scene.issued(case_id, NOTICE, fields=NOTICE_FIELDS)
    asked = {"instrument_id": "", "addressees": ["respondent"]}
    effect_id = scene.asks(case_id, "serve_instrument", asked, answers={"issue_it": answer})
    assert len(scene.answer(effect_id)["serving_ids"]) == 2


@pytest.mark.parametrize(("params", "word"), [
    ({"addressees": []}, "没有写明《询问通知书》送达给谁"), ({"addressees": ["plaintiff"]}, "没有当事人“plaintiff”"),
    ({"addressees": ["respondent"], "method": "pigeon"}, "没有送达方式“pigeon”"),
])  # fmt: skip
def test_whom_and_how_must_be_said(scene: Scene, params: dict[str, Any], word: str) -> None:
    case_id = scene.case()
    answer = scene.issued(case_id, NOTICE, fields=NOTICE_FIELDS)
    effect_id = scene.asks(case_id, "serve_instrument", {"instrument_id": answer["instrument_id"], **params})
    assert word in scene.answer(effect_id)["refused"]


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({}, "签收日期"), ({"served_on": "2025-03-02"}, "早于文书制发的日期"), ({"served_on": "2025-03-11"}, "晚于今天"),
    ({"served_on": "2025-03-05", "proof_sha256": ""}, "请先上传送达回证"),
    ({"served_on": "2025-03-05", "method": "electronic"}, "经受送达人同意"),
    ({"method": "leaving"}, "留置送达须记明"), ({"method": "leaving", "note": "拒收"}, "请填写文书留置的日期"),
    ({"method": "leaving", "note": "拒收", "left_on": "2025-03-05", "served_on": "2025-03-06"}, "不能另填"),
    ({"method": "publication", "note": "下落不明"}, "请填写公告发布的日期"),
    ({"method": "publication", "left_on": "2025-03-05"}, "公告的原因和经过"),
    ({"method": "publication", "note": "下落不明", "left_on": "2025-03-05", "served_on": "2025-03-10"}, "由系统计算"),
    ({"method": "postal", "left_on": "2025-03-06", "served_on": "2025-03-05"}, "不能早于交寄日期"),
    ({"failed": True}, "未能送达的原因"),
]  # fmt: skip


def test_what_the_law_does_not_let_pass(scene: Scene) -> None:
    serving = begun(scene)[0]
    for proof, word in REFUSED:
        with pytest.raises(RuleRefusedError, match=word):
            scene.prove(serving.serving_id, **proof)
    assert scene.told("InstrumentServed") == []
    assert scene.seen(serving.instrument_id, OFFICER).servings[0] == serving


def test_a_day_that_is_none(scene: Scene) -> None:
    with pytest.raises(InvalidInputError, match="不是日期"):
        scene.prove(begun(scene)[0].serving_id, served_on="2025-02-30")


def test_the_day_of_each_method(scene: Scene) -> None:
    ways: list[tuple[dict[str, Any], str]] = [
        ({"method": "postal", "left_on": "2025-03-04", "served_on": "2025-03-07"}, "2025-03-07"),
        ({"method": "leaving", "left_on": "2025-03-06", "note": "拒收，居委会见证"}, "2025-03-06"),
        ({"method": "entrusted", "served_on": "2025-03-08"}, "2025-03-08"),
    ]
    for place, (proof, served_on) in enumerate(ways):
        proven = scene.prove(begun(scene)[0].serving_id, **proof)
        assert (proven.state, proven.served_on, proven.method) == ("served", served_on, proof["method"])
        assert scene.told("InstrumentServed")[place].data.left_on == proof.get("left_on", "")


def test_electronic_serving_needs_consent_and_counts_on_arrival(scene: Scene) -> None:
    consent = scene.archive.bring(OFFICER, b"signed consent")
    case_id = scene.case()
    answer = scene.issued(case_id, NOTICE, fields=NOTICE_FIELDS)
    asked = {"instrument_id": answer["instrument_id"], "addressees": [
        {"party_id": f"{case_id}-1", "method": "electronic", "consent_sha256": consent}]}  # fmt: skip
    (serving_id,) = scene.answer(scene.asks(case_id, "serve_instrument", asked))["serving_ids"]
    assert scene.prove(serving_id, served_on="2025-03-03").consent_sha256 == consent


def test_a_method_that_the_pack_does_not_allow(scene: Scene) -> None:
    """The judgment's rule leaves entrusted serving out."""
    case_id = scene.case("court")
    drafted = scene.draft(case_id, JUDGMENT, JUDGMENT_FIELDS, JUDGES[0])
    for signer in (*JUDGES, CLERK):
        scene.approve(drafted, signer)
    answer = scene.issued(case_id, JUDGMENT)
    serve_it = {"instrument_id": answer["instrument_id"], "addressees": []}
    refused = scene.answer(scene.asks(case_id, "serve_instrument", {**serve_it, "method": "entrusted"}))
    assert "《民事判决书》不适用委托送达" in refused["refused"]
    ids = scene.answer(scene.asks(case_id, "serve_instrument", serve_it))["serving_ids"]
    assert len(ids) == 2
    with pytest.raises(RuleRefusedError, match="不适用委托送达"):
        scene.prove(ids[0], JUDGES[0], served_on="2025-03-03", method="entrusted")


@pytest.mark.parametrize(("kind", "left_on", "deemed", "limit"), [
    ("bureau", "2025-03-05", date(2025, 4, 7), "samr-service-announcement"),  # 4 April to 6 April are holidays
    ("court", "2025-03-10", date(2025, 4, 9), "civil-service-announcement"),
])  # fmt: skip
def test_publication_counts_when_its_period_has_run_out(
    scene: Scene, kind: str, left_on: str, deemed: date, limit: str
) -> None:
    body, root, actor = (BUREAU, PROVINCE, OFFICER) if kind == "bureau" else (COURT, COURT, JUDGES[0])
    serving = begun(scene, kind)[0]
    proven = scene.prove(serving.serving_id, actor, method="publication", left_on=left_on, note="下落不明")
    assert (proven.state, proven.served_on, proven.limit_id, proven.provisional) == (
        "published", deemed.isoformat(), limit, False,
    )  # fmt: skip
    (published,) = scene.told("InstrumentPublished")
    assert (published.data.published_on, published.data.deemed_on) == (left_on, deemed.isoformat())
    assert published.occurred_on == date.fromisoformat(left_on)
    with scene.begin(system("test")) as uow:
        assert serve.next_deemed(uow, root, LATER) == deemed
        assert serve.next_deemed(uow, root, deemed) is None
    scene.moves(root, deemed.replace(day=deemed.day - 1))
    assert scene.told("InstrumentServed") == []
    scene.moves(root, deemed)
    (told,) = scene.told("InstrumentServed")
    assert (told.data.served_on, told.occurred_on, told.body_id) == (deemed.isoformat(), deemed, body)
    assert told.actor.rule == "tick"
    scene.moves(root, deemed.replace(month=5))
    assert len(scene.told("InstrumentServed")) == 1


def test_publication_abroad_takes_longer(scene: Scene) -> None:
    case_id = scene.case("court")
    answer = scene.issued(case_id, SUMMONS, fields={"时间地点": "六月", "事由": "开庭"})
    asked = {"instrument_id": answer["instrument_id"], "addressees": [
        {"role": "defendant", "method": "publication", "abroad": True}]}  # fmt: skip
    (serving_id,) = scene.answer(scene.asks(case_id, "serve_instrument", asked))["serving_ids"]
    proven = scene.prove(serving_id, JUDGES[0], left_on="2025-03-03", note="境外下落不明")
    assert (proven.limit_id, proven.served_on) == ("civil-service-announcement-foreign", "2025-05-06")  # 2 May is free


def test_a_publication_proven_late_counts_at_once(scene: Scene) -> None:
    serving = begun(scene)[0]
    scene.moves(PROVINCE, date(2025, 6, 2))
    proven = scene.prove(serving.serving_id, method="publication", left_on="2025-03-05", note="下落不明")
    assert (proven.state, proven.served_on) == ("served", "2025-04-07")
    assert scene.told("InstrumentServed")[0].occurred_on == date(2025, 4, 7)


def test_a_day_beyond_the_published_calendar_is_provisional(scene: Scene) -> None:
    serving = begun(scene)[0]
    scene.moves(PROVINCE, date(2026, 12, 20))
    proven = scene.prove(serving.serving_id, method="publication", left_on="2026-12-15", note="下落不明")
    assert (proven.state, proven.provisional) == ("published", True)


def test_a_provisional_day_is_reckoned_by_the_rule_of_its_time(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    serving = begun(scene)[0]
    scene.moves(PROVINCE, date(2026, 12, 20))
    proven = scene.prove(serving.serving_id, method="publication", left_on="2026-12-15", note="下落不明")
    longer = replace(time_limit(proven.limit_id), amount=90)
    monkeypatch.setattr(serve, "time_limit", lambda _: longer)
    scene.moves(PROVINCE, date.fromisoformat(proven.served_on))
    assert [told.data.served_on for told in scene.told("InstrumentServed")] == [proven.served_on]


def test_one_that_cannot_be_reckoned_is_named_and_holds_up_no_other(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = begun(scene)
    scene.moves(PROVINCE, date(2026, 12, 20))
    for serving in (first, second):
        proven = scene.prove(serving.serving_id, method="publication", left_on="2026-12-15", note="下落不明")
    with scene.host.engine.begin() as connection:
        broken = text("update servings set limit_rule = '{\"id\": \"no-such\"}' where serving_id = :s")
        connection.execute(broken, {"s": first.serving_id})
    before = serve.UNRECKONED._value.get()
    scene.moves(PROVINCE, date.fromisoformat(proven.served_on))
    assert [told.data.serving_id for told in scene.told("InstrumentServed")] == [second.serving_id]
    (said,) = [record for record in caplog.records if record.message == "serving_not_reckoned"]
    assert (vars(said)["serving_id"], serve.UNRECKONED._value.get() - before) == (first.serving_id, 1)


def test_what_failed_is_begun_again_and_another_method_may_follow(scene: Scene) -> None:
    first, second = begun(scene)
    assert scene.prove(first.serving_id, failed=True, note="地址不明").state == "failed"
    asked = {"instrument_id": first.instrument_id, "addressees": [first.addressee_id]}
    again = scene.answer(scene.asks(_case(scene, first), "serve_instrument", asked, on=LATER))
    assert again["serving_ids"] == [first.serving_id]
    post = scene.answer(scene.asks(_case(scene, first), "serve_instrument", {**asked, "method": "postal"}, on=LATER))
    assert post["serving_ids"] != [first.serving_id]
    with pytest.raises(RuleRefusedError, match="另有一次这种方式的送达"):
        scene.prove(first.serving_id, method="postal", served_on="2025-03-10")
    scene.prove(post["serving_ids"][0], served_on="2025-03-10")
    scene.prove(second.serving_id, served_on="2025-03-10")
    assert scene.told("InstrumentServed")[-1].data.all_served


def _case(scene: Scene, serving: pb.Serving) -> str:
    return scene.seen(serving.instrument_id, OFFICER).case_id


def test_only_who_works_the_case_proves(scene: Scene) -> None:
    serving = begun(scene)[0]
    with pytest.raises(CaseNotKnownError):
        scene.prove(serving.serving_id, JUDGES[0], served_on="2025-03-05")
    with pytest.raises(CaseNotKnownError):
        scene.prove("no-such-serving", served_on="2025-03-05")


def test_the_day_does_not_move_without_a_legal_date(scene: Scene) -> None:
    """An ordinary tick, of bodies in no scripted tree, leaves scripted ones alone."""
    serving = begun(scene)[0]
    scene.prove(serving.serving_id, method="publication", left_on="2025-03-05", note="下落不明")
    with scene.begin(system("tick")) as uow:
        serve.deem_published(uow, None)
    assert scene.told("InstrumentServed") == []
