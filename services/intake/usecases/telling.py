"""How every act ends: the others are told, and it is on the record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from types import EllipsisType
from typing import Any

from services.intake import messages
from services.intake.model.case import Case
from services.intake.model.people import Reporter, reveals
from services.intake.store import IntakeUnit
from services.kit.errors import RuleRefusedError
from services.kit.events import to_raw


def tell(
    uow: IntakeUnit, action: str, case: Case, fact: Any, occurred_on: date, detail: Mapping[str, Any] | None = None,
    stored: Mapping[str, Any] | None = None, reporter: Reporter | EllipsisType | None = ...,
) -> None:  # fmt: skip
    """Emit a fact (an event of ours) with the case's card, and leave an audit row for the use case `action`.

    `stored`: what is kept and neither told nor recorded. `reporter`: of a case that is just being opened.

    Raises:
        RuleRefusedError: fact, detail or what is stored would reveal the reporter.
    """
    reporter = uow.reporters.find(case.case_id) if reporter is ... else reporter
    uow.accounts.hold(case.account_ids)
    confirmed = uow.accounts.confirmed(case.account_ids)
    fact.card.CopyFrom(messages.card(case, reporter.account_id if reporter else "", confirmed))
    if reporter and reveals(reporter, json.dumps([to_raw(fact), detail, stored], ensure_ascii=False), case.parties):
        raise RuleRefusedError("内容中不得出现举报人的姓名、电话，请删去后重新办理")
    place = {"case_id": case.case_id, "body_id": case.body_id}
    uow.emit(fact, stream=case.case_id, pack=case.pack, occurred_on=occurred_on, **place)
    uow.record(action, case.case_id, legal_on=occurred_on, detail=detail, **place)
