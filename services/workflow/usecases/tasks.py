"""What people do at nodes: fill in and complete, keep a draft, send the case back, ask for something beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from anjuan.workflow.v1 import events_pb2 as facts_pb2
from anjuan.workflow.v1 import workflow_pb2 as pb
from services.kit import access
from services.kit.effects import plain
from services.kit.errors import ConflictError, InvalidInputError, NotAllowedError, RuleRefusedError
from services.kit.procedure import conditions
from services.kit.procedure.forms import require_form
from services.workflow.model.audience import seats
from services.workflow.model.records import Visit
from services.workflow.model.upload import Upload
from services.workflow.store import WorkflowUnit
from services.workflow.tables import tasks
from services.workflow.usecases.approvals import next_level, open_level
from services.workflow.usecases.effects import Act, finish
from services.workflow.usecases.grasp import Grasp, answer, day_of, grasp, now_done, require_people
from services.workflow.usecases.opening import Opening, move
from services.workflow.usecases.replies import record_reply
from services.workflow.usecases.run import Packs, Run


def complete_task(
    uow: WorkflowUnit, packs: Packs, request: pb.CompleteTaskRequest, uploads: Sequence[Upload] = ()
) -> pb.CompleteTaskAnswer:
    """Fill in a node's form and hand it on: to the first approver, else to its effects.

    `uploads`: what archive has of a scan that the form names.

    Raises:
        see grasp, day_of, require_people; InvalidInputError with every fault of the form;
        RuleRefusedError: the pack forbids it, with the article.
    """
    hold = grasp(uow, packs, request.task_id, "form", request.if_version)
    if hold.task.effect_id:
        return record_reply(uow, packs, hold, request, uploads)
    on, form = day_of(hold, request.occurred_on), plain(request.data)
    people = require_people(hold, list(request.with_ids), on)
    require_form(hold.run.pack.form_of(hold.task.node_id), form)
    act = Act(people[0].person_id, people[0].name, tuple(p.person_id for p in people), on, hold.today)
    visit = _submitted(hold, act, form)
    _require_allowed(hold, visit, act)
    step = next_level(hold.run, visit, 0, {})
    now_done(hold, "done")
    state = finish(hold.run, visit, hold.task, act) if step is None else open_level(hold.run, visit, step)
    _record(hold, "complete_task", on)
    return answer(hold, state)


def _submitted(hold: Grasp, act: Act, form: dict[str, Any]) -> Visit:
    values: dict[str, Any] = {"data": form, "submitted_by": act.person_id, "submitted_by_name": act.name,
              "people": act.people, "round": hold.visit.round + 1, "reason": ""}  # fmt: skip
    visit = replace(hold.visit, **values)
    hold.run.uow.visits.change(visit.visit_id, **values | {"people": list(act.people)})
    hold.run.uow.tasks.speak(hold.task, visit.round, "submit", "", act.person_id, act.name, act.occurred_on)
    return visit


def _require_allowed(hold: Grasp, visit: Visit, act: Act) -> None:
    if not hold.node.refuses:
        return
    scope = hold.run.scope(form=visit.data, **act.scope(visit))
    for rule in hold.node.refuses:
        if conditions.holds(rule.when, scope):
            where = "、".join(f"《{a.law}》{a.article}" for a in rule.articles)
            raise RuleRefusedError(f"{rule.message}（{where}）", rule=rule.id)


def _record(hold: Grasp, action: str, on: date, **detail: Any) -> None:
    i = hold.run.instance
    hold.run.save()
    hold.run.uow.record(action, hold.task.task_id, case_id=i.case_id, body_id=i.body_id, legal_on=on,
                        detail={"node_id": hold.task.node_id, **detail})  # fmt: skip


def save_draft(uow: WorkflowUnit, packs: Packs, request: pb.SaveDraftRequest) -> pb.SaveDraftAnswer:
    """Keep what is typed; the version stays, nothing is checked but who types."""
    hold = grasp(uow, packs, request.task_id, "form")
    uow.tasks.keep_draft(hold.task.task_id, plain(request.data))
    uow.record("save_draft", hold.task.task_id, case_id=hold.task.case_id, body_id=hold.task.body_id)
    return pb.SaveDraftAnswer(task_id=hold.task.task_id)


def send_back(uow: WorkflowUnit, packs: Packs, request: pb.SendBackRequest) -> pb.CompleteTaskAnswer:
    """Send the case back to an earlier node; what followed it is done again."""
    hold = grasp(uow, packs, request.task_id, "form", request.if_version)
    run, actor = hold.run, uow.cause.actor
    if hold.task.effect_id:
        raise RuleRefusedError("登记上级批复的任务不能退回")
    if not request.reason.strip():
        raise InvalidInputError("请写明退回的理由", [{"pointer": "/reason", "detail": "请写明退回的理由"}])
    if request.to_node_id not in hold.node.send_back_to:
        raise RuleRefusedError(f"“{hold.node.title}”不能退回到该环节")
    on = hold.today
    uow.tasks.speak(hold.task, hold.visit.round, "send_back", request.reason, actor.person_id, actor.name, on)
    now_done(hold, "returned")
    step = run.engine.reset_to(run.instance.tokens, request.to_node_id, run.scope())
    run.tell(facts_pb2.NodeSentBack(visit_id=hold.visit.visit_id, node_id=request.to_node_id, reason=request.reason,
                                    sent_back_by=actor.person_id), on)  # fmt: skip
    move(run, step, Opening(on, actor.name))
    _record(hold, "send_back", on, to=request.to_node_id, reason=request.reason)
    return answer(hold, "returned")


def may_request(run: Run, keys: frozenset[str], person_id: str) -> list[str]:
    """Start events of what a person with these keys may ask for now; what nobody can ask for is not offered."""
    found = []
    for node_id, rule in run.engine.requests(run.instance.tokens, run.scope()).items():
        try:
            waiting = seats(rule.actor, run.circle(rule.actor), run.node(node_id).title)
        except RuleRefusedError:  # nobody is assigned yet
            continue
        if any(s.key in keys and person_id not in s.excluded for s in waiting):
            found.append(node_id)
    return found


def open_request(uow: WorkflowUnit, packs: Packs, request: pb.OpenRequestRequest) -> pb.OpenRequestAnswer:
    """Start an event subprocess that the pack lets people ask for (extension, exclusion, recusal …)."""
    actor = uow.cause.actor
    run = Run.of(uow, packs, request.case_id)
    on = run.today
    mine = request.node_id in may_request(run, uow.people.keys(actor, on), actor.person_id)
    access.require(uow.connection, actor, "work_case", case_id=request.case_id, candidate=mine)
    if request.node_id not in run.engine.requests(run.instance.tokens, run.scope()):
        raise ConflictError("现在不能发起这一事项")
    if not mine:
        raise NotAllowedError(f"“{run.node(request.node_id).title}”不由您发起")
    step = run.engine.request(run.instance.tokens, request.node_id, run.scope())
    move(run, step, Opening(on, actor.name))
    run.save()
    i = run.instance
    uow.record("open_request", request.node_id, case_id=i.case_id, body_id=i.body_id, legal_on=on)
    opened = tasks.c.visit_id.in_([n.visit_id for n in step.opened])
    told = ("task_id", "case_id", "node_id", "title", "state", "version")
    found = [{name: getattr(t, name) for name in told} for t in uow.tasks.list(opened, tasks.c.task_id)]
    return pb.OpenRequestAnswer(tasks=[pb.Task(**t) for t in found])
