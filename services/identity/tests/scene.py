"""The room with a small tree and some people in it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import text

from anjuan.identity.v1 import identity_pb2 as pb
from services.identity.settings import IdentitySettings
from services.identity.store import IdentityUnit
from services.identity.usecases import bodies, people, sign_in
from services.kit.identity import Actor, read_token
from services.kit.rpc import ANONYMOUS
from services.kit.run import Host

PASSWORD = "correct-horse-7"
OPERATOR = Actor(kind="operator", person_id="operator-1", name="运维人员")


def bureau(body_id: str, parent_id: str, tier: str, name: str, code: str, **more: Any) -> pb.Body:
    return pb.Body(body_id=body_id, parent_id=parent_id, name=name, kind="bureau", tier=tier, code=code, **more)


TREE = [
    bureau("county", "city", "county", "蓬江区市场监督管理局", "江蓬"),
    bureau("province", "", "province", "广东省市场监督管理局", "粤"),
    bureau("city", "province", "city", "江门市市场监督管理局", "江"),
    bureau("sister", "city", "county", "新会区市场监督管理局", "江新"),
]
LEGAL = pb.Department(department_id="legal", body_id="county", name="法规科", kind="legal")


def appointed(role: str, body_id: str = "county", department_id: str = "") -> pb.Appointment:
    return pb.Appointment(body_id=body_id, department_id=department_id, role=role)


def person(name: str, *appointments: pb.Appointment, body_id: str = "county", **more: Any) -> pb.Person:
    return pb.Person(person_id=name, sign_in=name, name=f"{name}某", body_id=body_id, appointments=appointments, **more)


@dataclass
class Scene:
    host: Host

    @cached_property
    def knobs(self) -> IdentitySettings:
        return IdentitySettings.of(self.host.settings)

    def unit(self, actor: Actor = OPERATOR) -> IdentityUnit:
        found: IdentityUnit = self.host.begin(actor)
        return found

    def bring_bodies(
        self, *sent: pb.Body, departments: Any = (), actor: Actor = OPERATOR, scripted: bool = True
    ) -> pb.ImportAnswer:
        request = pb.ImportBodiesRequest(bodies=sent, departments=departments)
        return bodies.import_bodies(self.unit(actor), request, scripted)

    def bring_people(self, *sent: pb.Person, password: str = PASSWORD, actor: Actor = OPERATOR) -> pb.ImportAnswer:
        words = [password] * len(sent) if password else []
        return people.import_people(self.unit(actor), pb.ImportPeopleRequest(people=sent, initial_passwords=words))

    def furnish(self) -> None:
        self.bring_bodies(*TREE, departments=[LEGAL])
        self.bring_people(
            person("officer", appointed("case_officer"), appointed("judge", "sister")),
            person("administrator", appointed("body_administrator")),
            person("second", appointed("body_administrator")),
            person("chief", appointed("body_administrator", "province"), body_id="province"),
        )

    def sign_in(self, name: str = "officer", password: str = PASSWORD, acting: str = "") -> pb.Session:
        request = pb.SignInRequest(sign_in=name, password=password, acting_body_id=acting)
        return sign_in.sign_in(self.unit(ANONYMOUS), self.knobs, request)

    def renew(self, secret: str, acting: str = "") -> pb.Session:
        request = pb.RenewTokenRequest(session_id=secret, acting_body_id=acting)
        return sign_in.renew_token(self.unit(ANONYMOUS), self.knobs, request)

    def actor(self, name: str, acting: str = "") -> Actor:
        return self.read(self.sign_in(name, acting=acting).token)

    def read(self, token: str) -> Actor:
        return read_token(token, self.host.settings.site, self.host.settings.token_public_key.read_bytes())

    def ask(self, query: str, **values: Any) -> list[Any]:
        with self.host.engine.begin() as connection:
            return list(connection.execute(text(query), values))

    def age(self, table: str, by: timedelta, *columns: str) -> None:
        """Let the rows of a table be that much older."""
        moved = ", ".join(f"{column} = {column} - cast(:by as interval)" for column in columns)
        with self.host.engine.begin() as connection:
            connection.execute(text(f"update {table} set {moved}"), {"by": by})

    def told(self, type_: str) -> list[dict[str, Any]]:
        """The data of events in the order in which they were written."""
        rows = self.ask("select body from outbox where type = :type order by position", type=type_)
        return [json.loads(bytes(row.body))["data"] for row in rows]

    def audited(self) -> list[str]:
        return [row.action for row in self.ask("select action from audit order by position")]
