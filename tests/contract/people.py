"""Who calls in the contract tests: one person of each role, each with credentials of the right kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import httpx

from anjuan.identity.v1 import identity_pb2 as pb
from anjuan.identity.v1.identity_pb2_grpc import IdentityStub
from services.kit import rpc
from services.kit.numbers.identity_number import ID_CHECKS, ID_WEIGHTS
from services.ops.demo.cast import PASSWORD, Cast
from services.ops.demo.site import Voice
from services.ops.demo.stage import Stage

ADMINISTRATOR, NEIGHBOUR = "contract-administrator", "contract-neighbour"
ROLES = ("registrar", "officer", "division_head", "leader", "administrator", "publisher", "confirmer", "operator",
         "party", "neighbour", "browser", "anonymous")  # fmt: skip


def resident_id(serial: int) -> str:
    """A number that passes GB 11643; each serial another person."""
    born = date(1970, 1, 1) + timedelta(days=serial % 9000)
    body = f"330108{born:%Y%m%d}{serial % 999:03d}"
    return body + ID_CHECKS[sum(int(d) * w for d, w in zip(body, ID_WEIGHTS, strict=True)) % 11]


@dataclass
class Person:
    """`headers()` are the credentials that the next request carries."""

    headers: Callable[[], dict[str, str]]
    person_id: str = ""
    account_id: str = ""


def bearer(voice: Voice) -> Callable[[], dict[str, str]]:
    """Credentials of a program."""
    return lambda: {"Authorization": f"Bearer {voice.token()}"}


def cookie(http: httpx.Client, sign_in: str) -> Callable[[], dict[str, str]]:
    """Credentials of a browser; it signs in when they are asked for."""

    def headers() -> dict[str, str]:
        answer = http.post("/api/v1/session", json={"sign_in": sign_in, "password": PASSWORD, "mode": "cookie"})
        found = answer.headers["set-cookie"].partition(";")[0]
        http.cookies.clear()
        return {"Cookie": found}

    return headers


def import_more(stage: Stage, cast: Cast, other: Cast) -> None:
    """An administrator of the first body, and a leader of another body who has no business here."""
    told = [(ADMINISTRATOR, "何敏", cast.root, "body_administrator"), (NEIGHBOUR, "高远", other.body, "body_leader")]
    people = [
        pb.Person(person_id=name, sign_in=name, name=called, body_id=body, state="active",
                  appointments=[pb.Appointment(body_id=body, role=role)])
        for name, called, body, role in told
    ]  # fmt: skip
    asked = pb.ImportPeopleRequest(people=people, initial_passwords=[PASSWORD] * len(people))
    with rpc.channel(stage.rpc["identity"]) as channel:
        rpc.invoke(IdentityStub(channel).ImportPeople, asked, token=stage.operator.token())


def open_account(http: httpx.Client, number: str) -> str:
    """A party's account, by its identity number; answers its id."""
    body = {"name": "周明", "id_kind": "resident_id", "id_number": number, "phone": "13800000000",
            "password": PASSWORD}  # fmt: skip
    return str(http.post("/api/v1/accounts", json=body).json()["account_id"])


def confirm(clerk: Voice, holder: Voice, account_id: str) -> None:
    """At the counter: the clerk has seen the document, its holder enters the code."""
    code = clerk.ask("POST", f"/accounts/{account_id}/confirmation-code").json()["code"]
    assert holder.post("/accounts/confirmation", {"code": code})["state"] == "confirmed"
