"""Importing people with appointments, qualifications and first passwords; idempotent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from anjuan.identity.v1 import events_pb2 as events
from anjuan.identity.v1 import identity_pb2 as pb
from services.identity import messages
from services.identity.model import passwords
from services.identity.model.faults import Fault, fault, refuse
from services.identity.model.people import BY_OPERATOR_ALONE, Person, password_fault, person_faults
from services.identity.model.sessions import Credential
from services.identity.store import IdentityUnit
from services.kit import access, clock
from services.kit.errors import NotAllowedError


def import_people(uow: IdentityUnit, request: pb.ImportPeopleRequest) -> pb.ImportAnswer:
    """Bring people to what is sent, found by id or else by sign-in name; a password is set only where none is.

    Raises:
        NotAllowedError: neither an operator nor the administrator of every body concerned.
        InvalidInputError: with every fault and its place.
    """
    with uow:
        uow.bodies.lock()
        wanted = [messages.person_of(sent) for sent in request.people]
        known = uow.people.find([p.person_id for p in wanted], [p.sign_in for p in wanted])
        by_id, by_name = {p.person_id: p for p in known}, {p.sign_in: p for p in known}
        _check(uow, request, wanted, by_name)
        pairs = [_matched(person, by_id, by_name) for person in wanted]
        _check_rights(uow, pairs)
        first = list(request.initial_passwords) or [""] * len(pairs)
        done: Counter[str] = Counter(_put(uow, *pair, word) for pair, word in zip(pairs, first, strict=True))
        uow.record("import_people", "people", detail=dict(done))
        return pb.ImportAnswer(created=done["created"], changed=done["changed"], unchanged=done["unchanged"])


def _check(
    uow: IdentityUnit, request: pb.ImportPeopleRequest, wanted: Sequence[Person], by_name: Mapping[str, Person]
) -> None:
    departments = {d.department_id: d.body_id for d in uow.bodies.departments().values()}
    faults = list(person_faults(wanted, uow.bodies.every().keys(), departments))
    faults += _clashes(uow, wanted, by_name)
    sent = list(request.initial_passwords)
    if sent and len(sent) != len(wanted):
        faults.append(fault("/initial_passwords", "初始密码的数目应与人员相同（不设的留空）"))
    faults += [
        fault(f"/initial_passwords/{number}", reason)
        for number, word in enumerate(sent) if word and (reason := password_fault(word))
    ]  # fmt: skip
    refuse(faults, "人员名单有误，未导入")


def _clashes(uow: IdentityUnit, wanted: Sequence[Person], by_name: Mapping[str, Person]) -> Iterator[Fault]:
    for number, person in enumerate(wanted):
        other = by_name.get(person.sign_in)
        taken = other is not None and person.person_id not in ("", other.person_id)
        if other is None:
            credential = uow.doors.credential(sign_in=person.sign_in)
            taken = credential is not None and credential.kind != "staff"
        if taken:
            yield fault(f"/people/{number}/sign_in", f"登录名已由他人使用：{person.sign_in}")


def _matched(
    person: Person, by_id: Mapping[str, Person], by_name: Mapping[str, Person]
) -> tuple[Person | None, Person]:
    """Before and after."""
    before = by_id.get(person.person_id) if person.person_id else by_name.get(person.sign_in)
    person_id = before.person_id if before else person.person_id or clock.new_id()
    return before, replace(person, person_id=person_id, version=before.version if before else 0)


def _check_rights(uow: IdentityUnit, pairs: Sequence[tuple[Person | None, Person]]) -> None:
    actor = uow.cause.actor
    for body_id in sorted({body for before, after in pairs for body in _concerned(before, after)}):
        access.require(uow.connection, actor, "administer_body", body_id=body_id)
    if actor.kind == "operator":
        return
    for before, after in pairs:
        if after.person_id == actor.person_id and before != after:
            raise NotAllowedError("不能更改本人的岗位和资料，请由另一名管理员办理")
        had = {(a.body_id, a.role) for a in before.appointments} if before else set()
        fresh = {(a.body_id, a.role) for a in after.appointments} - had
        if any(role in BY_OPERATOR_ALONE for _, role in fresh):
            raise NotAllowedError("程序包发布人员只能由运维人员设定")


def _concerned(before: Person | None, after: Person) -> set[str]:
    """The home body, and every body in which an appointment comes or goes."""
    moved = set(after.appointments) ^ set(before.appointments if before else ())
    return {after.body_id, before.body_id if before else after.body_id, *(a.body_id for a in moved)}


def _put(uow: IdentityUnit, before: Person | None, after: Person, password: str) -> str:
    _put_credential(uow, before, after, password)
    if before == after:
        return "unchanged"
    person = replace(after, version=after.version + 1)
    uow.people.put(person)
    if person.state == "left":
        uow.doors.end_sessions(person.person_id, clock.now())
    fact = events.PersonChanged(person=messages.person_message(person))
    uow.emit(fact, stream=person.person_id, body_id=person.body_id)
    return "changed" if before else "created"


def _put_credential(uow: IdentityUnit, before: Person | None, after: Person, password: str) -> None:
    kept = uow.doors.credential(holder_id=after.person_id) if before else None
    if kept is None and password:
        hashed = passwords.hash_password(password)
        uow.doors.put_credential(Credential(after.sign_in, "staff", after.person_id, hashed))
    elif kept is not None and kept.sign_in != after.sign_in:
        uow.doors.put_credential(replace(kept, sign_in=after.sign_in))
