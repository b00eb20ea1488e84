"""What owners answer of effects, and what an operator decides when they do not."""

from __future__ import annotations

from typing import Any

from anjuan.workflow.v1 import events_pb2 as facts_pb2
from anjuan.workflow.v1.workflow_pb2 import EffectState, RefuseEffectRequest
from services.kit import access
from services.kit.errors import ConflictError, InvalidInputError, NotFoundError
from services.workflow.model.records import Effect
from services.workflow.model.superior import request_case
from services.workflow.store import WorkflowUnit
from services.workflow.tables import instances
from services.workflow.usecases.effects import answered, effects_of, refuse, release, waiting_task
from services.workflow.usecases.run import Packs, Run
from services.workflow.usecases.withdrawal import ASK, is_answered, tell_withdrawn


def _locked(uow: WorkflowUnit, packs: Packs, effect_id: str) -> tuple[Run, Effect] | None:
    """The effect under the lock of its case."""
    known = uow.effects.find(effect_id)
    if known is None:
        return None
    run = Run.of(uow, packs, known.case_id)
    found = uow.effects.find(effect_id)
    return None if found is None else (run, found)


def _record(run: Run, action: str, effect: Effect, **detail: str) -> None:
    i = run.instance
    run.uow.record(action, effect.effect_id, case_id=i.case_id, body_id=i.body_id, legal_on=effect.occurred_on,
                   detail={"effect": effect.effect, **detail})  # fmt: skip


def effect_done(uow: WorkflowUnit, packs: Packs, effect_id: str, results: dict[str, Any]) -> None:
    """The owner has performed an effect; one that was given up in the meantime is done all the same."""
    found = _locked(uow, packs, effect_id)
    if found is None or found[1].state == "done":
        return
    run, effect = found
    visit = uow.visits.find(effect.visit_id)
    answered(run, effect, results)
    if effect.effect == ASK:
        _tell_answer(run, effect, results)
    if effect.state == "requested" and visit is not None and visit.state in ("waiting_for_effects", "done"):
        task = waiting_task(run, visit.visit_id)
        release(run, visit, task, effects_of(run, visit.visit_id), answering=True)
    run.save()
    _record(run, "effect_done", effect)


def _tell_answer(run: Run, effect: Effect, results: dict[str, Any]) -> None:
    told = facts_pb2.SuperiorAnswered(
        effect_id=effect.effect_id, limit_id=str(effect.params.get("limit_id", "")), granted=bool(results["granted"]),
        **{name: str(results.get(key, "")) for name, key in (
            ("decided_on", "decided_on"), ("reason", "reason"), ("number", "number"), ("scan_sha256", "scan"))},
    )  # fmt: skip
    run.tell(told, run.uow.legal_on(run.instance.body_id))


def effect_refused(uow: WorkflowUnit, packs: Packs, effect_id: str, reason: str) -> None:
    """The owner cannot perform an effect."""
    found = _locked(uow, packs, effect_id)
    if found is not None and found[1].state == "requested":
        refuse(*found, reason)
        found[0].save()
        _record(found[0], "effect_refused", found[1], reason=reason)


def _require_unanswered(uow: WorkflowUnit, effect: Effect) -> None:
    above = uow.instances.one(instances.c.case_id == request_case(effect.effect_id)) if effect.effect == ASK else None
    if above is not None and is_answered(uow, above):
        raise ConflictError("上级已经答复，答复正在送回，不能再撤回报请")


def refuse_effect(uow: WorkflowUnit, packs: Packs, request: RefuseEffectRequest) -> EffectState:
    """An operator gives up a parked effect, with a reason that the person at the node will read."""
    access.require(uow.connection, uow.cause.actor, "operate")
    if not request.reason.strip():
        raise InvalidInputError("请写明理由", [{"pointer": "/reason", "detail": "请写明理由"}])
    found = _locked(uow, packs, request.effect_id)
    if found is None:
        raise NotFoundError("没有这一后续动作")
    run, effect = found
    if effect.state != "requested":
        raise ConflictError("这一后续动作已有结果，不能再改为未办理")
    _require_unanswered(uow, effect)
    refuse(run, effect, request.reason)
    tell_withdrawn(run, effect, request.reason)
    run.save()
    _record(run, "refuse_effect", effect, reason=request.reason)
    return EffectState(effect_id=effect.effect_id, effect=effect.effect, owner=effect.owner, state="refused",
                       reason=request.reason)  # fmt: skip
