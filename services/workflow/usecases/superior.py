"""Asking a superior: the upper body of this site decides in a case of its own, any other answers on paper."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from anjuan.workflow.v1 import events_pb2 as facts_pb2
from services.kit.effects import EffectCall, struct
from services.kit.errors import RuleRefusedError
from services.kit.legal_calendar import TimeLimit
from services.kit.schema import case_card
from services.workflow.model import superior
from services.workflow.model.superior import Tier
from services.workflow.usecases.opening import Opening, open_task
from services.workflow.usecases.run import Run


def ask_superior(run: Run, call: EffectCall) -> None:
    """Effect: the answer comes when the upper body's own procedure has ended, or a clerk has recorded the paper.

    Raises:
        RuleRefusedError: the approver is no body, the case is closed, or the limit to be extended has run out.
    """
    chain, i, today = run.uow.people.chain(call.body_id), run.instance, run.uow.legal_on(call.body_id)
    upper = superior.approver(str(call.params["approver"]), chain)
    _require_running(run, call)
    asked = _request(run, call, chain[0]) | {"asked_on": today.isoformat()}
    to_body_id = upper.body_id if upper and run.uow.people.works_here(upper.body_id) else ""
    if not to_body_id:
        _await_paper(run, call, Opening(today, run.uow.cause.actor.name))
    run.uow.emit(facts_pb2.SuperiorAsked(
        effect_id=call.effect_id, to_body_id=to_body_id, pack_id=str(call.params.get("pack") or superior.PACK),
        title=f"{asked['asked_by_name']}报请{asked['matter']}：{asked['case_number'] or asked['title']}",
        request=struct(asked), secrecy_level=asked["secrecy_level"],
    ), stream=call.effect_id, case_id=i.case_id, body_id=i.body_id, occurred_on=today,
        pack=(i.pack_id, i.pack_version))  # fmt: skip


def _await_paper(run: Run, call: EffectCall, opening: Opening) -> None:
    visit = run.uow.visits.find(call.visit_id)
    open_task(run, call.visit_id, call.node_id, superior.CLERKS, opening, effect_id=call.effect_id,
              title=f"登记上级批复：{call.params['matter']}", also=visit.people if visit else ())  # fmt: skip


def _require_running(run: Run, call: EffectCall) -> None:
    """What has run out can no longer be extended, so nobody is asked."""
    limit_id, due, today = call.params.get("limit_id"), run.due, run.uow.legal_on(call.body_id)
    if limit_id and due.limit_id == limit_id and due.on and today > due.on:
        known = run.pack.deadlines.get(limit_id)
        by = f"（{TimeLimit.from_data(known).law}）" if known else ""
        raise RuleRefusedError(f"期限已于 {due.on} 届满，延长应当在届满前批准，不能再报请{by}")


def _request(run: Run, call: EffectCall, own: Tier) -> dict[str, Any]:
    """What the upper body reads: the matter, who asks, and the register's card with the governing due day."""
    card = run.uow.connection.execute(select(case_card).where(case_card.c.case_id == run.case_id)).one()
    if card.state == "closed":
        raise RuleRefusedError("本案已结案，不能再报请")
    same = ("case_id", "case_number", "title", "cause", "stage", "secrecy_level")
    days = {name: getattr(card, name) for name in ("received_on", "docketed_on", "due_on")}
    told = {name: getattr(card, name) for name in same}
    if card.sealed or card.involves_minor:  # nothing of what is shut goes into another body's register
        told |= {"title": "", "cause": ""}
    return superior.content(call.params) | told | {
        "asked_by": own.body_id, "asked_by_name": own.name, "effect_id": call.effect_id,
        "requested_by": run.uow.cause.actor.name,
        "party_names": "" if card.sealed or card.involves_minor else card.party_names,
        "governing_limit_id": card.limit_id,
    } | {name: day.isoformat() if day else "" for name, day in days.items()}  # fmt: skip
