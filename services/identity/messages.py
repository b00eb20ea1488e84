"""Between the room's nouns and its protobuf messages."""

from __future__ import annotations

from collections.abc import Iterable

from anjuan.identity.v1 import identity_pb2 as pb
from services.identity.model.accounts import Account
from services.identity.model.bodies import Body, Department
from services.identity.model.people import Appointment, Person, Qualification
from services.identity.model.stations import Station


def body_of(sent: pb.Body) -> Body:
    """As sent; its ancestors are found by the import."""
    return Body(sent.body_id, sent.parent_id, sent.name.strip(), sent.kind, sent.tier, sent.code.strip(), sent.region)


def body_message(body: Body, legal_on: str = "") -> pb.Body:
    """As told to others."""
    return pb.Body(
        body_id=body.body_id, parent_id=body.parent_id, name=body.name, kind=body.kind, tier=body.tier,
        code=body.code, region=body.region, legal_on=legal_on, version=body.version,
    )  # fmt: skip


def department_of(sent: pb.Department) -> Department:
    """As sent."""
    return Department(sent.department_id, sent.body_id, sent.name.strip(), sent.kind.strip())


def department_messages(departments: Iterable[Department]) -> list[pb.Department]:
    """As told to others."""
    return [
        pb.Department(department_id=d.department_id, body_id=d.body_id, name=d.name, kind=d.kind) for d in departments
    ]


def person_of(sent: pb.Person) -> Person:
    """As sent; parts in a fixed order, each once; an empty state is active."""
    appointments = {Appointment(a.body_id, a.department_id, a.role) for a in sent.appointments}
    held = {Qualification(q.kind, q.number.strip(), q.valid_from, q.valid_to) for q in sent.qualifications}
    return Person(
        sent.person_id, sent.sign_in.strip().lower(), sent.name.strip(), sent.body_id, sent.state or "active",
        tuple(sorted(appointments)), tuple(sorted(held)),
    )  # fmt: skip


def person_message(person: Person, with_sign_in: bool = False) -> pb.Person:
    """As told to others; the sign-in name only to administrators."""
    return pb.Person(
        person_id=person.person_id, sign_in=person.sign_in if with_sign_in else "", name=person.name,
        body_id=person.body_id, state=person.state, version=person.version,
        appointments=[
            pb.Appointment(body_id=a.body_id, department_id=a.department_id, role=a.role) for a in person.appointments
        ],
        qualifications=[
            pb.Qualification(kind=q.kind, number=q.number, valid_from=q.valid_from, valid_to=q.valid_to)
            for q in person.qualifications
        ],
    )  # fmt: skip


def account_message(account: Account) -> pb.Account:
    """Without the number itself."""
    return pb.Account(account_id=account.account_id, name=account.name, id_kind=account.id_kind,
                      id_number_masked=account.masked, state=account.state)  # fmt: skip


def station_message(station: Station) -> pb.Station:
    """Without the key, with its fingerprint."""
    return pb.Station(
        station_id=station.station_id, body_id=station.body_id, name=station.name, state=station.state,
        version=station.version, fingerprint=station.fingerprint, reason=station.reason,
    )  # fmt: skip
