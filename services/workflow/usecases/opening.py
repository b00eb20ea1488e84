"""What an engine step means here: visits, tasks under their keys, facts for the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from anjuan.workflow.v1 import events_pb2 as facts_pb2
from services.kit import clock
from services.kit.effects import struct
from services.kit.procedure.engine import OpenNode, Step
from services.kit.procedure.model import ActorRule
from services.workflow.model import superior
from services.workflow.model.audience import Seat, person_key, seats
from services.workflow.model.records import Task
from services.workflow.tables import visits
from services.workflow.usecases.run import Run
from services.workflow.usecases.withdrawal import drop_asks


@dataclass(frozen=True)
class Opening:
    """By which day, and from whom a node's work comes."""

    occurred_on: date
    from_name: str = ""


def move(run: Run, step: Step, opening: Opening) -> None:
    """Take the engine's step: withdrawn visits are cancelled, opened ones get their tasks and earlier facts."""
    run.take(step)
    run.cancel(step.withdrawn, "程序已转入其他环节", opening.occurred_on)
    if step.withdrawn:
        drop_asks(run, "报请的环节已撤销", [n.visit_id for n in step.withdrawn])
    for node in step.opened:
        open_visit(run, node, opening)
    for node in step.opened:
        _offer_earlier(run, node, opening)
    if step.concluded and run.instance.concluded_on is None:
        run.change(concluded_on=opening.occurred_on)
        drop_asks(run, "报请机关的案件程序已终结")
        answer = struct(answer_of(run)) if run.asked else None
        run.tell(facts_pb2.ProcedureConcluded(outcome=step.outcome, answer=answer), opening.occurred_on)


def answer_of(run: Run) -> dict[str, Any]:
    """What a request's procedure has decided, dated by the body's legal date at the deciding act."""
    done = run.uow.visits.list((visits.c.case_id == run.case_id) & (visits.c.state == "done"), visits.c.position)
    acted = [v for v in done if v.act]
    last = next((v for v in reversed(acted) if superior.decides(v.data)), acted[-1] if acted else None)
    told = last.act["act"]["legal_on"] if last else run.uow.legal_on(run.instance.body_id).isoformat()
    return superior.answer(run.instance.outcome, last.data if last else {}, told, str(run.asked.get("asked_on", "")),
                           run.variables.get("results", {}))  # fmt: skip


def offer_own(run: Run, opening: Opening) -> None:
    """Offer what the instance itself has told."""
    for event in run.heard():
        offer(run, event, opening)


def offer(run: Run, event: dict[str, Any], opening: Opening) -> None:
    """Offer a fact to every open wait."""
    if event["type"] in run.waited and not run.instance.concluded:
        step = run.engine.deliver(run.instance.tokens, _with_card(run, event), run.scope())
        _moved_by(run, step, event, opening)


def _with_card(run: Run, event: dict[str, Any]) -> dict[str, Any]:
    return event | {"card": run.scope()["case"]}


def _moved_by(run: Run, step: Step, event: dict[str, Any], opening: Opening) -> None:
    for node in step.taken:
        _arrived(run, node, event, opening.occurred_on)
    if step.taken or step.opened or step.withdrawn or step.counted:
        move(run, step, opening)


def _offer_earlier(run: Run, node: OpenNode, opening: Opening) -> None:
    rule = run.node(node.node_id).waits_for
    if rule is None or rule.from_ != "case":
        return
    for event_id, event in run.uow.facts.unused(run.instance.instance_id, rule.event, node.node_id):
        step = run.engine.deliver_to(run.instance.tokens, node.visit_id, _with_card(run, event), run.scope())
        if step.taken or step.counted:
            run.uow.facts.use(event_id, node.node_id)
            _moved_by(run, step, event, opening)
        if step.taken:
            return


def _arrived(run: Run, node: OpenNode, event: dict[str, Any], occurred_on: date) -> None:
    """A wait has got its fact."""
    rule = run.node(node.node_id)
    if node.kind == "boundary":
        _add_visit(run, node, Opening(occurred_on))
    run.uow.visits.change(node.visit_id, state="done", data=event, occurred_on=occurred_on, done_at=clock.now())
    run.uow.record("fact_arrived", node.visit_id, case_id=run.case_id, body_id=run.instance.body_id,
                   legal_on=occurred_on, detail={"node_id": node.node_id, "event": event["type"]})  # fmt: skip
    told = facts_pb2.NodeCompleted(
        visit_id=node.visit_id, node_id=node.node_id, title=rule.title, stage=rule.stage, data=struct(event)
    )
    run.tell(told, occurred_on)


def open_visit(run: Run, node: OpenNode, opening: Opening) -> None:
    """Record an open node; a person's work gets its task."""
    if node.kind == "boundary":
        return
    _add_visit(run, node, opening)
    rule = run.node(node.node_id)
    if node.kind == "task":
        open_task(run, node.visit_id, node.node_id, rule.actor, opening)
    told = facts_pb2.NodeOpened(visit_id=node.visit_id, node_id=node.node_id, title=rule.title, stage=rule.stage)
    run.tell(told, opening.occurred_on)


def _add_visit(run: Run, node: OpenNode, opening: Opening) -> None:
    rule = run.node(node.node_id)
    run.uow.visits.add(
        visit_id=node.visit_id, instance_id=run.instance.instance_id, case_id=run.case_id, node_id=node.node_id,
        title=rule.title, stage=rule.stage, kind=node.kind, state="open", opened_on=opening.occurred_on,
        from_name=opening.from_name,
    )  # fmt: skip


def open_task(
    run: Run, visit_id: str, node_id: str, rules: Sequence[ActorRule], opening: Opening, *,
    level: str = "", title: str = "", step: int = -1, round_: int = 0, excluded: Sequence[str] = (),
    effect_id: str = "", also: Sequence[str] = (),
) -> str:  # fmt: skip
    """A new task on the work lists of everybody who may take it, `also` of these people; returns its id."""
    rule, task_id = run.node(node_id), clock.new_id()
    waiting = waiting_for(run, rules, title or rule.title, excluded, also)
    run.uow.tasks.add(
        task_id=task_id, instance_id=run.instance.instance_id, case_id=run.case_id, visit_id=visit_id,
        body_id=_body_of(waiting, run.instance.body_id), node_id=node_id, title=title or rule.title, stage=rule.stage,
        kind="approval" if level else "form", level=level, step=step, round=round_, state="open",
        candidate_role=next((r.role for r in rules if r.role), ""), candidate_ids=people_of(waiting),
        keys=[s.key for s in waiting],
        opened_on=opening.occurred_on, from_name=opening.from_name, effect_id=effect_id,
    )  # fmt: skip
    run.uow.tasks.seat(task_id, waiting, run.instance, run.due)
    return task_id


def waiting_for(
    run: Run, rules: Sequence[ActorRule], title: str, excluded: Sequence[str] = (), also: Sequence[str] = ()
) -> list[Seat]:
    """Under which keys a task waits; nobody approves what he has filled in himself."""
    found = {person_key(run.instance.body_id, p): Seat(person_key(run.instance.body_id, p), 0) for p in also}
    found |= {s.key: s for s in seats(rules, run.circle(rules), title)}
    return [replace(s, excluded=tuple(sorted({*s.excluded, *excluded}))) for s in found.values()]


def rules_of(run: Run, task: Task) -> Sequence[ActorRule]:
    """Who may act: at the node, at this level of its approval, or in recording a superior's answer."""
    if task.effect_id:
        return superior.CLERKS
    rule = run.node(task.node_id)
    return rule.approval.levels[task.step].actor if task.kind == "approval" else rule.actor


def waiting_again(run: Run, task: Task) -> list[Seat]:
    """Under which keys a task waits by its rule as things stand now."""
    visit = run.uow.visits.find(task.visit_id) if task.kind == "approval" or task.effect_id else None
    people = visit.people if visit else ()
    also, excluded = (people, ()) if task.effect_id else ((), people)
    return waiting_for(run, rules_of(run, task), task.title, excluded, also)


def reopen_task(run: Run, task: Task, reason: str = "", **values: Any) -> None:
    """A task comes back to the person who did it; when he has left, to whoever may act by its rule."""
    left = task.done_key.startswith("person:") and run.uow.people.has_left(task.done_by)
    waiting = waiting_again(run, task) if left else [Seat(task.done_key, 0)]
    run.uow.tasks.change(
        task.task_id, state="open", pinned_to="" if left else task.done_by, candidate_ids=people_of(waiting),
        keys=[s.key for s in waiting], done_at=None, done_by="", done_by_name="", done_key="", waiting_since=None,
        refused_reason=reason, **values,
    )  # fmt: skip
    run.uow.tasks.seat(task.task_id, waiting, run.instance, run.due)


def people_of(waiting: Sequence[Seat]) -> list[str]:
    """The people that are named."""
    return sorted({s.key.rpartition(":")[2] for s in waiting if s.key.startswith("person:")})


def _body_of(waiting: Sequence[Seat], body_id: str) -> str:
    """The body whose people act: an upper one where the pack asks a superior."""
    bodies = {s.key.split(":")[1] for s in waiting if not s.key.startswith("account:")}
    return bodies.pop() if len(bodies) == 1 else body_id
