"""文号: no gap, no double, under many hands at once; and each kind and year for itself."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from services.documents.model.case import Body, Case
from services.documents.model.fields import (
    NUMBERS,
    Marked,
    instrument_rule,
    missing,
    numeral,
    template_name,
    written_day,
)
from services.documents.model.numbering import Series, series_of, written
from services.documents.render import marks
from services.documents.tests.packs import DECISION, NOTICE
from services.documents.tests.scene import Scene
from services.documents.tests.test_issue import NOTICE_FIELDS
from services.documents.usecases.compose import context
from services.kit.errors import InvalidInputError, RuleRefusedError
from services.kit.identity import system
from services.kit.procedure.bundle import bundle_of, domain, load_bundle
from services.kit.procedure.model import NumberRule
from services.kit.settings import procedures_dir

BODY = Body("b", "江门市市场监督管理局", "bureau", "江")
CASE = Case("c", BODY, ("p", "1"), {"case_number": "（2025）粤0703民初12号"})
PATTERN = "{机关代字}市监{文种}〔{year}〕{serial}号"


def test_sixteen_hands_at_once_leave_no_gap_and_no_double(scene: Scene) -> None:
    cases = [scene.case() for _ in range(48)]
    wanted = {"instrument": NOTICE, "fields": NOTICE_FIELDS}
    with ThreadPoolExecutor(16) as hands:
        list(hands.map(lambda case_id: scene.asks(case_id, "issue_instrument", wanted), cases))
    with scene.host.engine.connect() as connection:
        rows = connection.execute(text("select number, serial from numbers order by serial")).all()
    assert [row.serial for row in rows] == list(range(1, 49))
    assert [row.number for row in rows] == [f"江市监询通〔2025〕{n}号" for n in range(1, 49)]
    assert scene.ask("select count(distinct number) from instruments") == 48


def test_a_transaction_that_fails_gives_its_number_back(scene: Scene) -> None:
    series = Series("b", "penalty:处罚", 2025)

    def fail() -> None:
        with scene.begin(system("test")) as uow:
            assert uow.numbers.next(series) == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with scene.begin(system("test")) as uow:
        assert uow.numbers.next(series) == 1


def test_two_packs_that_write_the_same_number_are_found_out(scene: Scene) -> None:
    with scene.begin(system("test")) as uow:
        uow.numbers.book(Series("b", "one", 2025), 1, "江市监处罚〔2025〕1号", "i1")
    with pytest.raises(RuleRefusedError, match="不同的编号系列"), scene.begin(system("test")) as uow:
        uow.numbers.book(Series("b", "two", 2025), 1, "江市监处罚〔2025〕1号", "i2")


def test_each_kind_and_year_counts_for_itself() -> None:
    penalty, notice = NumberRule(PATTERN, "x", "处罚"), NumberRule(PATTERN, "x", "告知")
    assert series_of(penalty, CASE, 2025) != series_of(notice, CASE, 2025)
    assert series_of(penalty, CASE, 2025) != series_of(penalty, CASE, 2026)
    assert written(penalty, CASE, 2025, 12) == "江市监处罚〔2025〕12号"
    assert written(NumberRule("{case_number}之{serial}", "r"), CASE, 2025, 12) == "（2025）粤0703民初12号之十二"
    nameless = Case("c", Body("b", "", "bureau", ""), ("p", "1"), {})
    with pytest.raises(InvalidInputError):
        written(NumberRule("{机关代字}〔{year}〕{serial}号", "x"), nameless, 2025, 1)


def test_a_ruling_that_refuses_docketing_bears_the_case_number_of_its_refusal() -> None:
    pack = load_bundle(bundle_of(procedures_dir() / "civil-first-instance"))
    rule = instrument_rule(pack, "court-refuse-ruling")
    card = {"case_number": "", "cause": "合伙合同纠纷", "title": "邝志明诉某公司", "parties": []}
    court, number = Body("b", "江门市蓬江区人民法院", "court", "粤0703"), "（2025）粤0703民初2号"
    told: dict[str, Any] = {"refuse_docketing": {"refused_on": "2025-03-25", "case_number": number}}
    for results, lacks, says in (({}, ["案号"], marks.NUMBER), (told, [], number)):
        case = Case("c", court, ("p", "1"), card, results=results)
        house = [name for name in missing(pack, rule, case, {}, Marked()) if name in NUMBERS]
        assert (house, context(rule, case, {})["案号"]) == (lacks, says)


@pytest.mark.parametrize(("number", "text_"), [(1, "一"), (10, "十"), (11, "十一"), (20, "二十"), (99, "九十九")])
def test_numerals(number: int, text_: str) -> None:
    assert numeral(number) == text_


def test_days_as_courts_and_bureaus_write_them() -> None:
    assert written_day(date(2025, 10, 30), "court") == "二〇二五年十月三十日"
    assert written_day(date(2025, 10, 30), "bureau") == "2025年10月30日"


@pytest.mark.parametrize(("name", "short"), [
    ("当事人（自然人/单位基本情况）", "当事人"), ("序号、名称、规格、数量", "序号_名称_规格_数量"), ("事由", "事由"),
    ("期间起止（不计入期限）", "期间起止"), ("（特别）", "特别"),
])  # fmt: skip
def test_names_in_templates(name: str, short: str) -> None:
    assert template_name(name) == short
    assert short.isidentifier()


def test_every_required_field_of_the_law_has_a_name_in_templates() -> None:
    for entry in domain("documents").values():
        names = [template_name(name) for name in entry["required_fields"]]
        assert all(name.isidentifier() for name in names)
        assert len(set(names)) == len(set(entry["required_fields"])), entry["id"]
    assert DECISION in domain("documents")
