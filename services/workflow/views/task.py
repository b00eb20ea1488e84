"""One task: what to fill in or to decide, what has been said, what the caller may do."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from anjuan.workflow.v1 import workflow_pb2 as pb
from services.kit import access
from services.kit.effects import struct
from services.kit.errors import CaseNotKnownError
from services.kit.procedure import conditions
from services.kit.procedure.model import NodeRule
from services.kit.schema import case_card
from services.workflow.model.audience import rule_for
from services.workflow.model.records import Task, Visit
from services.workflow.model.superior import REPLY_FORM
from services.workflow.store import WorkflowUnit
from services.workflow.tables import effects
from services.workflow.usecases.approvals import said_of
from services.workflow.usecases.opening import rules_of
from services.workflow.usecases.run import Packs, Run
from services.workflow.views.course import effect_states, open_fields, opinion
from services.workflow.views.tasks import task_fields

log = logging.getLogger("anjuan.workflow")


def get_task(uow: WorkflowUnit, packs: Packs, request: pb.GetTaskRequest) -> pb.TaskView:
    """A task with its form.

    Raises:
        CaseNotKnownError: no such task, or the caller may not know of the case.
        NotAllowedError: it is not his, and he may not open the dossier (of internal nodes: the internal volume).
    """
    actor = uow.cause.actor
    found = uow.tasks.whole(request.task_id, actor.person_id if actor.kind == "staff" else "")
    if found is None:
        raise CaseNotKnownError("案件尚未同步到此处，或者您无权查看")
    task, visit = found.task, found.visit
    run = Run(uow, packs.engine(found.instance.pack_sha256), found.instance, found.due)
    run.today = found.today
    keys = uow.people.keys(actor, found.today, found.caller)
    entitled = rule_for(found.seats, keys, actor.person_id) is not None
    mine = entitled or task.done_by == actor.person_id
    node = run.node(task.node_id)
    action = "view_case" if mine else "view_internal" if node.internal else "view_dossier"
    access.require(uow.connection, actor, action, case_id=task.case_id, candidate=mine, reason=request.reason)
    internal = (mine and actor.kind != "party") or access.allowed(
        uow.connection, actor, "view_internal", case_id=task.case_id, reason=request.reason
    )
    if not mine or node.internal:
        uow.record("read_task", task.task_id, case_id=task.case_id, body_id=task.body_id,
                   detail={"reason": request.reason, "internal": internal})  # fmt: skip
    return _view(run, task, visit, node, entitled, mine, internal)


def _view(
    run: Run, task: Task, visit: Visit, node: NodeRule, entitled: bool, mine: bool, internal: bool
) -> pb.TaskView:
    uow, schema = run.uow, REPLY_FORM if task.effect_id else run.pack.form_of(task.node_id)
    rules, back_to = rules_of(run, task), () if task.effect_id else node.send_back_to
    draft, staff = _draft(run, task, visit, schema or {}), uow.cause.actor.kind != "party"
    if not internal:
        draft = open_fields(run, task.node_id, draft)
    view = pb.TaskView(
        task=_task(run, task), form_schema_json=json.dumps(schema, ensure_ascii=False) if schema else "",
        draft=struct(draft),
        actions=_actions(task, bool(back_to), entitled, mine and _may_recall(run, task, visit, node)),
        send_back_to=back_to, min_people=max((r.min_people for r in rules), default=1),
    )  # fmt: skip
    if staff:
        view.opinions.extend(opinion(o) for o in said_of(uow, visit.visit_id))
        out = uow.effects.list(effects.c.visit_id == visit.visit_id, effects.c.position)
        view.effects.extend(effect_states(run.pack, out, internal))
    return view


def _task(run: Run, task: Task) -> pb.Task:
    c = case_card.c
    row = run.uow.connection.execute(case_card.select().where(c.case_id == task.case_id)).one_or_none()
    shown = pb.Task(**task_fields(task))
    if row is not None:
        for name in ("case_number", "party_names", "cause", "due_unit", "provisional", "due_state"):
            setattr(shown, name, getattr(row, name))
        shown.case_title, shown.due_on = row.title, row.due_on.isoformat() if row.due_on else ""
    return shown


def _draft(run: Run, task: Task, visit: Visit, schema: Mapping[str, Any]) -> dict[str, Any]:
    """What the approver reads; what was typed; what the last visit said; else what the form fills in by itself."""
    if task.effect_id:
        return task.draft
    if task.kind == "approval" or task.state != "open":
        return visit.data
    earlier: dict[str, Any] = run.variables.get("forms", {}).get(task.node_id, {})
    return task.draft or visit.data or earlier or _prefilled(run, schema)


def _prefilled(run: Run, schema: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for name, field in schema.get("properties", {}).items():
        if "x-default" not in field:
            continue
        try:
            found[name] = conditions.resolve(field["x-default"], run.scope())
        except conditions.ConditionError as error:  # an empty field is no harm, a task that cannot be opened is
            log.warning("prefill_failed", extra={"field": name, "error": error.detail})
    return found


def _actions(task: Task, back: bool, entitled: bool, recallable: bool) -> list[str]:
    if task.state == "open" and entitled:
        if task.kind == "approval":
            return ["approve", "return"]
        return ["complete", "send_back"] if back else ["complete"]
    return ["recall"] if recallable else []


def _may_recall(run: Run, task: Task, visit: Visit, node: NodeRule) -> bool:
    if task.effect_id or node.approval.recall == "never" or task.state != "done" or visit.state != "open":
        return False
    return said_of(run.uow, visit.visit_id)[-1].task_id == task.task_id
