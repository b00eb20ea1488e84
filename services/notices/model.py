"""Notices: to whom something is told, how, and when it was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from services.kit.errors import RuleRefusedError
from services.notices.settings import SETTINGS

INBOX = "inbox"


@dataclass(frozen=True)
class Recipient:
    """One addressee. `id` is a person or account id; empty where the person has no account here."""

    kind: str  # reporter, party, officer, person
    id: str


@dataclass(frozen=True)
class Notice:
    """One notice to one addressee. `method` other than inbox records how the sender told the person."""

    notice_id: str
    case_id: str
    body_id: str
    recipient_kind: str
    recipient_id: str
    text: str
    method: str
    sent_on: date
    sent_by: str
    sent_by_name: str
    read_at: datetime | None


def checked_text(text: str) -> str:
    """The text to send.

    Raises:
        RuleRefusedError: empty or too long.
    """
    if not text.strip():
        raise RuleRefusedError("通知内容不能为空")
    if len(text) > SETTINGS.longest_text:
        raise RuleRefusedError(f"通知内容不得超过 {SETTINGS.longest_text} 字")
    return text.strip()


def recipients(to: Any, card: Mapping[str, Any]) -> list[Recipient]:
    """Who is meant by `to`: reporter, parties, officers, or a list of ids; `card` is the case's.

    Raises:
        RuleRefusedError: nobody is meant.
    """
    found: Sequence[Recipient]
    if to == "reporter":
        found = [Recipient("reporter", str(card["reporter_account_id"]))]
    elif to == "parties":
        found = [Recipient("party", str(account)) for account in card["party_account_ids"]]
    elif to == "officers":
        found = [Recipient("officer", str(person)) for person in card["officer_ids"]]
    else:
        found = [Recipient("person", str(one)) for one in (to if isinstance(to, list) else [])]
    if not found:
        raise RuleRefusedError("没有可通知的人：请先登记当事人账户并在窗口核验，或者指定承办人")
    return list(found)


def method_for(recipient: Recipient, wished: str) -> str:
    """How this addressee is told: by the inbox when there is one, else as the sender says.

    Raises:
        RuleRefusedError: no account here, and the sender does not say how he told the person.
    """
    if recipient.id and wished in ("", INBOX):
        return INBOX
    if not wished or wished == INBOX:
        raise RuleRefusedError("被通知人没有平台账户，请填写告知方式（电话、书面、当面等）")
    return wished
