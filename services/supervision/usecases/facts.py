"""A fact moves the clocks that its pack names: the ledger grows, the clocks are counted anew."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from anjuan.supervision.v1.events_pb2 import DueDayChanged
from services.kit.errors import DomainError
from services.kit.events import Event
from services.supervision.model.clock import Clock, card, governed, new_clock
from services.supervision.model.extension import described
from services.supervision.model.fold import Key, Standing, case_standings
from services.supervision.model.ledger import Entry
from services.supervision.model.matching import entries_of
from services.supervision.model.rules import PackLimits
from services.supervision.store import SupervisionUnit

log = logging.getLogger("anjuan.supervision")


@dataclass(frozen=True)
class Case:
    """Whose clocks are counted, and the legal day of what moves them."""

    case_id: str
    body_id: str
    occurred_on: date


@contextmanager
def apart(uow: SupervisionUnit, case_id: str) -> Iterator[None]:
    """A case that cannot be counted stays as it was, and does not stop the others of the tick. No flush in here."""
    try:
        with uow.savepoint():
            yield
    except DomainError as error:
        log.error("case_not_counted", extra={"case_id": case_id, "error": error.detail})


def enter_fact(uow: SupervisionUnit, event: Event) -> None:
    """Enter what the event says into the ledger and count the clocks it speaks to.

    Raises:
        UnavailableError: the event's pack is not loaded here yet.
        ConditionError: a condition of the pack cannot be decided from the event.
    """
    if not event.case_id or not event.pack_id:
        return
    limits = uow.packs.limits(event.pack_id, event.pack_version)
    entries = entries_of(limits, event)
    if entries:
        enter(uow, limits, Case(event.case_id, event.body_id, event.occurred_on), entries)


def enter(uow: SupervisionUnit, limits: PackLimits, case: Case, entries: Sequence[Entry]) -> dict[Key, Clock]:
    """Add entries to a case's ledger; returns all its clocks as they then stand."""
    uow.lock(case.case_id)
    extended = {e.limit_id for e in entries if e.kind in ("extended", "requested")}
    known = uow.ledger.of_case(case.case_id, extended) if extended else []
    uow.ledger.add(case.case_id, [described(limits, e, known) for e in entries])
    return recount(uow, limits, case, {e.limit_id for e in entries}, entries)


def recount(
    uow: SupervisionUnit, limits: PackLimits, case: Case, touched: Collection[str], entries: Iterable[Entry] = ()
) -> dict[Key, Clock]:
    """Derive the clocks of some limits, and of those that begin with their expiry, from the ledger; tell changes."""
    wanted = limits.with_dependents(touched)
    before = {c.key: c for c in uow.clocks.of_cases([case.case_id])}
    known = {key: clock.as_standing() for key, clock in before.items() if key[0] not in wanted}
    found = {key: Standing() for key in before if key[0] in wanted}
    found |= case_standings(limits, uow.ledger.of_case(case.case_id, wanted), wanted, known)
    after = dict(before)
    for key, standing in found.items():
        if key in before or standing.state != "waiting":
            one = new_clock(limits, key, case.case_id, case.body_id, before.get(key))
            after[key] = one.standing(standing, limits.rules[key[0]])
    clocks = governed(list(after.values()))
    after = {c.key: c for c in clocks}
    uow.clocks.put([c for key, c in after.items() if c != before.get(key)])
    _tell(uow, limits, case, before, after, list(entries))
    return after


def _tell(
    uow: SupervisionUnit, limits: PackLimits, case: Case, before: Mapping[Key, Clock], after: Mapping[Key, Clock],
    entries: Sequence[Entry],
) -> None:  # fmt: skip
    changed = [c for key, c in after.items() if key not in before or before[key].told != c.told]
    if not changed:
        return
    counts = uow.cards.counts(case.case_id) if before else {}  # cards are of clocks
    whole = card(list(after.values()), counts)
    for clock in changed:
        why = _why(before.get(clock.key), clock, entries)
        due_on = clock.due_on.isoformat() if clock.due_on else ""
        uow.record(f"clock_{why}", clock.clock_id, case_id=case.case_id, body_id=case.body_id,
                   legal_on=case.occurred_on, detail={"limit_id": clock.limit_id, "due_on": due_on})  # fmt: skip
        uow.emit(
            DueDayChanged(
                clock_id=clock.clock_id, limit_id=clock.limit_id, scope_id=clock.scope_id, due_on=due_on,
                due_at=clock.due_at.isoformat() if clock.due_at else "", state=clock.state,
                provisional=clock.provisional, unit=clock.unit, governing=clock.governing, why=why, card=whole,
            ),
            stream=case.case_id, case_id=case.case_id, body_id=case.body_id, occurred_on=case.occurred_on,
            pack=(limits.pack_id, limits.version),
        )  # fmt: skip


def _why(old: Clock | None, new: Clock, entries: Sequence[Entry]) -> str:
    if old is None or old.state == "waiting":
        return "started"
    if new.state == "stopped" and old.state != "stopped":
        return "stopped"
    return next((e.kind for e in entries if e.limit_id == new.limit_id), "recounted")
