"""Who signs an instrument, in which order, and what was signed. Rules of the pack over people and the case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from services.documents.model.case import Case
from services.kit.errors import ConflictError, NotAllowedError
from services.kit.procedure.model import ActorRule, InstrumentRule, Pack

RELATIONS = {"case_officer": "承办人", "responsible_judge": "承办法官", "presiding_judge": "审判长",
             "panel_member": "合议庭成员", "court_clerk": "书记员"}  # fmt: skip


@dataclass(frozen=True)
class Person:
    """A person acting for a body: roles and departments held there, qualifications as (kind, from, to)."""

    person_id: str
    name: str
    body_id: str
    roles: frozenset[str] = frozenset()
    department_ids: frozenset[str] = frozenset()
    qualifications: tuple[tuple[str, str, str], ...] = ()

    def holds(self, kind: str, on: date) -> bool:
        """Whether a qualification is valid that day."""
        day = on.isoformat()
        return any(k == kind and (not a or a <= day) and (not b or day <= b) for k, a, b in self.qualifications)


@dataclass(frozen=True)
class Signature:
    """One signature; `sha256` is that of the docx that was read."""

    position: int
    person_id: str
    person_name: str
    role: str
    sha256: str
    signed_at: datetime


@dataclass(frozen=True)
class Seat:
    """One place in the order of signatures: a certain person, or whoever fits one of the rules."""

    title: str
    person_id: str = ""
    rules: tuple[ActorRule, ...] = ()

    def fits(self, person: Person, case: Case, on: date) -> bool:
        """Whether this person may take the place."""
        if self.person_id:
            return person.person_id == self.person_id and person.body_id == case.body.body_id
        return any(_fits(rule, person, case, on) for rule in self.rules)


def seats(pack: Pack, rule: InstrumentRule, case: Case) -> list[Seat]:
    """Signers of `signed_by` in order, then the approver of the node `approved_in`; none: nobody needs to sign."""
    found: list[Seat] = []
    for signer in rule.signed_by:
        taken = {seat.person_id for seat in found}
        found += [seat for seat in _of(signer, pack, case) if not seat.person_id or seat.person_id not in taken]
    if rule.approved_in:
        found.append(_approver(pack, rule.approved_in))
    return found


def _of(rule: ActorRule, pack: Pack, case: Case) -> Iterator[Seat]:
    if rule.relation and rule.relation != "court_clerk":
        people = _related(rule.relation, case)
        title = _title(rule, pack)
        yield from (Seat(_member(title, place, case), person) for place, person in enumerate(people)) if people else (
            Seat(title, rules=(rule,)),
        )
    elif rule.actor_of and case.actors.get(rule.actor_of):
        yield Seat(_title(rule, pack), case.actors[rule.actor_of][0])
    else:
        yield Seat(_title(rule, pack), rules=(rule,))


def _member(title: str, place: int, case: Case) -> str:
    if title not in (RELATIONS["panel_member"], RELATIONS["presiding_judge"]):
        return title
    return "审判长" if place == 0 and len(case.panel) > 1 else "审判员"  # a sole judge presides over nobody


def _title(rule: ActorRule, pack: Pack) -> str:
    if rule.relation:
        return RELATIONS.get(rule.relation, rule.relation)
    return pack.labels.get("roles", {}).get(rule.role, rule.role) or "签批人"


def _related(relation: str, case: Case) -> tuple[str, ...]:
    return {
        "case_officer": case.officers, "responsible_judge": case.officers[:1],
        "presiding_judge": case.panel[:1] or case.officers[:1], "panel_member": case.panel or case.officers,
    }.get(relation, ())  # fmt: skip


def _approver(pack: Pack, node_id: str) -> Seat:
    """Whoever has the last word at the node: its last level and those that sometimes follow it, or its actor."""
    node = pack.nodes[node_id]
    levels = list(node.approval.levels)
    firm = max((n for n, level in enumerate(levels) if not level.when), default=0)
    rules = tuple(r for level in levels[firm:] for r in level.actor) or node.actor
    return Seat(f"签批人（{'、'.join(dict.fromkeys(_title(r, pack) for r in rules))}）", rules=rules)


def _fits(rule: ActorRule, person: Person, case: Case, on: date) -> bool:
    body_id = case.body.parent_id if rule.in_ == "superior_body" else case.body.body_id
    barred = {p for relation in rule.not_relation for p in _related(relation, case)}
    barred |= {p for node in rule.not_actor_of for p in case.actors.get(node, ())}
    related = not rule.relation or rule.relation == "court_clerk" or person.person_id in _related(rule.relation, case)
    role = "court_clerk" if rule.relation == "court_clerk" else rule.role
    return (
        person.body_id == body_id and person.person_id not in barred and related
        and (not role or role in person.roles)
        and (not rule.actor_of or person.person_id in tuple(case.actors.get(rule.actor_of, ()))[:1])
        and _in_department(rule, person, case)
        and (not rule.qualification or person.holds(rule.qualification, on))
    )  # fmt: skip


def _in_department(rule: ActorRule, person: Person, case: Case) -> bool:
    mine = person.department_ids
    if rule.in_ == "department" and case.card["department_id"] and case.card["department_id"] not in mine:
        return False
    return not rule.department_kind or any(case.body.departments.get(d) == rule.department_kind for d in mine)


def next_seat(wanted: Sequence[Seat], signed: Sequence[Signature]) -> Seat | None:
    """Whose turn it is; None when everybody has signed."""
    return wanted[len(signed)] if len(signed) < len(wanted) else None


def require_turn(wanted: Sequence[Seat], signed: Sequence[Signature], person: Person, case: Case, on: date) -> Seat:
    """The place that this person takes now.

    Raises:
        ConflictError: everybody has signed, or this person has.
        NotAllowedError: it is another's turn.
    """
    seat = next_seat(wanted, signed)
    if seat is None:
        raise ConflictError("该文书已全部签署，无须再签")
    if seat.fits(person, case, on):
        return seat
    if any(s.person_id == person.person_id for s in signed):
        raise ConflictError("您已签署过现行版本")
    raise NotAllowedError(f"现在应由{seat.title}签署，您不能签署")


def signers_text(signed: Sequence[Signature], body_name: str) -> str:
    """署名: who signed, one a line; the body where nobody did."""
    return "\n".join(f"{_short(s.role)}　{s.person_name}" for s in signed) or body_name


def _short(role: str) -> str:
    return role.removeprefix("签批人（").removesuffix("）")


def person_of(actor: Any, card: Mapping[str, Any] | None) -> Person:
    """The caller as a signer: roles of the token, qualifications of the person's card."""
    held = tuple((q["kind"], q["valid_from"], q["valid_to"]) for q in (card or {}).get("qualifications", ()))
    return Person(actor.person_id, actor.name, actor.body_id, actor.roles, actor.department_ids, held)
