"""Effects that this room performs itself, in the transaction of the act that asks for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from services.kit.effects import EffectCall
from services.workflow.usecases.assignment import assign
from services.workflow.usecases.hearings import schedule
from services.workflow.usecases.run import Run
from services.workflow.usecases.superior import ask_superior


def _assign_case(run: Run, call: EffectCall) -> dict[str, Any]:
    p = call.params
    assign(run, p["officers"], p.get("department_id", ""), p.get("reason", ""), call.occurred_on)
    return {"officer_ids": list(run.instance.officer_ids)}


def _schedule_hearing(run: Run, call: EffectCall) -> dict[str, Any]:
    p = call.params
    hearing = schedule(run, room=p["room"], starts_at=p["starts_at"], ends_at=p["ends_at"],
                       panel_ids=p.get("panel_ids", []), kind=p["kind"], on=call.occurred_on)  # fmt: skip
    return {"hearing_id": hearing.hearing_id}


# None: people have to decide first; the answer comes later
PERFORMERS: dict[str, Callable[[Run, EffectCall], dict[str, Any] | None]] = {
    "ask_superior": ask_superior,
    "assign_case": _assign_case,
    "schedule_hearing": _schedule_hearing,
}
