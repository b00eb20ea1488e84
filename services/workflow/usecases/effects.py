"""Consequences of a completed node: written down, asked for, awaited; then the token moves."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from uuid import UUID, uuid5

from anjuan.workflow.v1 import events_pb2 as facts_pb2
from services.kit import clock
from services.kit.effects import EffectCall, struct
from services.kit.errors import DomainError, RuleRefusedError, UnavailableError
from services.kit.procedure import conditions, registry
from services.kit.procedure.model import EffectRule
from services.workflow.model.records import Effect, Task, Visit
from services.workflow.tables import effects, tasks
from services.workflow.usecases.opening import Opening, move, offer_own, reopen_task
from services.workflow.usecases.own import PERFORMERS
from services.workflow.usecases.run import Run
from services.workflow.usecases.withdrawal import ASK, end_if_taken_back, leave

SETTLED = ("done", "dropped")
_TYPES: dict[str, type] = {
    "string": str, "date": str, "datetime": str, "integer": int, "boolean": bool, "list": list, "object": dict,
}  # fmt: skip


@dataclass(frozen=True)
class Act:
    """What completed a visit: who (`people`: those who filled the form), which day, what approvers said.

    `occurred_on` may be told after the event; `legal_on` is the body's legal date when it was told.
    """

    person_id: str
    name: str
    people: tuple[str, ...]
    occurred_on: date
    legal_on: date
    approvals: dict[str, Any] = field(default_factory=dict)

    def scope(self, visit: Visit) -> dict[str, Any]:
        """The variables approvals and act."""
        return {"approvals": self.approvals, "act": {
            "node_id": visit.node_id, "visit_id": visit.visit_id, "person_id": self.person_id, "name": self.name,
            "people": list(self.people), "occurred_on": self.occurred_on.isoformat(),
            "legal_on": self.legal_on.isoformat(), "at": clock.now().isoformat(),
        }}  # fmt: skip


def finish(run: Run, visit: Visit, task: Task, act: Act) -> str:
    """The last act of a node: ask for its effects, move the token when none is awaited. Returns the task's state."""
    values: dict[str, Any] = {
        "state": "waiting_for_effects", "occurred_on": act.occurred_on, "completed_by": act.person_id,
        "completed_by_name": act.name, "act": act.scope(visit), "reason": "", "attempt": visit.attempt + 1,
    }  # fmt: skip
    earlier = effects_of(run, visit.visit_id) if visit.attempt else []
    visit = replace(visit, **values)
    run.uow.visits.change(visit.visit_id, **values)
    run.uow.tasks.change(task.task_id, state="waiting_for_effects", waiting_since=clock.now())
    return release(run, visit, task, [*earlier, *_enlisted(run, visit, earlier)])


def _enlisted(run: Run, visit: Visit, earlier: list[Effect]) -> list[Effect]:
    """Write down the effects that are still to be had; done ones and those still out are never asked again."""
    had = {e.name for e in earlier if e.state in ("done", "requested")}
    rule = run.node(visit.node_id)
    rows = [
        _row(run, visit, e, 1 + sum(e.id == old.name for old in earlier), e.id in rule.awaited())
        for e in rule.effects if e.id not in had
    ]  # fmt: skip
    run.uow.effects.add_all(rows)
    return [Effect(**{k: v for k, v in row.items() if k != "answered_at"}) for row in rows]


def _row(run: Run, visit: Visit, rule: EffectRule, attempt: int, awaited: bool) -> dict[str, Any]:
    return {
        "effect_id": str(uuid5(UUID(visit.visit_id), f"{rule.id}:{attempt}")),
        "instance_id": run.instance.instance_id, "case_id": run.case_id, "visit_id": visit.visit_id,
        "node_id": visit.node_id, "name": rule.id, "effect": rule.effect,
        "owner": registry.effects()[rule.effect].owner, "attempt": attempt, "state": "held", "awaited": awaited,
        "after": list(rule.after), "occurred_on": visit.occurred_on, "params": {}, "results": {}, "reason": "",
        "requested_at": None, "answered_at": None,
    }  # fmt: skip


def effects_of(run: Run, visit_id: str) -> list[Effect]:
    """Effects of a visit, all attempts, oldest first."""
    return run.uow.effects.list(effects.c.visit_id == visit_id, effects.c.position)


def release(run: Run, visit: Visit, task: Task | None, known: list[Effect], answering: bool = False) -> str:
    """Send every held effect whose predecessors are done; move the token when all awaited are.

    `known`: the visit's effects, oldest first. `answering`: nobody waits for an answer, so an effect that cannot be
    sent or performed opens the node again.
    """
    latest = {e.name: e for e in known}
    while ready := [e for e in latest.values() if e.state == "held" and _free(e, latest)]:
        for effect in ready:
            latest[effect.name] = _attempt(run, visit, effect, latest, answering)
            if latest[effect.name].state == "refused":
                return "open"
    if any(e.awaited and e.state not in SETTLED for e in latest.values()):
        return "waiting_for_effects"
    if visit.state == "waiting_for_effects" and task is not None:
        _advance(run, visit, task, latest)
    return "done"


def _free(effect: Effect, latest: dict[str, Effect]) -> bool:
    return all(latest[name].state in SETTLED for name in effect.after if name in latest)


def _attempt(run: Run, visit: Visit, effect: Effect, latest: dict[str, Effect], answering: bool) -> Effect:
    """Send an effect; while answering another room, what cannot be sent is refused instead of failing."""
    if not answering:
        return _send(run, visit, effect, latest)
    kept = run.kept_state()
    try:
        with run.uow.savepoint():
            return _send(run, visit, effect, latest)
    except UnavailableError:
        raise
    except DomainError as refusal:
        run.restore(kept)
        refuse(run, effect, refusal.detail)
        return replace(effect, state="refused")


def _send(run: Run, visit: Visit, effect: Effect, latest: dict[str, Effect]) -> Effect:
    """Perform an own effect here and now; ask the owner for any other."""
    rule = run.pack.effects[effect.name][1]
    scope = _scope(run, visit)
    if not conditions.holds(rule.when, scope):
        return _changed(run, effect, state="dropped")
    params = conditions.resolve(rule.with_, scope)
    _require_types(effect.effect, params)
    effect = _changed(run, effect, params=params, state="requested", requested_at=clock.now())
    if effect.owner == run.uow.service:
        return _perform(run, effect)
    answers = {name: latest[name].results for name in effect.after if name in latest}
    run.tell(facts_pb2.EffectRequested(
        effect_id=effect.effect_id, effect=effect.effect, owner=effect.owner, visit_id=effect.visit_id,
        node_id=effect.node_id, params=struct(params), answers=struct(answers), attempt=effect.attempt,
        requested_by=visit.completed_by, requested_by_name=visit.completed_by_name,
    ), effect.occurred_on)  # fmt: skip
    return effect


def _require_types(effect: str, params: dict[str, Any]) -> None:
    """The owner would only park what it cannot read: say it to the person at the node instead."""
    kind = registry.effects()[effect]
    for name, value in params.items():
        wanted = kind.params.get(name) or kind.params.get(f"{name}?", "any")
        if wanted in _TYPES and not isinstance(value, _TYPES[wanted]):
            raise RuleRefusedError(f"程序包有误：“{kind.title}”的参数 {name} 应为 {wanted}，却是 {value}")


def _scope(run: Run, visit: Visit) -> dict[str, Any]:
    forms = {**run.variables.get("forms", {}), visit.node_id: visit.data}
    return run.scope(forms=forms, form=visit.data, **visit.act)


def _perform(run: Run, effect: Effect) -> Effect:
    i = run.instance
    call = EffectCall(
        effect_id=effect.effect_id, effect=effect.effect, case_id=i.case_id, body_id=i.body_id,
        occurred_on=effect.occurred_on, pack=(i.pack_id, i.pack_version), visit_id=effect.visit_id,
        node_id=effect.node_id, params=effect.params, answers={},
    )  # fmt: skip
    results = PERFORMERS[effect.effect](run, call)
    done = effect if results is None else answered(run, effect, results)
    offer_own(run, Opening(effect.occurred_on, run.uow.cause.actor.name))
    return done


def _changed(run: Run, effect: Effect, **values: Any) -> Effect:
    run.uow.effects.change(effect.effect_id, **values)
    return replace(effect, **values)


def answered(run: Run, effect: Effect, results: dict[str, Any]) -> Effect:
    """An effect is done."""
    run.variables.setdefault("results", {})[effect.name] = results
    run.uow.effects.change(effect.effect_id, state="done", results=results, reason="", answered_at=clock.now())
    return replace(effect, state="done", results=results)


def refuse(run: Run, effect: Effect, reason: str) -> None:
    """An effect is refused: the node opens again for the person whose act completed it."""
    run.uow.tasks.drop((tasks.c.effect_id == effect.effect_id) & (tasks.c.state == "open"))
    run.uow.effects.change(effect.effect_id, state="refused", reason=reason, answered_at=clock.now())
    visit, task = run.uow.visits.find(effect.visit_id), waiting_task(run, effect.visit_id)
    if visit is None or visit.state != "waiting_for_effects" or task is None:
        _drop_after(run, effect)
        end_if_taken_back(run)
        return
    if _asks_in_vain(run, visit):
        leave(run, [visit], run.today)
        return
    # What was held back is weighed anew at the next completion.
    run.uow.effects.remove((effects.c.visit_id == visit.visit_id) & (effects.c.state == "held"))
    run.uow.visits.change(visit.visit_id, state="open", reason=reason)
    title = registry.effects()[effect.effect].title
    reopen_task(run, task, f"{title}未能办理：{reason}")
    run.tell(facts_pb2.NodeSentBack(
        visit_id=visit.visit_id, node_id=visit.node_id, level=task.level, reason=reason, sent_back_by=effect.owner
    ), run.today)  # fmt: skip
    end_if_taken_back(run)


def _asks_in_vain(run: Run, visit: Visit) -> bool:
    """Whether the case is closed and the node, as it was filled in, waits for a superior who will not be asked."""
    if run.variables.get("case", {}).get("state") != "closed":
        return False
    rule, had = run.node(visit.node_id), {e.name for e in effects_of(run, visit.visit_id) if e.state == "done"}
    asks = [e for e in rule.effects if e.effect == ASK and e.id in rule.awaited() and e.id not in had]
    return any(conditions.holds(e.when, _scope(run, visit)) for e in asks)


def _drop_after(run: Run, effect: Effect) -> None:
    """The node has gone on without this effect: what was to follow it does not come either."""
    lost = {effect.name}
    for other in effects_of(run, effect.visit_id):
        if other.state == "held" and not lost.isdisjoint(other.after):
            lost.add(other.name)
            _changed(run, other, state="dropped", reason="前一动作未能办理")


def waiting_task(run: Run, visit_id: str) -> Task | None:
    """The task whose completion a visit's effects follow."""
    return run.uow.tasks.one((tasks.c.visit_id == visit_id) & (tasks.c.state == "waiting_for_effects"))


def _advance(run: Run, visit: Visit, task: Task, latest: dict[str, Effect]) -> None:
    """All is done: the token leaves the node."""
    run.variables.setdefault("forms", {})[visit.node_id] = visit.data
    run.acted(visit.node_id, visit.people, [a["person_id"] for a in visit.act["approvals"].values()])
    step = run.engine.complete(run.instance.tokens, visit.visit_id, _scope(run, visit))
    run.closed(visit.visit_id)
    run.uow.visits.change(visit.visit_id, state="done", done_at=clock.now())
    run.uow.tasks.change(task.task_id, state="done", waiting_since=None, refused_reason="")
    results = {e.name: e.results for e in latest.values() if e.state == "done"}
    occurred_on = date.fromisoformat(visit.act["act"]["occurred_on"])
    run.tell(facts_pb2.NodeCompleted(
        visit_id=visit.visit_id, node_id=visit.node_id, title=visit.title, stage=visit.stage,
        completed_by=visit.completed_by, completed_by_name=visit.completed_by_name, data=struct(visit.data),
        results=struct(results), internal=run.node(visit.node_id).internal,
    ), occurred_on)  # fmt: skip
    move(run, step, Opening(occurred_on, visit.completed_by_name))
