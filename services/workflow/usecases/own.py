"""Effects that this room performs itself, in the transaction of the act that asks for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from services.kit.effects import EffectCall
from services.workflow.usecases.assignment import assign, require_not_self
from services.workflow.usecases.hearings import schedule
from services.workflow.usecases.run import Run
from services.workflow.usecases.superior import ask_superior


def _require_named_by_another(run: Run, call: EffectCall, named: Sequence[str], before: Sequence[str]) -> None:
    """As for a call of his own, unless somebody has approved what he filled in."""
    visit = run.uow.visits.find(call.visit_id)
    if visit is not None and visit.completed_by == visit.submitted_by:
        found = run.uow.people.find([visit.submitted_by])
        for by in found.values():
            require_not_self(run, by, named, before)


def _assign_case(run: Run, call: EffectCall) -> dict[str, Any]:
    p = call.params
    if not p.get("may_name_self"):
        _require_named_by_another(run, call, p["officers"], run.instance.officer_ids)
    assign(run, p["officers"], p.get("department_id", ""), p.get("reason", ""), call.occurred_on)
    return {"officer_ids": list(run.instance.officer_ids)}


def _schedule_hearing(run: Run, call: EffectCall) -> dict[str, Any]:
    p = call.params
    before = (*run.instance.panel_ids, *run.instance.officer_ids)  # who carries the case already gains nothing
    _require_named_by_another(run, call, p.get("panel_ids", []), before)
    hearing = schedule(run, room=p["room"], starts_at=p["starts_at"], ends_at=p["ends_at"],
                       panel_ids=p.get("panel_ids", []), kind=p["kind"], on=call.occurred_on)  # fmt: skip
    return {"hearing_id": hearing.hearing_id}


# None: people have to decide first; the answer comes later
PERFORMERS: dict[str, Callable[[Run, EffectCall], dict[str, Any] | None]] = {
    "ask_superior": ask_superior,
    "assign_case": _assign_case,
    "schedule_hearing": _schedule_hearing,
}
