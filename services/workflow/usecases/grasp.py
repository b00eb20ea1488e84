"""Taking hold of a task: its case locked, the caller entitled, nothing moved on meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from anjuan.workflow.v1 import workflow_pb2 as pb
from services.kit import access, clock
from services.kit.errors import CaseNotKnownError, ConflictError, InvalidInputError, NotAllowedError, PreconditionError
from services.kit.procedure.model import ActorRule, NodeRule
from services.workflow.model.audience import Person, account_key, person_key, require_fit
from services.workflow.model.records import Task, Visit
from services.workflow.store import WorkflowUnit
from services.workflow.tables import effects
from services.workflow.usecases.opening import rules_of
from services.workflow.usecases.run import Packs, Run

_UNKNOWN = "案件尚未同步到此处，或者您无权查看"
_STATES = {"waiting_for_effects": "正在办理后续动作", "done": "已办结", "returned": "已退回", "cancelled": "已撤销"}


@dataclass(frozen=True)
class Grasp:
    """A task in the caller's hand; `rule` is the place of the rule that entitles him."""

    run: Run
    task: Task
    visit: Visit
    rule: int

    @property
    def node(self) -> NodeRule:
        """The pack's rule of the node."""
        return self.run.node(self.task.node_id)

    @property
    def rules(self) -> Sequence[ActorRule]:
        """Who may act: at the node, or at this level of its approval."""
        return rules_of(self.run, self.task)


def grasp(uow: WorkflowUnit, packs: Packs, task_id: str, kind: str, if_version: int = 0) -> Grasp:
    """An open task that the caller may complete.

    Raises:
        CaseNotKnownError: no such task, or the caller may not know of the case.
        NotAllowedError: he may know of the case, but it is not his task.
        ConflictError: it is done, withdrawn, or of another kind.
        PreconditionError: it has changed since the caller read it.
    """
    run, task, visit = held(uow, packs, task_id)
    keys, actor = uow.people.keys(uow.cause.actor), uow.cause.actor
    mine = not keys.isdisjoint(task.keys) or task.done_by == actor.person_id
    access.require(uow.connection, actor, "work_case", case_id=task.case_id, candidate=mine)
    if task.state != "open":
        by = f"，办理人{task.done_by_name}" if task.done_by_name else ""
        raise ConflictError(f"“{task.title}”{_STATES[task.state]}{by}，请刷新后查看")
    rule = uow.tasks.seat_of(task_id, keys, actor.person_id)
    if rule is None:
        raise NotAllowedError(f"“{task.title}”不由您办理")
    if task.kind != kind:
        raise ConflictError("这一任务要审批，不是填写" if kind == "form" else "这一任务要填写，不是审批")
    if if_version and if_version != task.version:
        raise PreconditionError("任务内容已变化，请刷新后再提交")
    return Grasp(run, task, visit, rule)


def held(uow: WorkflowUnit, packs: Packs, task_id: str) -> tuple[Run, Task, Visit]:
    """A task with its visit, under the lock of its case.

    Raises:
        CaseNotKnownError: no such task.
    """
    case_id = uow.tasks.case_of(task_id)
    if case_id is None:
        raise CaseNotKnownError(_UNKNOWN)
    run = Run.of(uow, packs, case_id)
    task = uow.tasks.find(task_id)
    visit = uow.visits.find(task.visit_id) if task else None
    if task is None or visit is None:
        raise CaseNotKnownError(_UNKNOWN)
    return run, task, visit


def day_of(hold: Grasp, text: str) -> date:
    """The day of an act: not after the body's legal date, not before the node opened or was last acted on.

    Raises:
        InvalidInputError: no date, or outside these.
    """
    today = hold.run.uow.legal_on(hold.run.instance.body_id)
    try:
        day = date.fromisoformat(text) if text else today
    except ValueError as error:
        raise _wrong_day("应为日期，如 2025-03-03") from error
    if day > today:
        raise _wrong_day(f"办理日期不得晚于今天 {today}")
    earliest = hold.run.uow.tasks.last_act_on(hold.visit.visit_id) or hold.visit.opened_on
    if day < earliest:
        raise _wrong_day(f"办理日期不得早于本环节开始或上一步办理之日 {earliest}")
    return day


def _wrong_day(said: str) -> InvalidInputError:
    return InvalidInputError(said, [{"pointer": "/occurred_on", "detail": said}])


def require_people(hold: Grasp, with_ids: Sequence[str], on: date) -> tuple[Person, ...]:
    """The caller and those who act with him, all entitled by the same rule.

    Raises:
        InvalidInputError: somebody is named twice or not known.
        NotAllowedError, RuleRefusedError: see model.audience.require_fit.
    """
    uow, actor = hold.run.uow, hold.run.uow.cause.actor
    rule = hold.rules[hold.rule]
    if actor.kind == "party":
        return (Person(actor.person_id, actor.name),)
    ids = [actor.person_id, *with_ids]
    known = uow.people.find(ids)
    if len(set(ids)) != len(ids) or not known.keys() >= set(ids):
        said = "共同办理的人有重复，或不是本机关人员"
        raise InvalidInputError(said, [{"pointer": "/with_ids", "detail": said}])
    people = tuple(known[p] for p in ids)
    keys, excluded = uow.tasks.keys_of(hold.task.task_id, hold.rule)
    pinned = bool(hold.task.pinned_to)
    for person in people[1:]:
        fits = pinned or not keys.isdisjoint(person.keys(hold.task.body_id, on))
        if person.person_id in excluded or not fits:
            raise NotAllowedError(f"{person.name}不能办理“{hold.node.title}”")
    require_fit(rule, hold.task.body_id, people, on, hold.node)
    return people


def now_done(hold: Grasp, state: str) -> None:
    """The task leaves the work lists; who did it is written down."""
    actor = hold.run.uow.cause.actor
    body_id = hold.task.body_id
    key = account_key(actor.account_id) if actor.kind == "party" else person_key(body_id, actor.person_id)
    hold.run.uow.tasks.unseat(hold.task.task_id)
    hold.run.uow.tasks.change(
        hold.task.task_id, state=state, done_at=clock.now(), done_by=actor.person_id, done_by_name=actor.name,
        done_key=key, refused_reason="",
    )  # fmt: skip


def answer(hold: Grasp, state: str) -> pb.CompleteTaskAnswer:
    """What the caller is told of his act."""
    uow, visit_id = hold.run.uow, hold.visit.visit_id
    out = []
    if state == "waiting_for_effects":
        waits = (effects.c.visit_id == visit_id) & effects.c.state.in_(("held", "requested")) & effects.c.awaited
        out = [e.effect for e in uow.effects.list(waits, effects.c.position)]
    task = uow.tasks.find(hold.task.task_id)
    version = task.version if task else hold.task.version
    return pb.CompleteTaskAnswer(task_id=hold.task.task_id, state=state, waiting_for=out, version=version)
