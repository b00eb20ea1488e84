"""Numbers: the official examples, one broken in every place, and check digits."""

from __future__ import annotations

from datetime import date

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from services.kit.errors import InvalidInputError
from services.kit.numbers import (
    check_case_number,
    court_numbers,
    credit_code_fault,
    document_patterns,
    format_case_number,
    format_document_number,
    parse_document_number,
    resident_id_fault,
)
from services.kit.settings import domain_dir

DATA = yaml.safe_load((domain_dir() / "case-number.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("example", DATA["examples"], ids=lambda e: e["no"])
def test_official_examples(example: dict[str, str]) -> None:
    found = check_case_number(example["no"])
    assert (found.court_code, found.type_code, found.special) == (
        example["court"], example["type"], example.get("special"),
    )  # fmt: skip
    assert str(found) == example["no"]
    assert found.court == court_numbers().courts[example["court"]].name


def test_half_width_brackets_and_blanks_are_put_right() -> None:
    assert str(check_case_number(" (2025)粤0703民初1234号\n")) == "（2025）粤0703民初1234号"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("（2015）粤0703民初1号", "2015"),
        ("（2027）粤0703民初1号", "没有到来"),
        ("（25）粤0703民初1号", "四位数字"),
        ("2025粤0703民初1号", "圆括号"),
        ("〔2025〕粤0703民初1号", "六角括号"),
        ("（2025）粤9999民初1号", "没有代字为“粤9999”"),
        ("（2025）粵0703民初1号", "没有代字为“粵0703”"),
        ("（2025）粤070民初1号", "编排规格"),
        ("（2025）0703民初1号", "编排规格"),
        ("（2025）粤0703民出1号", "没有类型代字“民出”"),
        ("（2025）粤0703商民初1号", "没有类型代字“商民初”"),
        ("（2025）粤0703民初号", "案件编号"),
        ("（2025）粤0703民初0号", "自然数"),
        ("（2025）粤0703民初0012号", "虚位"),
        ("（2025）粤0703民初123456789号", "过长"),
        ("（2025）粤0703民初1", "以“号”结尾"),
        ("（2025）粤0703民初1号之一", "以“号”结尾"),
        ("（2025）粤0703民初 1号", "空格"),
        ("（２０２５）粤0703民初1号", "半角"),
        ("（2025）江蓬法民初字第1号", "旧式案号"),
        ("（2026）最高法刑核1234567号", "8位"),
        ("（2026）最高法刑核01234567号", "自然数"),
        ("", "圆括号"),
    ],
)
def test_each_fault_has_its_own_reason(text: str, said: str) -> None:
    with pytest.raises(InvalidInputError) as fault:
        check_case_number(text, latest_year=2026)
    assert said in fault.value.detail


def test_what_our_tables_doubt_is_told() -> None:
    assert check_case_number("（2025）粤0703民初1号").doubts == ()
    assert "待核" in check_case_number("（2025）粤0703诉前调1号").doubts[0]
    assert "旧代字" in check_case_number("（2016）粤0703民破1号").doubts[0]


@given(
    st.integers(2016, 2026),
    st.sampled_from(sorted(court_numbers().courts)),
    st.sampled_from(sorted(set(court_numbers().types) - {"刑核"})),
    st.sampled_from([None, "知"]),
    st.integers(1, 99999999),
)
def test_every_court_and_type_round_trips(year: int, court: str, kind: str, special: str | None, serial: int) -> None:
    text = format_case_number(year, court, kind, serial, special)
    found = check_case_number(text)
    assert (found.year, found.court_code, found.type_code, found.special, found.serial) == (
        year, court, kind, special, serial,
    )  # fmt: skip


def test_format_refuses_what_check_refuses() -> None:
    for parts in ((2025, "粤0703", "民初", 0), (2025, "粤9999", "民初", 1), (2025, "最高法", "刑核", 7)):
        with pytest.raises(InvalidInputError):
            format_case_number(*parts)


COURT_CODES = ("粤0703", "粤07", "粤", "最高法")


def test_document_numbers() -> None:
    by_agency = {p.agency: p.pattern for p in document_patterns()}
    assert len(by_agency) == len(DATA["administrative_document_numbers"])
    local = by_agency["市场监督管理（地方示例）"]
    assert (
        format_document_number(local, year=2025, serial=12, body_code="江", kind_code="处罚")
        == "江市监处罚〔2025〕12号"
    )
    assert format_document_number(by_agency["市场监督管理（总局）"], year=2024, serial=1) == "国市监处罚〔2024〕1号"
    labour = format_document_number(by_agency["劳动保障监察"], year=2025, serial=3, body_code="粤", kind_code="罚")
    assert labour == "粤人社监罚字〔2025〕第3号"
    letter = "（{year}）{court}{文种}{serial}号"
    named = [format_document_number(letter, year=2025, serial=1, body_code=c, kind_code="函") for c in COURT_CODES]
    assert named == ["（2025）粤0703函1号", "（2025）粤07函1号", "（2025）粤函1号", "（2025）最高法函1号"]
    assert parse_document_number(local, "江市监处罚[2025]12号") == {
        "body_code": "江", "kind_code": "处罚", "year": "2025", "serial": "12",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "parts", "said"),
    [
        ("{机关代字}复〔{year}〕{serial}号", {"serial": 1}, "机关代字"),
        ("{机关代字}复〔{year}〕{serial}号", {"serial": 0, "body_code": "江"}, "serial"),
        ("{机关代字}复〔{year}〕{serial}号", {"serial": 1, "body_code": "A1"}, "A1"),
        ("{机关代号}复〔{year}〕{serial}号", {"serial": 1}, "无法识别"),
        ("（{year}）{court}{文种}{serial}号", {"serial": 1, "kind_code": "函", "body_code": "江门"}, "江门"),
        ("复〔{year}〕号", {"serial": 1}, "顺序号"),
    ],
)
def test_document_numbers_that_cannot_be(pattern: str, parts: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        format_document_number(pattern, year=2025, **parts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", ["江市监处罚〔2025〕012号", "江市监处罚（2025）12号", "江市监处罚〔25〕12号", "处罚〔2025〕1号"]
)
def test_document_numbers_of_another_shape(text: str) -> None:
    with pytest.raises(InvalidInputError, match="不合样式"):
        parse_document_number("{机关代字}市监{文种}〔{year}〕{serial}号", text)


# the two numbers printed in GB 11643-1999
@pytest.mark.parametrize("number", ["11010519491231002X", "440524188001010014", "11010519491231002x"])
def test_resident_ids_of_the_standard(number: str) -> None:
    assert resident_id_fault(number, date(2025, 3, 1)) is None


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("110105194912310021", "校验码"),
        ("110105194902290020", "出生日期"),
        ("991105194912310029", "地址码"),
        ("110000194912310029", "地址码"),
        ("000105194912310029", "地址码"),
        ("11010519491231002", "18位"),
        ("1101051949123100２X", "数字"),
        ("11010520491231002X", "不合情理"),
    ],
)
def test_resident_ids_with_a_fault(number: str, said: str) -> None:
    assert said in str(resident_id_fault(number, date(2025, 3, 1)))


CODES = ["914403001922038216", "91330100799655058B", "9144030071526726XG"]  # published codes of three companies


@pytest.mark.parametrize("code", CODES)
def test_credit_codes(code: str) -> None:
    assert credit_code_fault(code) is None
    assert credit_code_fault(code.lower()) is None
    assert "O" in str(credit_code_fault(code[:17] + "O"))
    assert "18位" in str(credit_code_fault(code[:17]))
    assert "行政区划码" in str(credit_code_fault(code[:3] + "A" + code[4:]))


@given(st.sampled_from(CODES), st.integers(0, 17), st.sampled_from("0123456789"))
def test_one_wrong_character_never_passes(code: str, place: int, char: str) -> None:
    changed = code[:place] + char + code[place + 1 :]
    assert (credit_code_fault(changed) is None) == (changed == code)


@given(st.integers(0, 17), st.sampled_from("0123456789"))
def test_one_wrong_digit_of_an_id_never_passes(place: int, digit: str) -> None:
    right = "440524188001010014"
    changed = right[:place] + digit + right[place + 1 :]
    assert (resident_id_fault(changed) is None) == (changed == right)
