"""The bodies and people of an example, imported before it is played; each example has bodies of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from anjuan.identity.v1 import identity_pb2 as pb
from services.ops.demo import courts

PASSWORD = "Anjuan-2025-demo"  # noqa: S105 the same for every person of a play, printed at its end
LEFT_FREE = "9999-12-31"
DEPARTMENTS = {"investigation": "执法办案科", "legal": "法规科", "docketing": "立案庭", "civil": "民事审判庭"}


@dataclass(frozen=True)
class Cast:
    """Who plays: ids by the example's short names. `root` is the tree whose legal date is moved."""

    key: str
    root: str
    body: str
    people: Mapping[str, str]
    example: Mapping[str, Any]

    @classmethod
    def of(cls, key: str, example: Mapping[str, Any]) -> Cast:
        """`key` makes the ids of one play differ from another's."""
        people = {short: _id(key, "person", short) for short in example["people"]}
        return cls(key, _id(key, "root"), _id(key, "body"), people, example)

    def sign_in(self, short: str) -> str:
        """The sign-in name of a person."""
        return f"{self.key}.{short}"

    def reader(self) -> str:
        """A person of the body that works the case, who may read all of it: a leader, else whoever is first."""
        people: Mapping[str, Any] = self.example["people"]
        leaders = {"body_leader", "court_president"}
        own = [short for short, told in people.items() if told.get("body", "own") == "own"]
        return next((short for short in own if leaders & set(people[short].get("roles", []))), own[0])

    def registry(self) -> str:
        """Whoever registers cases and proves servings before anybody is assigned, else the first person."""
        people: Mapping[str, Any] = self.example["people"]
        clerks = {"docketing_clerk", "registrar"}
        return next((short for short in people if clerks & set(people[short].get("roles", []))), next(iter(people)))

    def recorder(self) -> str:
        """Whoever keeps the panel's records, else the registry."""
        people: Mapping[str, Any] = self.example["people"]
        return next((short for short in people if "court_clerk" in people[short].get("roles", [])), self.registry())

    def body_name(self, short: str) -> str:
        """The body of a person, as it is called."""
        above = self.example["people"][short].get("body") == "superior"
        return next(b.name for b in self.bodies("").bodies if b.body_id == (self.root if above else self.body))

    def first_day(self) -> str:
        """The day of the first act."""
        return min(str(act["on"]) for act in self.example["acts"])

    def bodies(self, kind: str) -> pb.ImportBodiesRequest:
        """The superior body, scripted from the first day, and the one below it that works the case."""
        told = self.example["body"]
        if courts.is_court(told):
            found = courts.court_bodies(told, self.root, self.body, self.first_day())
            return pb.ImportBodiesRequest(bodies=found, departments=self._departments())
        upper, lower = ("intermediate", "basic") if kind == "court" else ("city", "county")
        root = pb.Body(body_id=self.root, name=f"{told['name']}（上级）", kind=kind, tier=upper,
                       code=f"{told['code']}上", legal_on=self.first_day())  # fmt: skip
        body = pb.Body(body_id=self.body, parent_id=self.root, name=str(told["name"]), kind=kind, tier=lower,
                       code=str(told["code"]))  # fmt: skip
        return pb.ImportBodiesRequest(bodies=[root, body], departments=self._departments())

    def _departments(self) -> list[pb.Department]:
        kinds = sorted({p["department"] for p in self.example["people"].values() if p.get("department")})
        return [
            pb.Department(department_id=self.department(k), body_id=self.body, name=DEPARTMENTS.get(k, k), kind=k)
            for k in kinds
        ]

    def department(self, kind: str) -> str:
        """The id of the department of a kind."""
        return _id(self.key, "department", kind)

    def import_people(self) -> pb.ImportPeopleRequest:
        """Everybody, with one password."""
        people = [self._person(short, told) for short, told in self.example["people"].items()]
        return pb.ImportPeopleRequest(people=people, initial_passwords=[PASSWORD] * len(people))

    def _person(self, short: str, told: Mapping[str, Any]) -> pb.Person:
        body = self.root if told.get("body") == "superior" else self.body
        department = self.department(told["department"]) if told.get("department") else ""
        appointments = [
            pb.Appointment(body_id=body, department_id=department, role=role) for role in told.get("roles", [])
        ]
        qualifications = [
            pb.Qualification(kind=kind, number=f"{short}-0001", valid_from="2020-01-01", valid_to=LEFT_FREE)
            for kind in told.get("qualifications", [])
        ]
        return pb.Person(
            person_id=self.people[short], sign_in=self.sign_in(short), name=str(told["name"]), body_id=body,
            appointments=appointments, qualifications=qualifications, state="active",
        )  # fmt: skip


def _id(*parts: str) -> str:
    return str(uuid5(NAMESPACE_URL, "anjuan-play:" + ":".join(parts)))
