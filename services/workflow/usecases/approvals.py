"""Approval within one node: single or level after level, in rounds; returned, recalled, never by oneself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from anjuan.workflow.v1 import events_pb2 as facts_pb2
from anjuan.workflow.v1 import workflow_pb2 as pb
from services.kit.errors import ConflictError, InvalidInputError, NotAllowedError
from services.kit.procedure import conditions
from services.workflow.model.records import Opinion, Visit
from services.workflow.settings import KNOBS
from services.workflow.store import WorkflowUnit
from services.workflow.tables import effects, opinions, tasks
from services.workflow.usecases.effects import Act, finish
from services.workflow.usecases.grasp import Grasp, answer, day_of, grasp, held, now_done, require_people, require_work
from services.workflow.usecases.opening import Opening, open_task, reopen_task, rules_of
from services.workflow.usecases.run import Packs, Run


def next_level(run: Run, visit: Visit, start: int, approvals: dict[str, Any]) -> int | None:
    """The first level from `start` on that applies to what was filled in; None when nobody has to approve any more."""
    levels = run.node(visit.node_id).approval.levels
    if start >= len(levels):
        return None
    today = run.today
    act = Act(visit.submitted_by, visit.submitted_by_name, visit.people, visit.opened_on, today, approvals)
    scope = run.scope(form=visit.data, **act.scope(visit))
    return next((i for i in range(start, len(levels)) if conditions.holds(levels[i].when, scope)), None)


def open_level(run: Run, visit: Visit, step: int, agreed: Sequence[str] = ()) -> str:
    """A task for the people of a level; those who filled in the form, or have `agreed` there, are none of them."""
    level = run.node(visit.node_id).approval.levels[step]
    title = f"{visit.title}·{level.title}" if level.title else visit.title
    opening = Opening(run.today, run.uow.cause.actor.name)
    task_id = open_task(run, visit.visit_id, visit.node_id, level.actor, opening, level=level.id, title=title,
                        step=step, round_=visit.round, excluded=(*visit.people, *agreed))  # fmt: skip
    run.tell(facts_pb2.ApprovalAsked(
        visit_id=visit.visit_id, node_id=visit.node_id, level=level.id, task_id=task_id, title=title,
        person_ids=run.uow.people.seated(run.uow.tasks.seats_of(task_id), KNOBS.told_approvers),
    ), opening.occurred_on)  # fmt: skip
    return "done"


def agreed_at(said: Sequence[Opinion], round_: int, level: str) -> list[str]:
    """Who has agreed at a level of a round, and stands by it."""
    found: list[str] = []
    for o in said:
        if (o.round, o.level) == (round_, level) and o.decision in ("agree", "recall"):
            found = [*found, o.person_id] if o.decision == "agree" else [p for p in found if p != o.person_id]
    return found


def said_of(uow: WorkflowUnit, visit_id: str) -> list[Opinion]:
    """Everything said of a visit, oldest first."""
    rows = uow.opinions.list(opinions.c.visit_id == visit_id, opinions.c.position)
    return [o for o in rows if o.visit_id == visit_id]


def approvals_of(said: list[Opinion], round_: int) -> dict[str, Any]:
    """The variable approvals: who has agreed at which level of this round, and stands by it."""
    found: dict[str, Any] = {}
    for o in said:
        if o.round == round_ and o.level and o.decision == "agree":
            found[o.level] = {"person_id": o.person_id, "name": o.person_name, "decision": "agree", "text": o.text}
        elif o.round == round_ and o.decision == "recall":
            found.pop(o.level, None)
    return found


def decide_approval(uow: WorkflowUnit, packs: Packs, request: pb.DecideApprovalRequest) -> pb.CompleteTaskAnswer:
    """Agree (then the next level, at last the effects), or return to who filled in the form, with a reason."""
    if request.decision not in ("agree", "return"):
        raise InvalidInputError("请选择同意或退回", [{"pointer": "/decision", "detail": "应为其中之一：agree、return"}])
    hold = grasp(uow, packs, request.task_id, "approval", request.if_version)
    on = day_of(hold, request.occurred_on)
    require_people(hold, (), on, alone=True)
    state = _agree(hold, request.text, on) if request.decision == "agree" else _return(hold, request.text, on)
    hold.run.save()
    i = hold.run.instance
    uow.record("decide_approval", hold.task.task_id, case_id=i.case_id, body_id=i.body_id, legal_on=on,
               detail={"decision": request.decision, "level": hold.task.level})  # fmt: skip
    return answer(hold, state)


def _speak(hold: Grasp, decision: str, text: str, on: date) -> None:
    actor = hold.run.uow.cause.actor
    hold.run.uow.tasks.speak(hold.task, hold.visit.round, decision, text, actor.person_id, actor.name, on)


def _agree(hold: Grasp, text: str, on: date) -> str:
    uow, visit, actor = hold.run.uow, hold.visit, hold.run.uow.cause.actor
    _speak(hold, "agree", text, on)
    now_done(hold, "done")
    said = said_of(uow, visit.visit_id)
    agreed = agreed_at(said, visit.round, hold.task.level)
    if agreed.count(actor.person_id) > 1:
        raise ConflictError("您已在这一级表示同意，应由另一人审批")
    if len(agreed) < max(r.min_people for r in rules_of(hold.run, hold.task)):
        return open_level(hold.run, visit, hold.task.step, agreed)
    approvals = approvals_of(said, visit.round)
    step = next_level(hold.run, visit, hold.task.step + 1, approvals)
    if step is not None:
        return open_level(hold.run, visit, step)
    act = Act(actor.person_id, actor.name, visit.people, on, hold.today, approvals)
    return finish(hold.run, visit, hold.task, act)


def _return(hold: Grasp, text: str, on: date) -> str:
    if not text.strip():
        raise InvalidInputError("退回应当写明理由", [{"pointer": "/text", "detail": "请写明退回的理由"}])
    uow, visit = hold.run.uow, hold.visit
    _speak(hold, "return", text, on)
    now_done(hold, "returned")
    form = next(t for t in uow.tasks.of_visit(visit.visit_id) if t.kind == "form")
    reopen_task(hold.run, form, f"{hold.task.title}退回：{text}", from_name=uow.cause.actor.name)
    uow.visits.change(visit.visit_id, reason=text)
    hold.run.tell(facts_pb2.NodeSentBack(
        visit_id=visit.visit_id, node_id=visit.node_id, level=hold.task.level, reason=text,
        sent_back_by=uow.cause.actor.person_id,
    ), on)  # fmt: skip
    return "returned"


def recall(uow: WorkflowUnit, packs: Packs, request: pb.RecallRequest) -> pb.CompleteTaskAnswer:
    """Take back what one has handed on, before the next has acted.

    Raises:
        NotAllowedError: somebody else did it.
        ConflictError: the next has acted, the node is done, or an effect is out.
    """
    hold, actor = held(uow, packs, request.task_id), uow.cause.actor
    run, task, visit = hold.run, hold.task, hold.visit
    mine = task.done_by == actor.person_id
    require_work(hold, mine)
    if not mine:
        raise NotAllowedError("只能撤回本人提交的事项")
    _require_recallable(hold)
    on = hold.today
    _speak(hold, "recall", request.reason, on)
    for other in uow.tasks.list((tasks.c.visit_id == visit.visit_id) & (tasks.c.state == "open")):
        uow.tasks.unseat(other.task_id)
        uow.tasks.change(other.task_id, state="cancelled")
    reopen_task(run, task)
    run.save()
    uow.record("recall", task.task_id, case_id=task.case_id, body_id=run.instance.body_id, legal_on=on,
               detail={"reason": request.reason})  # fmt: skip
    return answer(hold, "open")


def _require_recallable(hold: Grasp) -> None:
    uow, visit, task = hold.run.uow, hold.visit, hold.task
    if task.effect_id or hold.node.approval.recall == "never" or not hold.node.approval.levels:
        raise ConflictError(f"“{task.title}”提交后不能撤回")
    last = said_of(uow, visit.visit_id)[-1]
    if task.state != "done" or visit.state != "open" or last.task_id != task.task_id:
        raise ConflictError("下一级已经办理，或本环节已办结，不能撤回")
    if uow.effects.list((effects.c.visit_id == visit.visit_id) & effects.c.state.in_(("requested", "done"))):
        raise ConflictError("后续动作已经发出，不能撤回")
