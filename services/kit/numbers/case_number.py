"""Court case numbers by 最高人民法院《关于人民法院案件案号的若干规定》 (domain/case-number.yaml, courts.csv)."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from services.kit.errors import InvalidInputError
from services.kit.settings import domain_dir

FIRST_YEAR = 2016  # 法〔2015〕137号 took effect on 2016-01-01; older cases carry numbers of another grammar
REVIEW_TYPE, REVIEW_DIGITS = "刑核", 8
BRACKETS = str.maketrans("()", "（）")


@dataclass(frozen=True)
class Court:
    """A row of courts.csv."""

    code: str
    name: str
    tier: str
    parent_code: str
    region: str
    adcode: str
    verification: str


@dataclass(frozen=True)
class CaseNumber:
    """A checked number; `str()` is its official form. `serial` counts per year, court, special and type."""

    year: int
    court_code: str
    special: str | None
    type_code: str
    serial: int
    court: str
    doubts: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"（{self.year}）{self.court_code}{self.special or ''}{self.type_code}{self.serial}号"


@dataclass(frozen=True)
class CourtNumbers:
    """The grammar, the courts by code and the case types by code, as the domain folder states them."""

    grammar: re.Pattern[str]
    courts: Mapping[str, Court]
    types: Mapping[str, Mapping[str, Any]]


@cache
def _load(folder: Path) -> CourtNumbers:
    data = yaml.load((folder / "case-number.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    lines = (folder / "courts.csv").read_text(encoding="utf-8").splitlines()
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    fields = Court.__dataclass_fields__
    grammar = re.sub(r"\(\?<(?=[a-z])", "(?P<", data["grammar"]["regex"])
    return CourtNumbers(
        grammar=re.compile(grammar, re.ASCII),
        courts={row["code"]: Court(**{f: row[f] for f in fields}) for row in rows},
        types={t["code"]: t for t in data["types"]},
    )


def court_numbers() -> CourtNumbers:
    """Read once from the domain folder."""
    return _load(domain_dir())


def check_case_number(text: str, latest_year: int | None = None) -> CaseNumber:
    """Parse and check a number; half-width brackets and surrounding blanks are put right first.

    `latest_year`: the body's legal year; a later one is refused.

    Raises:
        InvalidInputError: with the one reason that a clerk can act on.
    """
    text, rules = text.strip().translate(BRACKETS), court_numbers()
    found = rules.grammar.fullmatch(text)
    if not found:
        raise InvalidInputError(f"案号“{text}”{_shape_fault(text)}")
    year, serial = int(found["year"]), found["serial"]
    if year < FIRST_YEAR:
        raise InvalidInputError(f"收案年度{year}早于{FIRST_YEAR}年，其时尚无现行案号（法〔2015〕137号）。")
    if latest_year is not None and year > latest_year:
        raise InvalidInputError(f"收案年度{year}还没有到来（现为{latest_year}年）。")
    if found["court"] not in rules.courts:
        raise InvalidInputError(f"没有代字为“{found['court']}”的法院（案号规定第四、五条）。")
    if found["type"] not in rules.types:
        raise InvalidInputError(f"没有类型代字“{found['type']}”（法〔2018〕335号所附类型代字）。")
    _check_serial(found["type"], serial)
    court, kind = rules.courts[found["court"]], rules.types[found["type"]]
    special = found["special"]
    return CaseNumber(year, court.code, special, kind["code"], int(serial), court.name, _doubts(court, kind))


def _check_serial(type_code: str, serial: str) -> None:
    if serial.startswith("0"):
        raise InvalidInputError(f"案件编号“{serial}”应为自然数，从1起，不编虚位0（案号规定第十条）。")
    if type_code == REVIEW_TYPE and len(serial) != REVIEW_DIGITS:
        raise InvalidInputError(f"刑事复核案件编号“{serial}”应为{REVIEW_DIGITS}位自然数（案号规定第十条）。")
    if len(serial) > REVIEW_DIGITS:
        raise InvalidInputError(f"案件编号“{serial}”过长，收案顺序不可能到{len(serial)}位（案号规定第十条）。")


def _doubts(court: Court, kind: Mapping[str, Any]) -> tuple[str, ...]:
    """What our own tables are not sure of; the number is good all the same."""
    doubts = []
    if kind["verification"].startswith("recalled"):
        doubts.append(f"类型代字“{kind['code']}”待核")
    if kind["status"] == "legacy":
        doubts.append(f"类型代字“{kind['code']}”为旧代字")
    if court.verification.startswith("recalled"):
        doubts.append(f"法院代字“{court.code}”待核")
    return tuple(doubts)


def _shape_fault(text: str) -> str:
    """The first part of the grammar (案号规定第三条) that the text breaks."""
    faults = (
        (r".*[０-９]", "中的数字应为半角阿拉伯数字。"),
        (r".*\s", "中间有空格，应连续书写。"),
        (r"[〔\[［【]", "的年度应用圆括号，六角括号用于机关文号。"),
        (r".*字第", "是2016年以前的旧式案号（“字第”），现行案号没有“字第”。"),
        (r"(?!（)", "应以带圆括号的收案年度开头，例如（2025）。"),
        (r"（(?!\d{4}）)", "的收案年度应为四位数字，例如（2025）。"),
        (r".*(?<!号)\Z", "应以“号”结尾。"),
        (r".*(?<!\d)号\Z", "的“号”前应有案件编号（阿拉伯数字）。"),
    )
    fits = (said for pattern, said in faults if re.match(pattern, text, re.ASCII))
    return next(fits, "的法院代字、类型代字不合编排规格：（年度）法院代字+类型代字+编号+号（案号规定第三条）。")


def format_case_number(year: int, court_code: str, type_code: str, serial: int, special: str | None = None) -> str:
    """The official number, checked by the same rules; InvalidInputError when the parts do not fit."""
    return str(check_case_number(f"（{year}）{court_code}{special or ''}{type_code}{serial}号"))
