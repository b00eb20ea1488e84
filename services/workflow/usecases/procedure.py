"""A procedure begins with a filing, and hears of every fact of its case."""

from __future__ import annotations

from typing import Any

from anjuan.workflow.v1 import events_pb2 as facts_pb2
from services.kit import clock
from services.kit.errors import CaseNotKnownError, UnavailableError
from services.kit.events import Event
from services.workflow.model.records import Instance
from services.workflow.model.variables import case_of_card, case_of_filing, fact_of
from services.workflow.store import WorkflowUnit
from services.workflow.usecases.opening import Opening, move, offer
from services.workflow.usecases.run import Packs, Run, awaited
from services.workflow.usecases.withdrawal import case_closed, end_request


def start_procedure(uow: WorkflowUnit, packs: Packs, event: Event) -> None:
    """Start the procedure of a filing on the pack version that intake has pinned.

    Raises:
        UnavailableError: that version is not published here (yet).
    """
    uow.lock(event.case_id)
    if uow.tasks.has_instance(event.case_id):
        return
    engine = packs.published(uow, event.pack_id, event.pack_version)
    instance = Instance(
        instance_id=clock.new_id(), case_id=event.case_id, body_id=event.body_id, pack_id=event.pack_id,
        pack_version=event.pack_version, pack_sha256=engine.pack.sha256, started_on=event.occurred_on,
        variables={"case": case_of_filing(event)},
    )  # fmt: skip
    run = Run(uow, engine, instance)
    uow.instances.add(**instance.__dict__)
    step = engine.start(run.scope())
    run.tell(facts_pb2.ProcedureStarted(pack_id=event.pack_id, pack_version=event.pack_version), event.occurred_on)
    move(run, step, Opening(event.occurred_on, event.actor.name))
    run.save()
    uow.tasks.redate(event.case_id)
    uow.record("start_procedure", instance.instance_id, case_id=event.case_id, body_id=event.body_id,
               legal_on=event.occurred_on)  # fmt: skip


def hear(uow: WorkflowUnit, packs: Packs, event: Event) -> None:
    """A fact of a case: the register's data are taken over, waits are offered it, due days passed on to tasks.

    Raises:
        UnavailableError: the procedure of the case has not begun here (yet).
    """
    if not event.case_id:
        return
    uow.lock(event.case_id)
    if event.source == "supervision":
        uow.tasks.redate(event.case_id)
        if event.pack_id and event.type not in awaited(packs.published(uow, event.pack_id, event.pack_version).pack):
            return  # such a day may well be told before the procedure has begun here
    run = _begun(uow, packs, event.case_id)
    changed = event.source == "intake" and _register(run, event)
    if event.type == "CaseClosed":
        changed = case_closed(run, event.occurred_on) or changed
    if event.type in run.waited:
        _wait(run, event)
        changed = True
    if changed:
        run.save()


def request_withdrawn(uow: WorkflowUnit, packs: Packs, event: Event) -> None:
    """The body below has taken back what this case was to decide.

    Raises:
        UnavailableError: the procedure of the case has not begun here (yet).
    """
    run = _begun(uow, packs, event.case_id)
    ended = end_request(run, f"下级撤回请示：{event.data.reason}", event.occurred_on)
    run.save()
    if ended:
        uow.record("request_withdrawn", event.case_id, case_id=event.case_id, body_id=run.instance.body_id,
                   legal_on=event.occurred_on, detail={"reason": event.data.reason})  # fmt: skip


def _begun(uow: WorkflowUnit, packs: Packs, case_id: str) -> Run:
    try:
        return Run.of(uow, packs, case_id)
    except CaseNotKnownError as unknown:
        raise UnavailableError("本案的程序尚未启动，稍后重试") from unknown


def _register(run: Run, event: Event) -> bool:
    if "card" not in event.raw:
        return False
    case: dict[str, Any] = run.variables.setdefault("case", {})
    case |= case_of_card(event, case)
    return True


def _wait(run: Run, event: Event) -> None:
    fact = fact_of(event)
    run.keep(event.event_id, fact)
    offer(run, fact, Opening(event.occurred_on, event.actor.name))
