"""Officers of several bodies, so that the limit of requests for one caller is not what is measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from anjuan.identity.v1 import identity_pb2 as pb
from anjuan.identity.v1.identity_pb2_grpc import IdentityStub
from services.kit import rpc
from services.kit.settings import procedures_dir
from services.kit.testing import settle
from services.ops.demo.cast import PASSWORD
from services.ops.demo.site import Voice
from services.ops.demo.stage import Stage

PROCEDURE = "admin-penalty-general"
FIRST_NODE, FIRST_FORM = "verify_lead", {"findings": "当场改正，没有造成危害后果", "result": "minor"}
_UNTIL = "9999-12-31"


@dataclass(frozen=True)
class Officer:
    """One officer of a body of their own."""

    body_id: str
    person_id: str
    voice: Voice
    material: dict[str, Any]

    def filing(self, number: int) -> dict[str, Any]:
        """A lead found on an inspection; the form of POST /filings."""
        return {
            "body_id": self.body_id, "procedure_id": PROCEDURE, "channel": "ex_officio",
            "title": f"某面馆未悬挂营业执照案（{number}）",
            "parties": [{"role": "respondent", "kind": "natural_person", "name": "吴江"}],
            "materials": [self.material],
            "content": {"content": "检查时未在显著位置悬挂营业执照", "found_on": "2025-06-06"},
        }  # fmt: skip


@dataclass(frozen=True)
class Crowd:
    """The officers."""

    officers: Sequence[Officer]

    @classmethod
    def brought_in(cls, stage: Stage, count: int) -> Crowd:
        """So many bodies with an officer each, and the procedure."""
        stage.publish(procedures_dir() / PROCEDURE)
        bodies = [
            pb.Body(body_id=f"bench-{n}", name=f"测试区第{n}市监局", kind="bureau", tier="county", code=f"测{n}")
            for n in range(count)
        ]
        departments = [
            pb.Department(department_id=f"{b.body_id}-investigation", body_id=b.body_id, name="执法办案科",
                          kind="investigation")
            for b in bodies
        ]  # fmt: skip
        people = [_person(b.body_id) for b in bodies]
        with rpc.channel(stage.rpc["identity"]) as channel:
            identity, token = IdentityStub(channel), stage.operator.token()
            told = pb.ImportBodiesRequest(bodies=bodies, departments=departments)
            rpc.invoke(identity.ImportBodies, told, token=token)
            staff = pb.ImportPeopleRequest(people=people, initial_passwords=[PASSWORD] * count)
            rpc.invoke(identity.ImportPeople, staff, token=token)
        settle(stage.rpc, stage.operator.token())
        return cls([_officer(stage, person) for person in people])


def _person(body_id: str) -> pb.Person:
    appointment = pb.Appointment(body_id=body_id, department_id=f"{body_id}-investigation", role="case_officer")
    held = pb.Qualification(kind="law_enforcement_certificate", number="0001", valid_from="2020-01-01", valid_to=_UNTIL)
    return pb.Person(person_id=f"{body_id}-officer", sign_in=f"{body_id}.officer", name="张伟", body_id=body_id,
                     appointments=[appointment], qualifications=[held], state="active")  # fmt: skip


def _officer(stage: Stage, person: pb.Person) -> Officer:
    voice = stage.voice(person.sign_in, PASSWORD, person.body_id)
    material = voice.upload("监督检查记录.txt", "监督检查记录\n".encode(), "text/plain", person.body_id)
    return Officer(person.body_id, person.person_id, voice, material | {"checklist_item": "inspection_record"})
