"""文号: which series an instrument counts in, and how its number is written."""

from __future__ import annotations

from dataclasses import dataclass

from services.documents.model.case import Case
from services.documents.model.fields import numeral
from services.kit.errors import RuleRefusedError
from services.kit.numbers import format_document_number
from services.kit.procedure.model import NumberRule

CASE = "{case_number}"


@dataclass(frozen=True)
class Series:
    """What counts from 1: a body's series in a year, or the numbered instruments of one case."""

    body_id: str
    name: str
    year: int


def series_of(rule: NumberRule, case: Case, year: int) -> Series:
    """The series; `series` and the kind code of the pack's rule name it, so that each kind counts for itself."""
    if CASE in rule.pattern:
        return Series(case.body.body_id, f"{case.case_id}:{rule.series}", 0)
    return Series(case.body.body_id, f"{rule.series}:{rule.kind_code}", year)


def written(rule: NumberRule, case: Case, year: int, serial: int) -> str:
    """The number as it stands on the paper: 江市监处罚〔2025〕12号, or （2025）粤0703民初1号之二 within a case.

    Raises:
        RuleRefusedError: a case number is needed and there is none.
        InvalidInputError: body and pattern do not fit.
    """
    if CASE not in rule.pattern:
        return format_document_number(
            rule.pattern, year=year, serial=serial, body_code=case.body.code, kind_code=rule.kind_code
        )
    if not case.case_number:
        raise RuleRefusedError("案件尚未立案编号，文书不能编号")
    places = {CASE: case.case_number, "{serial}": numeral(serial), "{year}": str(year)}
    text = rule.pattern
    for place, value in places.items():
        text = text.replace(place, value)
    return text
