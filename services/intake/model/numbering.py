"""Official numbers: which series a case counts in, and how its number is written.

Courts: 案号规定 第三条, 第九条, 第十条 (domain/case-number.yaml). Bureaus: the pack's docketing_number.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.kit.errors import RuleRefusedError
from services.kit.numbers import format_case_number, format_document_number
from services.kit.numbers.case_number import REVIEW_DIGITS, REVIEW_TYPE
from services.kit.procedure.model import Pack


@dataclass(frozen=True)
class Body:
    """A body as numbers and packs see it. `code`: 法院代字 or 机关代字; `kind`: court or bureau."""

    body_id: str
    kind: str
    code: str


def series_of(pack: Pack) -> str:
    """The series in which a body counts the cases of this procedure, from 1 each year.

    Raises:
        RuleRefusedError: the procedure does not docket cases.
    """
    series = pack.docketing_number.series if pack.docketing_number else pack.case_type_code
    if not series:
        raise RuleRefusedError(f"“{pack.title}”不立案，没有案号")
    return series


def is_drawn(pack: Pack) -> bool:
    """刑事复核 numbers are drawn at random, never in order (案号规定 第十条第二款)."""
    return pack.case_type_code == REVIEW_TYPE


DRAWN_FROM, DRAWN_TO = 10 ** (REVIEW_DIGITS - 1), 10**REVIEW_DIGITS


def official_number(pack: Pack, body: Body, year: int, serial: int) -> str:
    """The number as it is written.

    Raises:
        RuleRefusedError: body and procedure do not fit.
        InvalidInputError: the body's code is none.
    """
    if body.kind != pack.kind:
        raise RuleRefusedError(f"本机关不适用“{pack.title}”，不能编号")
    rule = pack.docketing_number
    if rule is None:
        return format_case_number(year, body.code, pack.case_type_code, serial)
    return format_document_number(rule.pattern, year=year, serial=serial, body_code=body.code, kind_code=rule.kind_code)
