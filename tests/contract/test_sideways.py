"""Nothing leaks sideways: people of two sister bodies and parties ask every reading route about the other's objects."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from services.ops.demo.cast import PASSWORD
from tests.contract.asking import made, refused, send
from tests.contract.fits import CHUNK, FITS, PREFIX, Fit
from tests.contract.people import Person, bearer, open_account, resident_id
from tests.contract.test_openapi import OPERATIONS
from tests.contract.world import DOCKETED, World, announced, sha256_of

STRANGER = resident_id(4713)
SHORTS = {"registrar": "deng", "officer": "zhang", "division_head": "chen", "leader": "wang"}
# open to everybody who is signed in: who there is, how one proceeds, who one is oneself
PUBLIC = {f"GET {PREFIX}/bodies", f"GET {PREFIX}/bodies/{{body_id}}", f"GET {PREFIX}/packs", f"GET {PREFIX}/session",
          "GET /healthz"}  # fmt: skip
APPEND, FILES = f"PATCH {PREFIX}/uploads/{{upload_id}}", f"GET {PREFIX}/files/{{sha256}}"
READING = sorted(label for label in OPERATIONS if label.startswith(("GET ", "HEAD ")))


@dataclass(frozen=True)
class Side:
    """One body's world, and those who have no business in it."""

    world: World
    strangers: Mapping[str, Person]

    @property
    def secrets(self) -> set[str]:
        """Ids that no answer to a stranger may hold: the body's objects and people. The body itself is public."""
        told = ("body", "pack", "foreign_case")
        objects = {one for kind, ids in self.world.known.items() if kind not in told for one in ids}
        return objects | set(self.world.play.cast.people.values())

    def one_of(self, name: str) -> str:
        """An object of this body that a parameter may name; for a kind that nobody has made yet, a case's id."""
        kind = {"case_id": "docketed"}.get(name, name.removesuffix("_id"))
        return self.world.known.get(kind, self.world.known["docketed"])[0]


def mirrored(world: World) -> World:
    """The world of the other body, furnished like the first one."""
    people = {role: Person(bearer(world.other.speak(short))) for role, short in SHORTS.items()}
    other = replace(world, play=world.other, other=world.play, people=world.people | people,
                    known={"case": world.known["foreign_case"]})  # fmt: skip
    text = "另一机关的举报登记表\n".encode()
    _, headers = other.upload(text, send=True)
    sha256 = sha256_of(headers)
    material = {"name": "举报登记表", "sha256": sha256, "size": len(text), "checklist_item": "report_record"}
    far = other.case(*DOCKETED, materials=[material])
    other.settle()
    clocks = far.speak("wang").get(f"/cases/{far.case_id}/clocks")["clocks"]
    other.note(sha256=sha256, docketed=far.case_id, body=other.play.cast.body, clock=clocks[0]["clock_id"])
    return other


@pytest.fixture(scope="module")
def sides(world: World) -> tuple[Side, Side]:
    """Both bodies, each with the other's people of every rank, and parties that stand in none of its cases."""
    other = mirrored(world)
    open_account(world.http, STRANGER)
    voice = world.stage.voice(STRANGER.lower(), PASSWORD)
    nobody = {"a party without a case": Person(bearer(voice)), "anonymous": world.people["anonymous"]}
    above = {role: other.people[role] for role in (*SHORTS, "neighbour")} | nobody
    below = {role: world.people[role] for role in (*SHORTS, "administrator", "browser", "party", "reporter")} | nobody
    return Side(world, above), Side(other, below)


def asked(side: Side, label: str) -> Iterator[Fit]:
    """The requests of an operation that are about this body: the fitting one, and one for each id in the query."""
    named = {name: side.one_of(name) for name in re.findall(r"{(\w+)}", label)}
    try:
        fit = made(side.world, label) if label in FITS else Fit("", named)
    except KeyError:  # of a kind that the other body alone has
        fit = Fit("", named)
    yield fit
    for parameter in OPERATIONS[label].get("parameters", []):
        if parameter["in"] == "query" and parameter["name"].endswith("_id"):
            yield replace(fit, query=fit.query | {parameter["name"]: side.one_of(parameter["name"])})


def leak(side: Side, label: str, fit: Fit, who: str, person: Person) -> str:
    """What an answer gave away, or an empty text: whoever names an object is refused, a list shows nothing of it."""
    people: dict[str, Any] = side.world.people | {who: person}
    answer = send(replace(side.world, people=people), label, fit, role=who)
    if answer.status_code == 200 and (label in PUBLIC or not fit.path):
        shown = sorted(secret for secret in side.secrets if secret in answer.text)
        return f"{who} {answer.request.url}: shows {shown}" if shown else ""
    if answer.status_code in (401, 403, 404):
        refused(answer, 401 if who == "anonymous" else 403, 404)
        return ""
    return f"{who} {answer.request.method} {answer.request.url}: {answer.status_code} {answer.text[:300]}"


@pytest.mark.parametrize("label", READING)
def test_no_reading_route_opens_the_other_body(sides: tuple[Side, Side], label: str) -> None:
    found = [leak(side, label, fit, who, person)
             for side in sides for fit in asked(side, label) for who, person in side.strangers.items()]  # fmt: skip
    assert [one for one in found if one] == []


def test_a_party_uploads_for_itself_alone(sides: tuple[Side, Side]) -> None:
    """Through tus, to any body; never into another's session or case, and never what a station scans."""
    side, other = sides
    stranger, body_id, text = "a party without a case", side.world.play.cast.body, "当事人自己的合同".encode()
    world = replace(side.world, people=side.world.people | {stranger: side.strangers[stranger]})
    made_by = {who: opened(world, who, text, body_id) for who in (stranger, "registrar")}
    own, foreign = (answer.headers["location"].rpartition("/")[2] for answer in made_by.values())
    told = {"Upload-Offset": "0", "Content-Type": CHUNK}
    assert send(world, APPEND, Fit(stranger, {"upload_id": own}, content=text, headers=told)).status_code == 204
    for who, upload_id in ((stranger, foreign), ("party", own)):
        refused(send(world, APPEND, Fit(who, {"upload_id": upload_id}, content=text, headers=told)), 404)
        refused(send(world, "DELETE" + APPEND[5:], Fit(who, {"upload_id": upload_id})), 404)
    sha256 = {"sha256": hashlib.sha256(text).hexdigest()}
    assert send(world, FILES, Fit(stranger, sha256)).content == text
    refused(send(world, FILES, Fit("party", sha256)), 404)
    assert opened(world, "party", text, body_id, case_id=side.one_of("case_id")).status_code == 201
    for case_id in (side.one_of("case_id"), other.one_of("case_id"), "no-such-case"):
        refused(opened(world, stranger, text, body_id, case_id=case_id), 404, slug="case-not-known")
    refused(opened(world, stranger, text, body_id, purpose="scan_batch"), 403, slug="not-allowed")


def opened(world: World, role: str, text: bytes, body_id: str, **pairs: str) -> httpx.Response:
    """The announcement of a file; `pairs` are told beside, or replace."""
    headers = announced(text, body_id)
    for name, value in pairs.items():
        told = f"{name} {base64.b64encode(value.encode()).decode()}"
        kept = [pair for pair in headers["Upload-Metadata"].split(",") if not pair.startswith(f"{name} ")]
        headers["Upload-Metadata"] = ",".join([*kept, told])
    return send(world, f"POST {PREFIX}/uploads", Fit(role, headers=headers))


def test_the_owners_do_see_them(sides: tuple[Side, Side]) -> None:
    """What strangers are refused is there, and the ids looked for in lists are those that lists show."""
    for side in sides:
        case_id = side.one_of("case_id")
        for label in (f"GET {PREFIX}/cases", f"GET {PREFIX}/clocks", f"GET {PREFIX}/people"):
            shown = send(side.world, label, Fit("leader")).text
            assert [secret for secret in side.secrets if secret in shown], label
        fit = Fit("leader", {"sha256": side.one_of("sha256")}, query={"case_id": case_id})
        assert send(side.world, FILES, fit).status_code == 200
