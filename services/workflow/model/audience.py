"""Who may act at a node: rules of the pack over people's appointments and their relation to the case. Pure.

A task waits under keys (a role of a body, a person, an account); a person finds it under his own keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from services.kit.errors import NotAllowedError, RuleRefusedError
from services.kit.procedure.model import ActorRule, NodeRule


@dataclass(frozen=True)
class Person:
    """What the projection person_card tells."""

    person_id: str
    name: str
    state: str = "active"
    appointments: tuple[tuple[str, str, str], ...] = ()  # body, department, role
    qualifications: tuple[tuple[str, str, str], ...] = ()  # kind, valid from, valid to (ISO days or empty)

    @classmethod
    def of(cls, row: Any) -> Person:
        """From a row of person_card."""
        return cls(
            row.person_id, row.name, row.state,
            tuple((a["body_id"], a["department_id"], a["role"]) for a in row.appointments),
            tuple((q["kind"], q["valid_from"], q["valid_to"]) for q in row.qualifications),
        )  # fmt: skip

    def holds(self, kind: str, on: date) -> bool:
        """Whether a qualification is held and valid that day."""
        day = on.isoformat()
        return any(k == kind and (not a or a <= day) and (not b or day <= b) for k, a, b in self.qualifications)

    def serves(self, body_id: str) -> bool:
        """Whether the person is in office with an appointment in a body."""
        return self.state == "active" and any(b == body_id for b, _, _ in self.appointments)

    def has_role(self, body_id: str, role: str) -> bool:
        """Whether a role is held in a body."""
        return any(b == body_id and r == role for b, _, r in self.appointments)

    def keys(self, body_id: str, on: date, roles: Iterable[str] | None = None) -> frozenset[str]:
        """Every key under which a task may wait for this person acting for a body, in `roles` or all."""
        if self.state != "active":
            return frozenset()
        kinds = ["", *sorted({k for k, _, _ in self.qualifications if self.holds(k, on)})]
        mine = [(d, r) for b, d, r in self.appointments if b == body_id and (roles is None or r in set(roles))]
        found = {role_key(body_id, r, d, k) for department, r in mine for d in ("", department) for k in kinds}
        return frozenset(found | {person_key(body_id, self.person_id)})


def role_key(body_id: str, role: str, department_id: str = "", qualification: str = "") -> str:
    """The key of a role in a body; with a department or a qualification only those who have it."""
    return f"role:{body_id}:{role}:{department_id}:{qualification}"


def person_key(body_id: str, person_id: str) -> str:
    """The key of a person acting for a body."""
    return f"person:{body_id}:{person_id}"


def account_key(account_id: str) -> str:
    """The key of a party's account."""
    return f"account:{account_id}"


@dataclass(frozen=True)
class Circle:
    """The people around a case. `departments`: body -> id -> kind; `actors`: node -> people of its last visit."""

    body_id: str
    superior_id: str = ""
    department_id: str = ""
    departments: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    officers: tuple[str, ...] = ()
    panel: tuple[str, ...] = ()
    previous: tuple[str, ...] = ()
    actors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    accounts: tuple[str, ...] = ()

    def related(self, relation: str) -> tuple[str, ...]:
        """Ids of the people in a relation to the case."""
        return _RELATIONS[relation](self)


_RELATIONS: dict[str, Callable[[Circle], tuple[str, ...]]] = {
    "case_officer": lambda c: c.officers,
    "responsible_judge": lambda c: c.officers[:1],
    "presiding_judge": lambda c: c.panel[:1] or c.officers[:1],
    "panel_member": lambda c: c.panel or c.officers,
    "previous_actor": lambda c: c.previous,
}


@dataclass(frozen=True)
class Seat:
    """One key under which a task waits; `rule` is the place of its rule among the node's rules."""

    key: str
    rule: int
    excluded: tuple[str, ...] = ()


def seats(rules: Sequence[ActorRule], circle: Circle, title: str) -> tuple[Seat, ...]:
    """Under which keys the task of a node waits.

    Raises:
        RuleRefusedError: nobody could ever take it: no officer assigned, no such department.
    """
    found = [Seat(key, at, _excluded(rule, circle)) for at, rule in enumerate(rules) for key in _keys(rule, circle)]
    if not found:
        raise RuleRefusedError(f"环节“{title}”没有可以办理的人：请先指定承办人，或请系统管理员设置相应部门、岗位")
    return tuple({seat.key: seat for seat in reversed(found)}.values())


def _excluded(rule: ActorRule, circle: Circle) -> tuple[str, ...]:
    ids = {p for relation in rule.not_relation for p in circle.related(relation)}
    ids |= {p for node in rule.not_actor_of for p in circle.actors.get(node, ())}
    return tuple(sorted(ids))


def _keys(rule: ActorRule, circle: Circle) -> list[str]:
    body_id = circle.superior_id if rule.in_ == "superior_body" else circle.body_id
    if rule.relation == "party":
        return [account_key(account) for account in circle.accounts]
    if rule.relation == "court_clerk":
        return [role_key(body_id, "court_clerk", circle.department_id)]
    if rule.relation:
        return [person_key(body_id, p) for p in circle.related(rule.relation)]
    if rule.actor_of:
        return [person_key(body_id, p) for p in circle.actors.get(rule.actor_of, ())]
    if not body_id:
        return []
    return [role_key(body_id, rule.role, d, rule.qualification) for d in _departments(rule, circle, body_id)]


def _departments(rule: ActorRule, circle: Circle, body_id: str) -> list[str]:
    if not rule.department_kind:
        return [circle.department_id if rule.in_ == "department" else ""]
    found = [d for d, kind in sorted(circle.departments.get(body_id, {}).items()) if kind == rule.department_kind]
    inside = rule.in_ != "department" or not circle.department_id
    return [d for d in found if inside or d == circle.department_id]


def rule_for(waiting: Sequence[Seat], keys: frozenset[str], person_id: str) -> int | None:
    """The first rule by which a person with these keys may take a task; None: he may not."""
    mine = [s.rule for s in waiting if s.key in keys and person_id not in s.excluded]
    return min(mine, default=None)


def require_fit(rule: ActorRule, body_id: str, people: Sequence[Person], on: date, node: NodeRule) -> None:
    """What keys cannot say: role beside a relation, valid qualification, enough different people.

    `people`: the actor first, then those who act with him.

    Raises:
        NotAllowedError: one of them lacks the role or the qualification on that day.
        RuleRefusedError: too few people.
    """
    for person in people:
        if rule.role and not person.has_role(body_id, rule.role):
            raise NotAllowedError(f"{person.name}不担任本环节要求的岗位，不能办理“{node.title}”")
        if rule.qualification and not person.holds(rule.qualification, on):
            raise NotAllowedError(f"{person.name}在 {on} 没有有效的执法资格证件，不能办理“{node.title}”")
    if len({p.person_id for p in people}) < rule.min_people:
        article = f"（《{node.articles[0].law}》{node.articles[0].article}）" if node.articles else ""
        raise RuleRefusedError(f"“{node.title}”应当由至少 {rule.min_people} 人共同办理{article}，请填写共同办理的人")
