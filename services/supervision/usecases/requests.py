"""Extensions asked of a superior: a line of the clock's explanation, with the article and a missed lead time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from services.kit import clock
from services.kit.effects import plain
from services.kit.events import Event
from services.supervision.model.ledger import EVERY, Entry, Kind
from services.supervision.store import SupervisionUnit
from services.supervision.usecases.facts import Case, enter


def note_request(uow: SupervisionUnit, event: Event) -> None:
    """An extension was asked for."""
    asked = plain(event.data.request)
    detail = {"effect_id": event.data.effect_id, "requested_on": event.occurred_on.isoformat()}
    nth = {"nth": asked["nth"]} if asked.get("nth") else {}
    _note(uow, event, "requested", str(asked.get("limit_id", "")), event.occurred_on, detail | nth)


def note_answer(uow: SupervisionUnit, event: Event) -> None:
    """It was granted or not; what a grant moves, the effect extend_clock says."""
    told = event.data
    day = date.fromisoformat(told.decided_on)
    _note(uow, event, "answered", told.limit_id, day, {"effect_id": told.effect_id, "granted": told.granted})


def note_withdrawal(uow: SupervisionUnit, event: Event) -> None:
    """It was taken back before it was answered; the event need not name the pack, the clock asked about knows it."""
    if event.data.effect != "ask_superior":
        return
    uow.lock(event.case_id)
    clocks = {c.limit_id: c for c in uow.clocks.of_cases([event.case_id])}
    told = uow.ledger.of_case(event.case_id, clocks)
    mine = (e for e in told if e.kind == "requested" and e.detail.get("effect_id") == event.data.effect_id)
    if (asked := next(mine, None)) is not None:
        clock_ = clocks[asked.limit_id]
        named = replace(event, pack_id=clock_.pack_id, pack_version=clock_.pack_version)
        detail = {"effect_id": event.data.effect_id, "withdrawn": True}
        _note(uow, named, "answered", asked.limit_id, event.occurred_on, detail)


def _note(
    uow: SupervisionUnit, event: Event, kind: Kind, limit_id: str, on: date, detail: Mapping[str, Any]
) -> None:
    limits = uow.packs.limits(event.pack_id, event.pack_version)
    uow.lock(event.case_id)
    running = [c for c in uow.clocks.of_cases([event.case_id]) if c.limit_id == limit_id and c.state != "waiting"]
    if not running:
        return
    entry = Entry(
        entry_id=clock.new_id(), limit_id=limit_id, scope_id="" if running[0].scope == "case" else EVERY, kind=kind,
        from_on=on, occurred_on=event.occurred_on, at=event.at, event_id=event.event_id, event_type=event.type,
        detail=detail,
    )  # fmt: skip
    enter(uow, limits, Case(event.case_id, event.body_id, event.occurred_on), [entry])
