"""Who carries a case: assigned by a node's effect, or designated anew by those who lead."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from anjuan.workflow.v1 import events_pb2 as facts_pb2
from anjuan.workflow.v1.workflow_pb2 import AssignCaseRequest, Course
from services.kit import access
from services.kit.errors import InvalidInputError, NotAllowedError, RuleRefusedError
from services.kit.procedure.model import ActorRule, Pack
from services.workflow.model.audience import Person
from services.workflow.model.records import Task
from services.workflow.store import WorkflowUnit
from services.workflow.usecases.opening import Opening, offer_own, people_of, waiting_again
from services.workflow.usecases.run import Packs, Run

LEADERS = ("court_president", "vice_president", "body_leader", "division_head")
_OF_BODY = LEADERS[:3]
_CARRIES = ("case_officer", "responsible_judge")


def assign(run: Run, officers: Sequence[str], department_id: str, reason: str, on: date) -> None:
    """Name the people who carry the case; open tasks wait for them from now on.

    Raises:
        InvalidInputError: nobody named, one named twice, or unknown in this body.
        RuleRefusedError: fewer than the pack demands, or one without the qualification it demands.
    """
    people = _known(run, officers)
    _require_fit(run.pack, people, on)
    gone = set(run.instance.officer_ids) - set(officers)
    department = department_id or _department_of(run, people[0])
    if department_id and department_id not in run.uow.people.departments_of(run.instance.body_id):
        said = "承办部门不是本机关的部门"
        raise InvalidInputError(said, [{"pointer": "/department_id", "detail": said}])
    run.change(officer_ids=tuple(officers), department_id=department)
    told = facts_pb2.CaseAssigned(officer_ids=officers, department_id=department, reason=reason)
    run.tell(told, on)
    for task in run.uow.tasks.open_of_instance(run.instance.instance_id):
        _reseat(run, task, gone)


def require_not_self(run: Run, by: Person, named: Sequence[str], before: Sequence[str]) -> None:
    """Who leads a department alone does not name himself: that opens the case's internal volume to him.

    Raises:
        NotAllowedError: he is among the people named, and was not before.
    """
    body_id = run.instance.body_id
    leads = by.has_role(body_id, "division_head") and not any(by.has_role(body_id, r) for r in _OF_BODY)
    if leads and by.person_id in set(named) - set(before):
        raise NotAllowedError(f"{by.name}是部门负责人，不能指定本人，应由院长、机关负责人指定")


def _known(run: Run, officers: Sequence[str]) -> list[Person]:
    if not officers or len(set(officers)) != len(officers):
        raise _wrong("请指定承办人，每人一次")
    found = run.uow.people.find(officers)
    body_id = run.instance.body_id
    for person_id in officers:
        person = found.get(person_id)
        if person is None or not person.serves(body_id):
            name = person.name if person else person_id
            raise _wrong(f"{name}不是本机关的在职人员")
    return [found[p] for p in officers]


def _wrong(said: str) -> InvalidInputError:
    return InvalidInputError(said, [{"pointer": "/officers", "detail": said}])


def carrying_rules(pack: Pack) -> list[ActorRule]:
    """Every rule of the pack that speaks of the people who carry the case."""
    nodes = pack.nodes.values()
    rules = [r for n in nodes for r in n.actor] + [r for n in nodes for level in n.approval.levels for r in level.actor]
    return [r for r in rules if r.relation in _CARRIES]


def _require_fit(pack: Pack, people: Sequence[Person], on: date) -> None:
    rules = carrying_rules(pack)
    needed = max((r.min_people for r in rules), default=1)
    if len(people) < needed:
        raise RuleRefusedError(f"本程序的承办人应当不少于 {needed} 人，现指定 {len(people)} 人")
    for kind in sorted({r.qualification for r in rules if r.qualification}):
        for person in people:
            if not person.holds(kind, on):
                raise RuleRefusedError(f"{person.name}在 {on} 没有有效的执法资格证件，不能承办本案")


def _department_of(run: Run, person: Person) -> str:
    return next((d for b, d, _ in person.appointments if b == run.instance.body_id and d), "")


def _reseat(run: Run, task: Task, gone: set[str]) -> None:
    """A task of somebody who no longer carries the case waits by its rule again."""
    if task.pinned_to and task.pinned_to not in gone:
        return
    waiting = waiting_again(run, task)
    if {s.key for s in waiting} != set(task.keys):
        run.uow.tasks.reseat(task.task_id, waiting, people_of(waiting), run.instance, run.due)


def assign_case(uow: WorkflowUnit, packs: Packs, request: AssignCaseRequest) -> Course:
    """Designate other people, with a reason; leaders of the body or of the department decide it."""
    actor = uow.cause.actor
    access.require(uow.connection, actor, "work_case", case_id=request.case_id)
    if not actor.has(*LEADERS):
        raise NotAllowedError("变更承办人由院长、机关负责人或部门负责人决定")
    if not request.reason.strip():
        raise InvalidInputError("请写明变更理由", [{"pointer": "/reason", "detail": "请写明变更理由"}])
    run = Run.of(uow, packs, request.case_id)
    on = run.today
    require_not_self(run, uow.people.caller(actor), request.officer_ids, run.instance.officer_ids)
    assign(run, list(request.officer_ids), request.department_id, request.reason, on)
    offer_own(run, Opening(on, actor.name))
    run.save()
    i = run.instance
    uow.record("assign_case", i.case_id, case_id=i.case_id, body_id=i.body_id, legal_on=on,
               detail={"officer_ids": list(i.officer_ids), "reason": request.reason})  # fmt: skip
    return Course(case_id=i.case_id, pack_id=i.pack_id, pack_version=i.pack_version, officer_ids=i.officer_ids,
                  department_id=i.department_id)  # fmt: skip
