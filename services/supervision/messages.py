"""From the model to the messages of supervision.proto."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

from anjuan.supervision.v1 import supervision_pb2 as pb
from services.kit.legal_calendar import Reckoning, remaining
from services.supervision.model.clock import Clock
from services.supervision.model.ledger import Entry

_CITATION = re.compile(r"《[^》]+》(?:第[零〇一二三四五六七八九十百千]+条(?:第[一二三四五六七八九十]+款)?)?")


def day_text(day: date | datetime | None) -> str:
    """ISO form, empty for none."""
    return day.isoformat() if day else ""


def clock_message(one: Clock, now: date | datetime, case_number: str, case_title: str) -> pb.Clock:
    """A clock as a list shows it; `now` is the legal day of its body, for hours the moment."""
    today = now.date() if isinstance(now, datetime) else now
    return pb.Clock(
        clock_id=one.clock_id, case_id=one.case_id, body_id=one.body_id, limit_id=one.limit_id, name=one.name,
        scope=one.scope, scope_id=one.scope_id, kind=one.kind, rank=one.rank, unit=one.unit, law=one.law,
        article=one.article, state=one.state, starts_on=day_text(one.starts_on), due_on=day_text(one.due_on),
        due_at=day_text(one.due_at), suspended_on=day_text(one.suspended_on), stopped_on=day_text(one.stopped_on),
        provisional=one.provisional, governing=one.governing, run=one.run, remaining=_left(one, now),
        due_soon=one.state == "running" and one.soon_on is not None and one.soon_on <= today,
        case_number=case_number, case_title=case_title,
    )  # fmt: skip


def _left(one: Clock, now: date | datetime) -> int:
    if one.state not in ("running", "overdue"):
        return 0
    due = Reckoning(one.limit_id, one.unit, one.due_on, one.due_at, None, None, one.provisional, one.law, "", ())  # type: ignore[arg-type]
    return remaining(due, due.unit, now) or 0


def step_message(text: str) -> pb.Step:
    """One line of an explanation with the article it names."""
    named = _CITATION.search(text)
    return pb.Step(text=text, article=named.group() if named else "")


def interval_message(entry: Entry) -> pb.Interval:
    """One entry of the ledger."""
    detail = entry.detail
    message = pb.Interval(
        kind=entry.kind, to=day_text(entry.to_on), reason=entry.reason, event_id=entry.event_id,
        entered_at=day_text(entry.entered_at), ground=entry.ground, nth=detail.get("nth") or 0,
        amount=detail.get("amount") or 0, unit=detail.get("unit") or "", approver=detail.get("approver", ""),
        approver_relation=detail.get("approver_relation", ""), article=detail.get("article", ""),
        faults=[pb.LeadTimeFault(**fault) for fault in detail.get("faults", ())], event_type=entry.event_type,
    )  # fmt: skip
    setattr(message, "from", day_text(entry.moment or entry.from_on))  # a word of the language
    return message


def card_message(row: Any, rule_name: str) -> pb.AlertCard:
    """A card with whom it concerns."""
    return pb.AlertCard(
        card_id=row["card_id"], clock_id=row["clock_id"], case_id=row["case_id"], body_id=row["body_id"],
        level=row["level"], limit_id=row["limit_id"], rule_id=row["rule_id"], rule_name=rule_name,
        issued_on=day_text(row["issued_on"]), person_id=row["person_id"], person_name=row["person_name"] or "",
        text=row["text"], case_number=row["case_number"], case_title=row["title"],
    )  # fmt: skip
