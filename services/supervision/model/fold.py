"""From the ledger to the clock. Pure: the same facts give the same clock, in whatever order they arrived."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from graphlib import TopologicalSorter
from types import MappingProxyType

from services.kit.errors import DomainError, InvalidInputError, RuleRefusedError
from services.kit.legal_calendar import LEGAL_ZONE, Exclusion, Extension, Reckoning, TimeLimit, reckon
from services.kit.legal_calendar.extend import assigned
from services.kit.procedure.model import LimitRule
from services.supervision.model.ledger import EVERY, Entry, Run, paired
from services.supervision.model.rules import PackLimits

MEASURE = "measure-term"  # of domain/deadlines.yaml: what is not dealt with in time ends by law


@dataclass(frozen=True)
class Standing:
    """How a clock stands. `state`: waiting (not started), running, suspended, stopped, overdue.

    `expired`: its last day passed, whether or not it was stopped later. `void`: extensions that do not
    count, by entry id, and why.
    """

    state: str = "waiting"
    starts_on: date | None = None
    due_on: date | None = None
    due_at: datetime | None = None
    suspended_on: date | None = None
    stopped_on: date | None = None
    provisional: bool = False
    expired: bool = False
    extensions: int = 0
    steps: tuple[str, ...] = ()
    void: dict[str, str] = field(default_factory=dict)

    @property
    def told(self) -> tuple[object, ...]:
        """What others hear of; a change of it is a DueDayChanged."""
        return self.state, self.due_on, self.due_at, self.provisional, self.starts_on


@dataclass(frozen=True)
class _Run:
    """One run of a clock: its limit, its beginning, its end, and what lies between."""

    limit: TimeLimit
    start: Entry
    stop: Entry | None
    exclusions: tuple[Exclusion, ...]

    def reckon(self, extensions: Sequence[Extension]) -> Reckoning:
        start = self.start.moment or self.start.from_on
        return reckon(self.limit, start, exclusions=self.exclusions, extensions=extensions)


def runs_of(limit: TimeLimit, entries: Iterable[Entry], after: Entry | None = None) -> list[tuple[Run, list[Entry]]]:
    """The runs of one scope's clock in order, each with the entries told in its time; the first has all before it."""
    backward, known = limit.direction == "before", list(entries)
    ends = [e for e in known if e.kind in ("started", "stopped")] + ([after] if after else [])
    runs = paired(ends, backward)
    begins = [start.order(backward) for start, _ in runs]
    within: list[list[Entry]] = [[] for _ in runs]
    for entry in known if runs else ():
        within[max(bisect_right(begins, entry.order(backward)) - 1, 0)].append(entry)
    return list(zip(runs, within, strict=True))


def stand(limit: TimeLimit, entries: Sequence[Entry], after: Entry | None = None) -> list[Standing]:
    """The clocks of one scope, one for each run: a fact that begins it again after its end begins a new one.

    `after`: a beginning by the expiry of other limits.

    Raises:
        InvalidInputError: the limit cannot be counted from such facts (the pack is at fault).
    """
    passed = {e.from_on for e in entries if e.kind == "expired"}
    return [
        _standing(_Run(limit, start, stop, tuple(_exclusions(entries, stop))), within, passed)
        for (start, stop), within in runs_of(limit, entries, after)
    ]


def _exclusions(entries: Sequence[Entry], stop: Entry | None) -> Iterable[Exclusion]:
    """Days that do not count. What is still open when the clock stops ends with it."""
    spans = [e for e in entries if e.kind in ("excluded", "suspended", "resumed")]
    for ground in sorted({e.ground for e in spans}):
        of_ground = [e for e in spans if e.ground == ground]
        closed = [(e, e.to_on) for e in of_ground if e.to_on is not None]
        open_ = [e for e in of_ground if e.to_on is None]
        at_last = stop.from_on if stop else None
        for since, until in closed + [(since, end.from_on if end else None) for since, end in paired(open_)]:
            if at_last is None or since.from_on <= at_last:
                yield Exclusion(since.from_on, until or at_last, ground)


def _standing(run: _Run, within: Sequence[Entry], passed: set[date]) -> Standing:
    granted: list[Extension] = []
    void: dict[str, str] = {}
    for entry in sorted((e for e in within if e.kind == "extended"), key=Entry.order):
        extension = Extension(entry.detail.get("amount"), entry.detail.get("unit") or None)
        why_not = refusal(run.limit, run.reckon(granted), len(granted), entry)
        if not why_not:
            try:
                run.reckon([*granted, extension])
            except DomainError as error:
                why_not = error.detail
        if why_not:
            void[entry.entry_id] = why_not
        else:
            granted.append(extension)
    found = run.reckon(granted)
    asked = asked_of(within)
    steps = [*found.steps, *asked, *(f"延长未计入：{why}" for why in void.values())]
    expired = found.due_on is not None and found.due_on in passed
    return _ended(Standing(
        state="suspended" if found.due_on is None else "overdue" if expired else "running",
        starts_on=run.start.from_on, due_on=found.due_on, due_at=found.due_at, suspended_on=found.suspended_on,
        provisional=found.provisional, expired=expired, extensions=len(granted), steps=tuple(steps), void=void,
    ), run.stop, run.limit)  # fmt: skip


def asked_of(within: Iterable[Entry]) -> list[str]:
    """What was asked of superiors, and what they answered, line by line."""
    told = list(within)
    answers = {e.detail.get("effect_id"): e for e in told if e.kind == "answered"}
    return [_asked(e, answers.get(e.detail.get("effect_id"))) for e in told if e.kind == "requested"]


def _outcome(answer: Entry) -> str:
    if answer.detail.get("withdrawn"):
        return "撤回"
    return "获批准" if answer.detail["granted"] else "未获批准"


def _asked(entry: Entry, answer: Entry | None) -> str:
    said = "尚待答复" if answer is None else f"{answer.from_on}{_outcome(answer)}"
    late = "".join(fault["text"] for fault in entry.detail.get("faults", ()))
    of, by = entry.detail, f"（{entry.detail['article']}）" if "article" in entry.detail else ""
    whom, nth = of.get("approver", "上级机关"), of.get("nth", 1)
    return f"报请：{entry.from_on}报请{whom}批准第{nth}次延长{by}，{said}。{late}"


def _ended(standing: Standing, stop: Entry | None, limit: TimeLimit) -> Standing:
    if stop is None:
        return standing
    late = standing.due_on is not None and stop.from_on > standing.due_on
    if standing.due_at is not None and stop.moment is not None:
        late = stop.moment > standing.due_at
    over = f"措施已于{standing.due_on}届满时自动解除。" if limit.kind == MEASURE else f"已超过届满日{standing.due_on}。"
    fate = over if late else "在期限之内。"
    step = f"停止：{stop.from_on}停止计时，{fate}"
    return replace(
        standing, state="stopped", stopped_on=stop.from_on, expired=late, steps=(*standing.steps, step)
    )  # fmt: skip


def refusal(limit: TimeLimit, now: Reckoning, granted: int, entry: Entry) -> str:
    """Why an extension does not count; empty when it does. The amount is checked by the count itself."""
    try:
        rule = list(assigned(limit, [Extension()] * (granted + 1)))[-1][0]
    except (RuleRefusedError, InvalidInputError) as error:
        return error.detail
    nth = entry.detail.get("nth")
    if nth and nth != granted + 1:
        return f"依{rule.law}，“{limit.name}”已延长{granted}次，不能办理第{nth}次延长。"
    if now.due_on is not None and entry.from_on > now.due_on:
        return (
            f"依{rule.law}，延长须在期限届满前批准：“{limit.name}”已于{now.due_on}届满，"
            f"{entry.from_on}的延长不能成立。"
        )
    return ""


def after_expiry(anchors: Iterable[Standing], limit_id: str) -> Entry | None:
    """The beginning of a limit that starts when others have run out: the last of their last days.

    What never started does not count, nor what was stopped in time before that day. There is no beginning while
    one still runs, nor when the last of them was stopped rather than ran out.
    """
    begun = [a for a in anchors if a.state != "waiting"]
    days = [a.due_on for a in begun if a.expired and a.due_on]
    if not days or any(a.state in ("running", "suspended") for a in begun):
        return None
    last = max(days)
    if any(a.stopped_on > last for a in begun if not a.expired and a.stopped_on):
        return None
    at = datetime.combine(last, datetime.min.time(), LEGAL_ZONE)
    return Entry("", limit_id, "", "started", last, last, at, "", "TimeLimitExpired")


Key = tuple[str, str, int]  # limit_id, scope_id, run (from 1)


def case_standings(
    limits: PackLimits, entries: Sequence[Entry], wanted: Collection[str],
    known: Mapping[Key, Standing] = MappingProxyType({}),
) -> dict[Key, Standing]:  # fmt: skip
    """The clocks of the wanted limits of a case; those that start after the expiry of others come after them.

    `known`: how the clocks of other limits stand.

    Raises:
        graphlib.CycleError: limits wait for each other's expiry (the pack is at fault).
    """
    found: dict[Key, Standing] = {}
    order = TopologicalSorter({limit: limits.anchors.get(limit, frozenset()) for limit in wanted})
    for limit_id in (limit for limit in order.static_order() if limit in wanted):
        law, mine = limits.law(limit_id), [e for e in entries if e.limit_id == limit_id]
        after = _beginnings(limits.rules[limit_id], limits.anchors.get(limit_id, frozenset()), {**known, **found})
        for scope_id in sorted({e.scope_id for e in mine} - {EVERY} | after.keys()):
            standings = stand(law, of_scope(mine, limit_id, scope_id), after.get(scope_id))
            found |= {(limit_id, scope_id, run): standing for run, standing in enumerate(standings, 1)}
    return found


def of_scope(entries: Iterable[Entry], limit_id: str, scope_id: str) -> list[Entry]:
    """The entries that speak to the clocks of one scope."""
    return [e for e in entries if e.limit_id == limit_id and e.scope_id in (scope_id, EVERY)]


def _beginnings(rule: LimitRule, anchors: Collection[str], found: Mapping[Key, Standing]) -> dict[str, Entry]:
    """Beginnings by expiry, by scope_id: of all the case's anchors, or of those of the same party (node, …)."""
    by_scope: dict[str, list[Standing]] = defaultdict(list)
    for (limit_id, scope_id, _), standing in found.items():
        if limit_id in anchors:
            by_scope["" if rule.scope == "case" else scope_id].append(standing)
    begun = {scope_id: after_expiry(standings, rule.limit) for scope_id, standings in by_scope.items()}
    return {scope_id: entry for scope_id, entry in begun.items() if entry}
