"""Who may grant an extension, and how long before expiry; a missed lead time is a recorded fault, no bar."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from services.kit.errors import RuleRefusedError
from services.kit.legal_calendar import Extension, ExtensionRule, reckon
from services.kit.legal_calendar.extend import assigned
from services.supervision.model.fold import Standing, of_scope, stand
from services.supervision.model.ledger import Entry
from services.supervision.model.rules import PackLimits


def described(limits: PackLimits, entry: Entry, known: Sequence[Entry]) -> Entry:
    """An extension, or its request, as the ledger keeps it: article, approver, the lead times that were missed."""
    if entry.kind not in ("extended", "requested"):
        return entry
    law = limits.law(entry.limit_id)
    now = (stand(law, of_scope(known, law.id, entry.scope_id)) or [Standing()])[-1]
    try:
        rule = list(assigned(law, [Extension()] * (now.extensions + 1)))[-1][0]
    except RuleRefusedError:
        return entry  # the count itself says why it does not hold
    asked = entry.detail.get("requested_on")
    requested_on = date.fromisoformat(asked) if asked else None
    granted_on = entry.from_on if entry.kind == "extended" else None
    missed = faults(limits, rule, now.due_on, requested_on, granted_on) if now.due_on else []
    detail = {"nth": now.extensions + 1, **entry.detail, **granted_by(rule), "faults": missed}
    return replace(entry, detail=detail)


def faults(
    limits: PackLimits, rule: ExtensionRule, due_on: date, requested_on: date | None, granted_on: date | None
) -> list[dict[str, Any]]:
    """Which lead times of the rule were missed, counted back from the day on which the limit expires."""
    asked = ((rule.request_limit, requested_on, "报请"), (rule.decide_limit, granted_on, "批准"))
    return [fault for limit_id, done_on, act in asked for fault in _fault(limits, limit_id, done_on, due_on, act)]


def _fault(
    limits: PackLimits, limit_id: str | None, done_on: date | None, due_on: date, act: str
) -> Iterator[dict[str, Any]]:
    if limit_id is None or done_on is None:
        return
    law = limits.law(limit_id)
    latest = reckon(law, due_on).due_on
    if latest is not None and done_on > latest:
        text = f"依{law.law}，{act}延长至迟应在{latest}（届满日{due_on}），实际为{done_on}。"
        yield {
            "limit_id": limit_id, "latest_on": latest.isoformat(), "done_on": done_on.isoformat(),
            "article": str(law.law), "text": text,
        }  # fmt: skip


def granted_by(rule: ExtensionRule) -> dict[str, Any]:
    """Who may grant it and by which article, as the ledger keeps it."""
    return {
        "approver": rule.approver, "approver_relation": rule.approver_relation, "article": str(rule.law),
    }  # fmt: skip
