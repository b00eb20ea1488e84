"""居民身份证号码 (GB 11643) and 统一社会信用代码 (GB 32100): a Chinese reason when wrong, None when right."""

from __future__ import annotations

import re
from datetime import date
from functools import cache

from services.kit.numbers.case_number import court_numbers

ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
ID_CHECKS = "10X98765432"
CREDIT_CHARS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
# Taiwan, Hong Kong, Macao, residence permits of Taiwan residents: provinces without a row in courts.csv
PROVINCES_WITHOUT_COURTS = frozenset({"71", "81", "82", "83"})
OLDEST_YEAR = 1850


def resident_id_fault(number: str, today: date | None = None) -> str | None:
    """Why an 18-digit number is wrong; `today` (the body's legal date) refuses births in the future."""
    number = number.strip().upper()
    if len(number) != 18:
        return f"居民身份证号码应为18位，现有{len(number)}位。"
    if not re.fullmatch(r"\d{17}[\dX]", number, re.ASCII):
        return "居民身份证号码前17位应为数字，末位为数字或者X。"
    if number[:2] not in _provinces() or number[2:6] == "0000":
        return f"居民身份证号码的地址码“{number[:6]}”不存在。"
    try:
        born_on = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return f"居民身份证号码的出生日期“{number[6:14]}”不是有效日期。"
    if born_on.year < OLDEST_YEAR or (today is not None and born_on > today):
        return f"居民身份证号码的出生日期{born_on}不合情理。"
    check = ID_CHECKS[sum(int(d) * w for d, w in zip(number, ID_WEIGHTS, strict=False)) % 11]
    return None if check == number[17] else "居民身份证号码的校验码不符，请逐位核对。"


@cache
def _provinces() -> frozenset[str]:
    """The first two digits of GB/T 2260, by the courts' own division codes."""
    return (
        frozenset(c.adcode[:2] for c in court_numbers().courts.values() if c.tier == "high" and c.adcode)
        | PROVINCES_WITHOUT_COURTS
    )


def credit_code_fault(code: str) -> str | None:
    """Why an 18-character code is wrong."""
    code = code.strip().upper()
    if len(code) != 18:
        return f"统一社会信用代码应为18位，现有{len(code)}位。"
    if wrong := next((c for c in code if c not in CREDIT_CHARS), None):
        return f"统一社会信用代码不使用“{wrong}”（只用数字和除I、O、S、V、Z以外的大写字母）。"
    if not re.fullmatch(r"\d{6}", code[2:8], re.ASCII):
        return f"统一社会信用代码第3至8位是登记管理机关行政区划码，应为数字，现为“{code[2:8]}”。"
    total = sum(CREDIT_CHARS.index(c) * pow(3, place, 31) for place, c in enumerate(code[:17]))
    check = CREDIT_CHARS[-total % 31]
    return None if check == code[17] else "统一社会信用代码的校验码不符，请逐位核对。"
