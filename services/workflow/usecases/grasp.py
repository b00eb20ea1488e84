"""Taking hold of a task: its case locked, the caller entitled, nothing moved on meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from anjuan.workflow.v1 import workflow_pb2 as pb
from services.kit import access, clock
from services.kit.access.decide import Facts, decide, entities_of
from services.kit.errors import CaseNotKnownError, ConflictError, InvalidInputError, NotAllowedError, require_version
from services.kit.procedure.model import NodeRule
from services.workflow.model.audience import Person, Seat, account_key, person_key, require_fit, rule_for
from services.workflow.model.records import Task, Visit
from services.workflow.store import WorkflowUnit
from services.workflow.tables import effects
from services.workflow.usecases.opening import rules_of
from services.workflow.usecases.run import Packs, Run

_STATES = {"waiting_for_effects": "正在办理后续动作", "done": "已办结", "returned": "已退回", "cancelled": "已撤销"}


@dataclass(frozen=True)
class Grasp:
    """A task in the caller's hand; `rule` is the place of the rule that entitles him, `today` the legal date.
    `card`: what access asks of the case."""

    run: Run
    task: Task
    visit: Visit
    today: date
    caller: Person
    card: Any
    seats: tuple[Seat, ...]
    rule: int = 0

    @property
    def node(self) -> NodeRule:
        """The pack's rule of the node."""
        return self.run.node(self.task.node_id)


def grasp(uow: WorkflowUnit, packs: Packs, task_id: str, kind: str, if_version: int = 0) -> Grasp:
    """An open task that the caller may complete.

    Raises:
        CaseNotKnownError: no such task, or the caller may not know of the case.
        NotAllowedError: he may know of the case, but it is not his task.
        ConflictError: it is done, withdrawn, or of another kind.
        PreconditionError: it has changed since the caller read it.
        InvalidInputError: an approval without the version read.
    """
    hold, actor = held(uow, packs, task_id), uow.cause.actor
    task, keys = hold.task, uow.people.keys(actor, hold.today, hold.caller)
    mine = not keys.isdisjoint(task.keys) or task.done_by == actor.person_id
    require_work(hold, mine)
    if task.state != "open":
        by = f"，办理人{task.done_by_name}" if task.done_by_name else ""
        raise ConflictError(f"“{task.title}”{_STATES[task.state]}{by}，请刷新后查看")
    rule = rule_for(hold.seats, keys, actor.person_id)
    if rule is None:
        raise NotAllowedError(f"“{task.title}”不由您办理")
    if task.kind != kind:
        raise ConflictError("这一任务要审批，不是填写" if kind == "form" else "这一任务要填写，不是审批")
    if kind == "approval" or if_version:
        require_version(if_version, task.version, "任务内容已变化，请刷新后再提交")
    return replace(hold, rule=rule)


def require_work(hold: Grasp, mine: bool) -> None:
    """Raises as access.require does, which is asked only where what was read with the task does not do."""
    uow, actor = hold.run.uow, hold.run.uow.cause.actor
    if hold.card is None or not decide(actor, "work_case", entities_of(hold.card), Facts(mine)):
        access.require(uow.connection, actor, "work_case", case_id=hold.task.case_id, candidate=mine)


def held(uow: WorkflowUnit, packs: Packs, task_id: str) -> Grasp:
    """A task with its visit, under the lock of its case; nothing is checked yet.

    Raises:
        CaseNotKnownError: no such task.
    """
    uow.lock_of(task_id)
    actor = uow.cause.actor
    found = uow.tasks.whole(task_id, actor.person_id if actor.kind == "staff" else "")
    if found is None:
        raise CaseNotKnownError("案件尚未同步到此处，或者您无权查看")
    run = Run(uow, packs.engine(found.instance.pack_sha256), found.instance, found.due)
    run.today = found.today
    caller = found.caller or Person(actor.person_id, actor.name)
    return Grasp(run, found.task, found.visit, found.today, caller, found.card, found.seats)


def day_of(hold: Grasp, text: str) -> date:
    """The day of an act: not after the body's legal date, not before the node opened or was last acted on.

    Raises:
        InvalidInputError: no date, or outside these.
    """
    if not text:
        return hold.today
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise _wrong_day("应为日期，如 2025-03-03") from error
    if day > hold.today:
        raise _wrong_day(f"办理日期不得晚于今天 {hold.today}")
    earliest = hold.run.uow.tasks.last_act_on(hold.visit.visit_id) or hold.visit.opened_on
    if day < earliest:
        raise _wrong_day(f"办理日期不得早于本环节开始或上一步办理之日 {earliest}")
    return day


def _wrong_day(said: str) -> InvalidInputError:
    return InvalidInputError(said, [{"pointer": "/occurred_on", "detail": said}])


def require_people(hold: Grasp, with_ids: Sequence[str], on: date, alone: bool = False) -> tuple[Person, ...]:
    """The caller and those who act with him, all entitled by the same rule; `alone`: others act for themselves.

    Raises:
        InvalidInputError: somebody is named twice or not known.
        NotAllowedError, RuleRefusedError: see model.audience.require_fit.
    """
    if hold.run.uow.cause.actor.kind == "party":
        return (hold.caller,)
    known = hold.run.uow.people.find(with_ids) if with_ids else {}
    ids = [hold.caller.person_id, *with_ids]
    if len(set(ids)) != len(ids) or known.keys() != set(with_ids):
        said = "共同办理的人有重复，或不是本机关人员"
        raise InvalidInputError(said, [{"pointer": "/with_ids", "detail": said}])
    mine = [s for s in hold.seats if s.rule == hold.rule]
    for person in known.values():
        keys = person.keys(hold.task.body_id, on)
        fits = bool(hold.task.pinned_to) or rule_for(mine, keys, person.person_id) is not None
        if not fits:
            raise NotAllowedError(f"{person.name}不能办理“{hold.node.title}”")
    people = (hold.caller, *(known[p] for p in with_ids))
    rule = rules_of(hold.run, hold.task)[hold.rule]
    rule = replace(rule, min_people=1) if alone else rule
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
    out = []
    if state == "waiting_for_effects":
        waits = (effects.c.visit_id == hold.visit.visit_id) & effects.c.awaited
        found = hold.run.uow.effects.list(waits & effects.c.state.in_(("held", "requested")), effects.c.position)
        out = [e.effect for e in found]
    return pb.CompleteTaskAnswer(
        task_id=hold.task.task_id, state=state, waiting_for=out, version=hold.task.version + 1
    )  # fmt: skip
