"""报请的撤回: below what was asked is taken back, above the procedure that should answer it ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from anjuan.workflow.v1 import events_pb2 as facts_pb2
from services.kit import clock
from services.kit.procedure.engine import OpenNode
from services.workflow.model.records import Effect
from services.workflow.model.superior import WITHDRAWN
from services.workflow.tables import effects, tasks, visits
from services.workflow.usecases.run import Run

ASK = "ask_superior"
_OUT = ("held", "requested")


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


def end_request(run: Run, reason: str, on: date) -> bool:
    """The body below has taken its request back; an answer that was given already holds, and nothing ends."""
    i = run.instance
    if i.concluded:
        return False
    live = run.uow.visits.list(
        (visits.c.instance_id == i.instance_id) & visits.c.state.in_(("open", "waiting_for_effects")), visits.c.position
    )
    out = (effects.c.instance_id == i.instance_id) & effects.c.state.in_(_OUT)
    _drop(run, run.uow.effects.list(out, effects.c.position), reason)
    run.variables["open"] = {}
    run.change(concluded=True, outcome=WITHDRAWN, concluded_on=on)
    run.cancel([OpenNode(v.visit_id, v.node_id, "task") for v in live], reason, on)
    run.tell(facts_pb2.ProcedureConcluded(outcome=WITHDRAWN), on)
    return True
