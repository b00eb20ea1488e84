"""What completed nodes ask of this room: to extend a clock, to exclude a period, to count on again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, cast

from services.kit import clock
from services.kit.effects import EffectCall, Performer
from services.kit.errors import InvalidInputError, RuleRefusedError
from services.kit.legal_calendar import Exclusion, reckon
from services.supervision.model.clock import Clock
from services.supervision.model.extension import described
from services.supervision.model.fold import of_scope, stand
from services.supervision.model.ledger import Entry, Kind, paired
from services.supervision.model.rules import PackLimits
from services.supervision.store import SupervisionUnit
from services.supervision.usecases.facts import Case, enter

WORDS = {"stopped": "已经停止计时", "waiting": "尚未起算"}


def extend_clock(uow: SupervisionUnit, call: EffectCall) -> Mapping[str, Any]:
    """Extend a limit by what its rule gives, or by `amount` where the rule leaves it open.

    Raises:
        RuleRefusedError: granted after expiry, more often or longer than the article allows, or not running.
    """
    limits, one = _running(uow, call)
    granted_on = _day(call, "granted_on")
    # the act may be dated earlier than it was done; the grant is dated by the day on which it was done
    if granted_on > (today := max(call.occurred_on, uow.legal_on(call.body_id))):
        raise InvalidInputError(f"批准日期{granted_on}晚于今天{today}，请核对。")
    told = {name: value for name, value in call.params.items() if name in ("nth", "amount", "unit", "requested_on")}
    entry = _entry(uow, call, one, "extended", granted_on, detail=told)
    law, known = limits.law(one.limit_id), uow.ledger.of_case(call.case_id, [one.limit_id])
    entry = described(limits, entry, known)
    after = stand(law, of_scope([*known, entry], law.id, one.scope_id))[one.run - 1]
    if after.extensions == one.extensions:
        why_not = after.void.get(entry.entry_id, f"批准日期{granted_on}早于“{law.name}”的起算日{one.starts_on}。")
        raise RuleRefusedError(why_not)
    return _entered(uow, limits, call, one, entry)


def exclude_period(uow: SupervisionUnit, call: EffectCall) -> Mapping[str, Any]:
    """Leave a period out of the count; without `to_on` the clock stands still until resume_period.

    Raises:
        RuleRefusedError: the article knows no such ground, or the limit had run out before the period.
    """
    limits, one = _running(uow, call)
    law, ground, from_on = limits.law(one.limit_id), str(call.params["ground"]), _day(call, "from_on")
    to_on = _day(call, "to_on") if call.params.get("to_on") else None
    if ground not in law.exclusions:
        grounds = "、".join(law.exclusions) or "无"
        raise RuleRefusedError(f"依{law.law}，“{law.name}”的扣除事由没有“{ground}”（法定事由：{grounds}）。")
    if one.due_on is not None and from_on > one.due_on:
        raise RuleRefusedError(f"“{law.name}”已于{one.due_on}届满，{from_on}起的期间不能扣除（{law.law}）。")
    if one.starts_on is not None:
        reckon(law, one.starts_on, exclusions=[Exclusion(from_on, to_on, ground)])  # refuses what cannot be counted
    return _entered(uow, limits, call, one, _entry(uow, call, one, "excluded", from_on, to_on=to_on))


def resume_period(uow: SupervisionUnit, call: EffectCall) -> Mapping[str, Any]:
    """End an open exclusion; `to_on` is its last day.

    Raises:
        RuleRefusedError: no exclusion of that ground is open, or it began later.
    """
    limits, one = _running(uow, call)
    ground, to_on = str(call.params["ground"]), _day(call, "to_on")
    entries = uow.ledger.of_case(call.case_id, [one.limit_id])
    spans = paired(e for e in entries if e.ground == ground and e.to_on is None)
    if not spans or spans[-1][1] is not None or spans[-1][0].from_on > to_on:
        raise RuleRefusedError(f"“{one.name}”没有在{to_on}之前因“{ground}”停止计算，不能恢复。")
    return _entered(uow, limits, call, one, _entry(uow, call, one, "resumed", to_on))


PERFORMERS = {
    name: cast(Performer, performer)
    for name, performer in (
        ("extend_clock", extend_clock), ("exclude_period", exclude_period), ("resume_period", resume_period),
    )
}  # fmt: skip


def _running(uow: SupervisionUnit, call: EffectCall) -> tuple[PackLimits, Clock]:
    """The one clock that is meant, under the case's lock."""
    uow.lock(call.case_id)
    limits, limit_id = uow.packs.limits(*call.pack), str(call.params["limit_id"])
    if limit_id not in limits.rules:
        raise RuleRefusedError(f"程序包 {limits.pack_id} 没有期限“{limit_id}”。")
    clocks = [c for c in uow.clocks.of_cases([call.case_id]) if c.limit_id == limit_id]
    if "scope_id" in call.params:
        clocks = [c for c in clocks if c.scope_id == str(call.params["scope_id"])]
    live = [c for c in clocks if c.state not in WORDS]
    if len(live) == 1:
        return limits, live[0]
    name = limits.law(limit_id).name
    if live:
        raise InvalidInputError(f"本案有{len(live)}个“{name}”在计时，须以 scope_id 指明其一。")
    raise RuleRefusedError(f"“{name}”{WORDS[clocks[0].state] if clocks else WORDS['waiting']}，不能办理。")


def _day(call: EffectCall, name: str) -> date:
    try:
        return date.fromisoformat(str(call.params[name])[:10])
    except (KeyError, ValueError) as error:
        raise InvalidInputError(f"{name} 须为日期，收到“{call.params.get(name, '')}”。") from error


def _entry(
    uow: SupervisionUnit, call: EffectCall, one: Clock, kind: Kind, from_on: date, *,
    to_on: date | None = None, detail: Mapping[str, Any] | None = None,
) -> Entry:  # fmt: skip
    return Entry(
        entry_id=clock.new_id(), limit_id=one.limit_id, scope_id=one.scope_id, kind=kind, from_on=from_on,
        to_on=to_on, occurred_on=call.occurred_on, at=clock.now(), event_id=uow.cause.event_id or call.effect_id,
        event_type=call.effect, ground=str(call.params.get("ground", "")), reason=str(call.params.get("reason", "")),
        detail=detail or {},
    )  # fmt: skip


def _entered(
    uow: SupervisionUnit, limits: PackLimits, call: EffectCall, one: Clock, entry: Entry
) -> Mapping[str, Any]:
    after = enter(uow, limits, Case(call.case_id, call.body_id, call.occurred_on), [entry])
    due_on = after[one.key].due_on
    return {"due_on": due_on.isoformat()} if due_on else {}
