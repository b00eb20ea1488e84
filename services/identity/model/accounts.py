"""Accounts of parties, each bound to one identity number that a clerk confirms after seeing the document."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from services.identity.model.faults import Fault, fault
from services.identity.model.people import password_fault
from services.identity.settings import IdentitySettings
from services.kit.numbers import credit_code_fault, resident_id_fault

ID_KINDS = {"resident_id": "居民身份证", "uscc": "统一社会信用代码"}
PHONE = re.compile(r"[0-9+-]{6,20}")
PERSON_NAME = re.compile(r"[\u3400-\u9fff·\U00020000-\U0003ffff]{2,40}|[A-Za-z][A-Za-z .'-]{1,80}")


@dataclass(frozen=True)
class Account:
    """A party's own account, bound to one identity number.

    `state`: registered (whoever opened it, nobody has seen the document), confirmed, blocked (an end).
    """

    account_id: str
    name: str
    id_kind: str
    id_number: str
    phone: str
    state: str

    @property
    def masked(self) -> str:
        """The number as others may see it: the first three and the last four characters."""
        return self.id_number[:3] + "*" * (len(self.id_number) - 7) + self.id_number[-4:]


@dataclass(frozen=True)
class ConfirmationCode:
    """What a clerk of a body gave out at the counter; every attempt counts before the code is looked at."""

    account_id: str
    code_hash: str
    issued_by: str
    body_id: str
    issued_at: datetime
    attempts: int = 0

    def is_open(self, now: datetime, knobs: IdentitySettings) -> bool:
        """Neither too old nor tried too often."""
        return now - self.issued_at <= knobs.code_life and self.attempts < knobs.code_attempts


def new_code() -> str:
    """Eight random digits: to be said aloud and typed in, good for minutes and a few attempts."""
    return f"{secrets.randbelow(10**8):08d}"


def account_faults(account: Account, password: str, today: date) -> Iterator[Fault]:
    """Every reason not to open the account; check digits as GB 11643 and GB 32100 compute them."""
    if account.id_kind not in ID_KINDS:
        yield fault("/id_kind", f"证件类别应为 {'、'.join(ID_KINDS)} 之一")
    elif reason := number_fault(account.id_kind, account.id_number, today):
        yield fault("/id_number", reason)
    name_ok = PERSON_NAME.fullmatch(account.name) if account.id_kind == "resident_id" else 2 <= len(account.name) <= 100
    if not name_ok:
        yield fault("/name", "请填写证件上的姓名或者名称")
    if not PHONE.fullmatch(account.phone):
        yield fault("/phone", "请填写联系电话")
    if reason := password_fault(password):
        yield fault("/password", reason)


def number_fault(id_kind: str, number: str, today: date) -> str | None:
    """Why a number cannot be one of its kind."""
    return resident_id_fault(number, today) if id_kind == "resident_id" else credit_code_fault(number)
