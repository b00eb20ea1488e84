"""The legal rules by themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from services.intake.model.case import ACTS, PARTY_ID, STATES, Case, differences, put_in, unknown_ids
from services.intake.model.checklist import open_items
from services.intake.model.fault import Fault, pointer, refuse
from services.intake.model.filing import Defect, Filing, Material
from services.intake.model.notice import Notice, check, outstanding, prints
from services.intake.model.numbering import Body, is_drawn, official_number, series_of
from services.intake.model.officers import officers_of
from services.intake.model.people import Party, Reporter, Representative, reveals
from services.intake.tests.scene import BUREAU_PACK, COURT_PACK, bundle
from services.kit.errors import InvalidInputError, PreconditionError, RuleRefusedError
from services.kit.procedure.bundle import load_bundle

COURT, BUREAU = load_bundle(bundle(COURT_PACK)), load_bundle(bundle(BUREAU_PACK))
DAY = date(2025, 3, 3)
ZHAO = Party("p1", "plaintiff", "natural_person", "赵一", "resident_id", "440703199001011239")
QIAN = Party("p2", "defendant", "natural_person", "钱二")


def case(state: str = "received", filing: str = "submitted", **values: Any) -> Case:
    known: dict[str, Any] = {
        "case_id": "c", "body_id": "b", "procedure_id": "civil", "pack_version": "1.0.0", "case_type_code": "民初",
        "channel": "party", "title": "甲", "cause": "", "amount_in_dispute_fen": 0, "received_on": DAY,
        "parties": (ZHAO, QIAN), "filing": Filing("f", state=filing),
    }  # fmt: skip
    return Case(state=state, **known | values)


DEEDS: dict[str, Callable[[Case], Case]] = {
    "accept": Case.accepted,
    "decline": Case.declined,
    "notify": lambda c: c.notified([Defect("x", "y")]),
    "correct": lambda c: c.corrected((), (), None),
    "docket": lambda c: c.docketed("（2025）粤0703民初1号", DAY),
    "refuse": Case.refused,
    "close": lambda c: c.closed(DAY, "judgment"),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("act", DEEDS)
def test_every_act_in_every_state(act: str, state: str) -> None:
    before = case(state)
    if state in ACTS[act][0]:
        assert DEEDS[act](before).version == before.version + 1
    else:
        with pytest.raises(RuleRefusedError) as refused:
            DEEDS[act](before)
        assert refused.value.detail == f"案件{STATES[state]}，不能{ACTS[act][1]}"


def test_where_the_acts_lead() -> None:
    after = {act: (deed(case("docketed" if act == "close" else "received"))) for act, deed in DEEDS.items()}
    assert {act: (c.state, c.filing.state) for act, c in after.items()} == {
        "accept": ("accepted", "accepted"), "decline": ("declined", "declined"), "notify": ("received", "deficient"),
        "correct": ("received", "submitted"), "docket": ("docketed", "accepted"),
        "refuse": ("not_docketed", "declined"), "close": ("closed", "submitted"),
    }  # fmt: skip


def test_a_deficient_filing_may_be_declined_but_not_accepted() -> None:
    waiting = case(filing="deficient")
    for act in ("accept", "docket", "notify"):
        with pytest.raises(RuleRefusedError, match="尚未补正"):
            DEEDS[act](waiting)
    assert DEEDS["decline"](waiting).state == "declined"
    assert DEEDS["refuse"](waiting).state == "not_docketed"


def test_days_stay_in_order() -> None:
    with pytest.raises(RuleRefusedError, match="不能早于收案日期"):
        case().docketed("x", date(2025, 3, 2))
    with pytest.raises(RuleRefusedError, match="不能早于立案日期"):
        case("docketed", docketed_on=DAY).closed(date(2025, 3, 2), "judgment")
    with pytest.raises(PreconditionError):
        case().at(2)
    assert case().at(1) == case()


def test_rows_put_in() -> None:
    after = put_in((ZHAO, QIAN), (replace(QIAN, name="钱三"), replace(QIAN, party_id="p3")), PARTY_ID)
    assert [(p.party_id, p.name) for p in after] == [("p1", "赵一"), ("p2", "钱三"), ("p3", "钱二")]
    changed = (replace(ZHAO, party_id="p9"), replace(ZHAO, party_id=""))
    assert [f.pointer for f in unknown_ids((ZHAO,), changed, PARTY_ID, "parties")] == ["/parties/0"]


def test_what_an_amendment_changed() -> None:
    before = case()
    after = before.amended(" ", "借款", (replace(QIAN, name="钱三"),))
    assert (after.title, after.version) == ("甲", 2)
    assert differences(before, after) == {
        "/cause": {"old": "", "new": "借款"}, "/parties/p2/name": {"old": "钱二", "new": "钱三"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("on", "minor"), [(date(2007, 12, 31), True), (date(2008, 1, 1), True), (date(2008, 1, 2), False)]
)
def test_minors(on: date, minor: bool) -> None:
    assert ZHAO.is_minor(on) is minor
    assert not replace(ZHAO, id_number="440703199001011230").is_minor(on)
    assert not replace(ZHAO, kind="organisation").is_minor(on)


def test_masks() -> None:
    seen = replace(ZHAO, phone="13800000001", address="某路", representatives=(Representative("李", "lawyer", "123"),))
    masked = seen.masked()
    assert (masked.id_number, masked.phone, masked.address) == ("440***********1239", "138****0001", "")
    assert (masked.name, masked.representatives[0].id_number) == ("赵一", "***")


def test_what_reveals_a_reporter() -> None:
    reporter, shop = Reporter("张三", "13912345678"), replace(QIAN, name="张三丰超市")
    assert reveals(reporter, "据张三反映", [shop])
    assert reveals(reporter, "电话13912345678", [])
    assert not reveals(reporter, "张三丰超市售假", [shop])
    assert not reveals(Reporter("", ""), "任何内容", [])
    assert not reveals(Reporter("李", "110"), "李家村110号", [])


def test_the_checklist_counts_copies_and_conditions() -> None:
    facts = case(filing="submitted").facts
    two = (ZHAO, QIAN, replace(QIAN, party_id="p3"))
    brought = (Material("m1", "起诉状", "complaint"), Material("m2", "起诉状", "complaint", copies=1))
    assert [d.checklist_item for d in open_items(COURT, facts, two, brought)] == ["identity"]
    assert next(d.detail for d in open_items(COURT, facts, two, brought[:1])) == "起诉状应有2份，现有1份"
    urgent = facts | {"content": {"urgent": True}}
    assert [d.checklist_item for d in open_items(COURT, urgent, (), ())] == ["identity", "urgency"]


def seen(materials: tuple[Material, ...] = (), content: dict[str, object] | None = None) -> dict[str, str]:
    return prints(("complaint", "identity"), (ZHAO,), materials, content or {})


def test_a_defect_is_new_only_where_something_changed() -> None:
    missing = (Defect("complaint", "缺起诉状"), Defect("identity", "缺证明"))
    check(missing, missing, seen(), None)
    with pytest.raises(RuleRefusedError, match="还有未列入的：缺证明"):
        check(missing[:1], missing, seen(), None)
    last = Notice("n", DAY, None, missing, seen())
    brought = seen((Material("m", "起诉状", "complaint"),))
    assert outstanding(missing, brought, last) == missing[1:]
    check([Defect("complaint", "没有签名")], (), brought, last)
    check([Defect("", "请求不明确")], (), seen(content={"claim": "改过"}), last)
    for old in (missing[1], Defect("", "请求不明确")):
        with pytest.raises(RuleRefusedError, match="不得再次要求补正"):
            check([old], (), brought, last)


def test_numbers_and_their_series() -> None:
    court, bureau = Body("b", "court", "粤0703"), Body("b", "bureau", "江")
    assert (series_of(COURT), official_number(COURT, court, 2025, 7)) == ("民初", "（2025）粤0703民初7号")
    assert (series_of(BUREAU), official_number(BUREAU, bureau, 2025, 7)) == ("docket", "江市监立案〔2025〕7号")
    with pytest.raises(RuleRefusedError, match="不适用"):
        official_number(COURT, bureau, 2025, 1)
    with pytest.raises(InvalidInputError, match="没有代字为"):
        official_number(COURT, replace(court, code="火0001"), 2025, 1)
    small = replace(COURT, kind="any", case_type_code="")
    with pytest.raises(RuleRefusedError, match="不立案"):
        series_of(small)
    assert [is_drawn(replace(COURT, case_type_code=code)) for code in ("刑核", "民初")] == [True, False]


def test_faults_are_told_together() -> None:
    refuse([])
    with pytest.raises(InvalidInputError) as refused:
        refuse([Fault(pointer("content", "a/b~c", 0), "错"), Fault("", "也错")])
    assert refused.value.fields == [
        {"pointer": "/content/a~1b~0c/0", "detail": "错"},
        {"pointer": "", "detail": "也错"},
    ]
    assert "2处" in refused.value.detail


@pytest.mark.parametrize(("officers", "panel", "court", "found"), [
    (["o1", "o2"], ["host"], False, {"o1": "case_officer", "o2": "case_officer"}), ([], [], True, {}),
    (["j1"], ["j1"], True, {"j1": "responsible_judge"}), ([], ["j1"], True, {"j1": "responsible_judge"}),
    (["j1", "j2", "j3"], [], True, {"j1": "responsible_judge", "j2": "panel_member", "j3": "panel_member"}),
    (["j1", "j2", "j3"], ["j2", "j1", "j3"], True,
     {"j1": "responsible_judge", "j2": "presiding_judge", "j3": "panel_member"}),
    (["j1", "j2", "j3"], ["j1", "j2", "j3"], True,
     {"j1": "responsible_judge presiding_judge", "j2": "panel_member", "j3": "panel_member"}),
])  # fmt: skip
def test_who_carries_a_case(officers: list[str], panel: list[str], court: bool, found: dict[str, str]) -> None:
    assert {o.person_id: " ".join(o.roles) for o in officers_of(officers, panel, court)} == found
