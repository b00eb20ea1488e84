"""Importing courts, bureaus and departments; idempotent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain

from sqlalchemy import select

from anjuan.identity.v1 import events_pb2 as events
from anjuan.identity.v1 import identity_pb2 as pb
from services.identity import messages
from services.identity.model.bodies import Body, Department, body_faults, department_faults, planted
from services.identity.model.faults import Fault, day, fault, refuse
from services.identity.store import IdentityUnit
from services.kit import access, schema
from services.kit.errors import RuleRefusedError


@dataclass(frozen=True)
class Known:
    """What was there before the import. `legal_on`: the date of each scripted tree."""

    bodies: Mapping[str, Body]
    departments: Mapping[str, Department]
    legal_on: Mapping[str, date]


def import_bodies(uow: IdentityUnit, request: pb.ImportBodiesRequest, scripted: bool) -> pb.ImportAnswer:
    """Bring the tree to what is sent; what is not mentioned stays. Ancestors are told before descendants.

    Raises:
        NotAllowedError: not an operator.
        InvalidInputError: with every fault and its place.
        RuleRefusedError: a legal date without the scripted profile, or one that would be moved by an import.
    """
    with uow:
        access.require(uow.connection, uow.cause.actor, "operate")
        uow.bodies.lock()
        dates = uow.connection.execute(select(schema.legal_dates)).all()
        known = Known(uow.bodies.every(), uow.bodies.departments(), {row.root_id: row.legal_on for row in dates})
        wanted = [messages.body_of(sent) for sent in request.bodies]
        departments = [messages.department_of(sent) for sent in request.departments]
        refuse(_faults(request, wanted, departments, known), "机构名单有误，未导入")
        starts = _starting_dates(request, known, scripted)
        done = _put(uow, wanted, departments, known, starts)
        uow.record("import_bodies", "bodies", detail=dict(done))
        return pb.ImportAnswer(created=done["created"], changed=done["changed"], unchanged=done["unchanged"])


def _faults(
    request: pb.ImportBodiesRequest, wanted: Sequence[Body], departments: Sequence[Department], known: Known
) -> Iterator[Fault]:
    names = known.bodies.keys() | {body.body_id for body in wanted}
    yield from chain(body_faults(wanted, known.bodies), department_faults(departments, names))
    for number, sent in enumerate(request.bodies):
        at = f"/bodies/{number}/legal_on"
        if sent.legal_on and day(sent.legal_on) is None:
            yield fault(at, "日期应写成 2025-01-31 的样子")
        if sent.parent_id and (sent.legal_on or sent.body_id in known.legal_on):
            yield fault(at, "只有最上级的机关可以设定法定日期，设定后不得改隶")
    for number, department in enumerate(departments):
        before = known.departments.get(department.department_id)
        if before and before.body_id != department.body_id:
            yield fault(f"/departments/{number}/body_id", f"该部门属于另一机关：{before.body_id}")


def _starting_dates(request: pb.ImportBodiesRequest, known: Known, scripted: bool) -> dict[str, date]:
    """Legal dates of new scripted trees."""
    sent = {body.body_id: found for body in request.bodies if body.legal_on and (found := day(body.legal_on))}
    if sent and not scripted:
        raise RuleRefusedError("法定日期只能在演练环境中设定")
    for body_id, wanted in sent.items():
        if wanted > known.legal_on.get(body_id, wanted):
            raise RuleRefusedError(f"机关已在 {known.legal_on[body_id]}，请用推进法定日期的功能前进")
    return {body_id: on for body_id, on in sent.items() if body_id not in known.legal_on}


def _put(
    uow: IdentityUnit, wanted: Sequence[Body], departments: Sequence[Department], known: Known,
    starts: Mapping[str, date],
) -> Counter[str]:  # fmt: skip
    """Write and tell; how many bodies were created, changed, left as they were."""
    changed = {body.body_id: body for body in planted(_versioned(wanted, known), known.bodies)}
    new_departments = [d for d in departments if known.departments.get(d.department_id) != d]
    touched = {d.body_id for d in new_departments} - changed.keys()
    after = {**changed, **{body_id: known.bodies[body_id] for body_id in touched}}
    told = [replace(body, version=body.version + 1) for body in after.values()]
    told.sort(key=lambda body: (len(body.ancestor_ids), body.body_id))
    for body in told:
        uow.bodies.put(body)
    for department in new_departments:
        uow.bodies.put_department(department)
    _tell(uow, told, {**known.legal_on, **starts}, starts)
    counts = Counter("changed" if body.body_id in known.bodies else "created" for body in told)
    counts["unchanged"] = len({body.body_id for body in wanted} - after.keys())
    return counts


def _versioned(wanted: Sequence[Body], known: Known) -> list[Body]:
    return [
        replace(body, version=known.bodies[body.body_id].version) if body.body_id in known.bodies else body
        for body in wanted
    ]


def _tell(uow: IdentityUnit, told: Sequence[Body], dates: Mapping[str, date], starts: Mapping[str, date]) -> None:
    departments = uow.bodies.departments([body.body_id for body in told]).values()
    for body in told:
        own = messages.department_messages(d for d in departments if d.body_id == body.body_id)
        fact = events.BodyChanged(body=messages.body_message(body), departments=own, ancestor_ids=body.ancestor_ids)
        uow.emit(fact, stream=body.body_id, body_id=body.body_id, occurred_on=dates.get(body.root_id))
    for root, on in starts.items():
        fact_of_date = events.LegalDateAdvanced(root_body_id=root, legal_on=on.isoformat())
        uow.emit(fact_of_date, stream=root, body_id=root, occurred_on=on)
