"""People, what they are appointed to, and what they are qualified for."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.identity.model.faults import Fault, day, fault, is_id

ROLES = {
    "court_president": "院长", "vice_president": "副院长", "division_head": "庭长（部门负责人）",
    "presiding_judge": "审判长", "judge": "法官", "judges_assistant": "法官助理", "court_clerk": "书记员",
    "peoples_assessor": "人民陪审员", "docketing_clerk": "立案人员", "body_leader": "机关负责人",
    "case_officer": "办案人员", "legal_reviewer": "法制审核人员", "case_reviewer": "案件审核人员",
    "review_head": "审核机构负责人", "hearing_host": "听证主持人",
    "registrar": "案件登记人员", "archivist": "档案人员", "scanner": "扫描人员", "supervisor": "督办人员",
    "body_administrator": "系统管理员", "pack_publisher": "程序包发布人员",
}  # fmt: skip
BY_OPERATOR_ALONE = frozenset({"pack_publisher"})
QUALIFICATIONS = {"law_enforcement_certificate": "行政执法证", "legal_qualification": "法律职业资格"}
STATES = ("active", "left")
SIGN_IN = re.compile(r"[\w.@-]{2,64}")
SHORTEST_PASSWORD, LONGEST_PASSWORD = 10, 200


@dataclass(frozen=True, order=True)
class Appointment:
    """A role in a body, perhaps in one of its departments."""

    body_id: str
    department_id: str
    role: str


@dataclass(frozen=True, order=True)
class Qualification:
    """A certificate with its first and last day, as written; an empty last day means until revoked."""

    kind: str
    number: str
    valid_from: str
    valid_to: str


@dataclass(frozen=True)
class Person:
    """Somebody on the staff. Appointments and qualifications are sorted, without repeats."""

    person_id: str
    sign_in: str
    name: str
    body_id: str
    state: str
    appointments: tuple[Appointment, ...] = ()
    qualifications: tuple[Qualification, ...] = ()
    version: int = 0

    @property
    def body_ids(self) -> frozenset[str]:
        """Every body the person has to do with."""
        return frozenset({self.body_id, *(a.body_id for a in self.appointments)})

    def roles_in(self, body_id: str) -> frozenset[str]:
        """Roles held in a body."""
        return frozenset(a.role for a in self.appointments if a.body_id == body_id)

    def departments_in(self, body_id: str) -> frozenset[str]:
        """Departments of the appointments in a body."""
        return frozenset(a.department_id for a in self.appointments if a.body_id == body_id and a.department_id)


def person_faults(
    people: Sequence[Person], bodies: Collection[str], departments: Mapping[str, str]
) -> Iterator[Fault]:
    """`departments` gives the body of each."""
    seen: set[str] = set()
    for number, person in enumerate(people):
        at = f"/people/{number}"
        for key in {person.person_id, f"sign_in:{person.sign_in}"} & seen:
            yield fault(f"{at}/sign_in", f"同一批中人员重复：{key.removeprefix('sign_in:')}")
        seen |= {person.person_id, f"sign_in:{person.sign_in}"} - {""}
        yield from _own_faults(at, person, bodies)
        yield from _appointment_faults(at, person, bodies, departments)
        yield from _qualification_faults(at, person)


def _own_faults(at: str, person: Person, bodies: Collection[str]) -> Iterator[Fault]:
    if person.person_id and not is_id(person.person_id):
        yield fault(f"{at}/person_id", "人员编号不超过64个字符，不含空格")
    if not SIGN_IN.fullmatch(person.sign_in) or _like_an_id_number(person.sign_in):
        yield fault(f"{at}/sign_in", "登录名应为2至64个字母、数字、汉字或者 . _ - @，且不得是证件号码")
    if not person.name.strip():
        yield fault(f"{at}/name", "请填写姓名")
    if person.body_id not in bodies:
        yield fault(f"{at}/body_id", f"机关不存在：{person.body_id}")
    if person.state not in STATES:
        yield fault(f"{at}/state", f"状态应为 {'、'.join(STATES)} 之一")


def _like_an_id_number(text: str) -> bool:
    # those are the sign-in names of parties
    return re.fullmatch(r"[0-9a-z]{18}", text) is not None and any(c.isdigit() for c in text)


def _appointment_faults(
    at: str, person: Person, bodies: Collection[str], departments: Mapping[str, str]
) -> Iterator[Fault]:
    for place, appointment in enumerate(person.appointments):
        here = f"{at}/appointments/{place}"
        if appointment.role not in ROLES:
            yield fault(f"{here}/role", f"没有这个岗位：{appointment.role}")
        if appointment.body_id not in bodies:
            yield fault(f"{here}/body_id", f"机关不存在：{appointment.body_id}")
        elif appointment.department_id and departments.get(appointment.department_id) != appointment.body_id:
            yield fault(f"{here}/department_id", f"该机关没有这个部门：{appointment.department_id}")


def _qualification_faults(at: str, person: Person) -> Iterator[Fault]:
    for place, held in enumerate(person.qualifications):
        here = f"{at}/qualifications/{place}"
        if held.kind not in QUALIFICATIONS or not held.number.strip():
            yield fault(f"{here}/kind", f"资格类别应为 {'、'.join(QUALIFICATIONS)} 之一，并填写证号")
        start, end = day(held.valid_from), day(held.valid_to)
        if start is None or (held.valid_to and end is None):
            yield fault(f"{here}/valid_from", "有效期应写成 2025-01-31 的样子")
        elif end is not None and end < start:
            yield fault(f"{here}/valid_to", "有效期的截止日早于起始日")


def password_fault(password: str) -> str | None:
    """Why a password cannot be used; None when it can."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        return f"密码应为{SHORTEST_PASSWORD}至{LONGEST_PASSWORD}个字符"
    if len(set(password)) < 4:
        return "密码过于简单，请使用更多不同的字符"
    return None
