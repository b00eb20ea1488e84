"""报请的撤回: below what was asked is taken back, above the procedure that should answer it ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from anjuan.workflow.v1 import events_pb2 as facts_pb2
from services.kit import clock
from services.kit.procedure.engine import OpenNode
from services.workflow.model.records import Effect, Instance, Visit
from services.workflow.model.superior import WITHDRAWN, decides
from services.workflow.store import WorkflowUnit
from services.workflow.tables import effects, tasks, visits
from services.workflow.usecases.run import Run

ASK = "ask_superior"
_OUT = ("held", "requested")
_LIVE = ("open", "waiting_for_effects")


def tell_withdrawn(run: Run, effect: Effect, reason: str) -> None:
    """In the effect's own stream: its owner, and whoever was asked, need not go on."""
    told = facts_pb2.EffectWithdrawn(
        effect_id=effect.effect_id, effect=effect.effect, owner=effect.owner, reason=reason
    )
    i = run.instance
    run.uow.emit(told, stream=effect.effect_id, body_id=i.body_id, case_id=i.case_id, pack=(i.pack_id, i.pack_version))


def asks_of(run: Run) -> list[Effect]:
    """What the case has asked of a superior and has no answer to."""
    mine = (effects.c.instance_id == run.instance.instance_id) & (effects.c.effect == ASK)
    return run.uow.effects.list(mine & (effects.c.state == "requested"), effects.c.position)


def drop_asks(run: Run, reason: str, visit_ids: Sequence[str] | None = None) -> None:
    """Nobody waits for these answers any more; of all visits, where none is named."""
    _drop(run, [e for e in asks_of(run) if visit_ids is None or e.visit_id in visit_ids], reason)


def _drop(run: Run, found: Sequence[Effect], reason: str) -> None:
    for effect in found:
        run.uow.tasks.drop((tasks.c.effect_id == effect.effect_id) & (tasks.c.state == "open"))
        run.uow.effects.change(effect.effect_id, state="dropped", reason=reason, answered_at=clock.now())
        if effect.state == "requested":
            tell_withdrawn(run, effect, reason)


def is_answered(uow: WorkflowUnit, above: Instance) -> bool:
    """Whether the procedure of a request has ended, or what follows its decision (the sealed 批复) is asked for."""
    mine = (visits.c.instance_id == above.instance_id) & (visits.c.state != "cancelled")
    decided = [v.visit_id for v in uow.visits.list(mine, visits.c.position) if decides(v.data)]
    out = effects.c.visit_id.in_(decided) & (effects.c.effect != ASK) & effects.c.state.in_(("requested", "done"))
    return above.concluded or bool(decided and uow.effects.list(out, effects.c.position))


def end_request(run: Run, reason: str, on: date) -> bool:
    """The body below has taken its request back; an answer that was given already holds, and nothing ends.

    Should what follows the decision be refused after all, the request ends then.
    """
    i = run.instance
    if is_answered(run.uow, i):
        run.variables["taken_back"] = reason
        return False
    live = run.uow.visits.list(
        (visits.c.instance_id == i.instance_id) & visits.c.state.in_(_LIVE), visits.c.position
    )
    out = (effects.c.instance_id == i.instance_id) & effects.c.state.in_(_OUT)
    _drop(run, run.uow.effects.list(out, effects.c.position), reason)
    run.variables["open"] = {}
    run.change(concluded=True, outcome=WITHDRAWN, concluded_on=on)
    run.cancel([OpenNode(v.visit_id, v.node_id, "task") for v in live], reason, on)
    run.tell(facts_pb2.ProcedureConcluded(outcome=WITHDRAWN), on)
    return True


def end_if_taken_back(run: Run) -> None:
    """The decision could not be carried out, and nobody below waits for another."""
    if not run.instance.concluded and (reason := run.variables.get("taken_back")):
        end_request(run, reason, run.today)


def case_closed(run: Run, on: date) -> bool:
    """The case is closed: what it asked is taken back, and the nodes that cannot go on without an answer are not done
    again, whether they wait for it or were reopened because there was none."""
    mine = (effects.c.instance_id == run.instance.instance_id) & (effects.c.effect == ASK)
    latest = {(e.visit_id, e.name): e for e in run.uow.effects.list(mine, effects.c.position)}.values()
    asked = asks_of(run)
    drop_asks(run, "报请机关的案件已结案")
    asking = visits.c.visit_id.in_([e.visit_id for e in latest if e.awaited and e.state in ("requested", "refused")])
    left = run.uow.visits.list(asking & visits.c.state.in_(_LIVE), visits.c.position)
    leave(run, left, on)
    i = run.instance
    for effect in asked:
        run.uow.record("withdraw_request", effect.effect_id, case_id=i.case_id, body_id=i.body_id,
                       legal_on=effect.occurred_on, detail={"effect": effect.effect, "reason": "已结案"})  # fmt: skip
    return bool(asked or left)


def leave(run: Run, left: Sequence[Visit], on: date) -> None:
    """Nodes of a closed case that are not done again, with what they held back."""
    reason, ids = "本案已结案，报请随之撤回", [v.visit_id for v in left]
    held = effects.c.visit_id.in_(ids) & (effects.c.state == "held")
    _drop(run, run.uow.effects.list(held, effects.c.position), reason)
    for visit_id in ids:
        run.closed(visit_id)
    run.cancel([OpenNode(v.visit_id, v.node_id, "task") for v in left], reason, on)
