"""Two bureaus with their people, and cases at every step that a request of the API can be about."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from services.kit.procedure.bundle import files_of, pack_files
from services.kit.settings import procedures_dir
from services.kit.testing import settle, until
from services.ops.demo.cast import PASSWORD
from services.ops.demo.player import Play
from services.ops.demo.site import Voice
from services.ops.demo.stage import Stage
from services.ops.trial import Platform
from tests.contract.people import (
    ADMINISTRATOR,
    NEIGHBOUR,
    Person,
    bearer,
    confirm,
    cookie,
    import_more,
    open_account,
    resident_id,
)

PENALTY = procedures_dir() / "admin-penalty-general"
PARTY, REPORTER = resident_id(4711), resident_id(4712)
VERIFY = {"do": "complete", "who": "zhang", "node": "verify_lead",
          "form": {"findings": "现场检查发现过期牛奶十二箱", "result": "suspected"}}  # fmt: skip
APPLY = {"do": "complete", "who": "zhang", "node": "docketing_approval",
         "form": {"evidence": True, "punishable": True, "competent": True, "within_limitation": True,
                  "decision": "docket", "reason": "涉嫌违反食品安全法第三十四条"}}  # fmt: skip
HEAD = {"do": "approve", "who": "chen", "node": "docketing_approval"}
LEADER = {"do": "approve", "who": "wang", "node": "docketing_approval"}
ASSIGN = {"do": "complete", "who": "chen", "node": "assign_officers", "form": {"officers": ["@zhang", "@li"]}}
TELL = {"do": "complete", "who": "zhang", "node": "tell_reporter", "form": {"method": "online", "text": "已决定立案"}}
ASK_TEST = {"do": "request", "who": "zhang", "node": "ask_test"}
ENTRUST = {"do": "complete", "who": "zhang", "node": "entrust_test",
           "form": {"ground": "检测、检验、检疫、鉴定时间", "subject": "牛奶微生物检验", "institution": "市食品检验所",
                    "from_on": "2025-03-03"}}  # fmt: skip
DOCKETED = (VERIFY, APPLY, HEAD, LEADER, ASSIGN)


@dataclass
class World:
    """`play` and `other` are the plays of two bodies; `people` by role; `known` are ids by kind of object."""

    stage: Stage
    http: httpx.Client
    play: Play
    other: Play
    people: dict[str, Person]
    known: dict[str, list[str]] = field(default_factory=dict)
    serial: int = 0

    def next(self) -> int:
        """A number that was not used before."""
        self.serial += 1
        return self.serial

    def filing(self, **more: Any) -> dict[str, Any]:
        """The body of a report handed in over the counter."""
        told = {"channel": "report", "title": f"合同测试线索{self.next()}号", "cause": "销售超过保质期的食品",
                "body_id": self.play.cast.body, "procedure_id": self.play.pack.id,
                "reporter": {"name": "周明", "phone": "13800000000"},
                "content": {"content": "举报人称购得超过保质期的牛奶两箱", "found_on": "2025-03-03"}}  # fmt: skip
        return told | more

    def case(self, *acts: Mapping[str, Any], **more: Any) -> Play:
        """A case of the first body after these acts; `filing_id` is kept as its title."""
        made = self.play.speak("deng").post("/filings", self.filing(**more))
        one = replace(self.play, case_id=made["case_id"], title=made["filing_id"])
        for act in acts:
            one.perform(act)
        self.note(case=one.case_id, filing=one.title)
        return one

    def task(self, case: Play, who: str, node: str) -> dict[str, Any]:
        """A person's open task at a node, waited for."""
        found = case.task({"who": who, "node": node})
        self.note(task=found["task_id"])
        return found

    def done_task(self, case: Play, who: str, node: str) -> dict[str, Any]:
        """What a person has done at a node."""
        def there() -> list[dict[str, Any]]:
            listed = case.speak(who).get("/tasks", case_id=case.case_id, state="done")["tasks"]
            return [t for t in listed if t["node_id"] == node]

        return until(there, 30, f"{who} 在 {node} 的已办")[0]

    def upload(self, text: bytes, *, send: bool) -> tuple[str, dict[str, str]]:
        """A session of the registrar, and the headers that announced it; with its bytes when `send`."""
        headers = announced(text, self.play.cast.body)
        answer = self.play.speak("deng").ask("POST", "/uploads", headers=headers)
        upload_id = answer.headers["location"].rpartition("/")[2]
        if send:
            told = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
            self.play.speak("deng").ask("PATCH", f"/uploads/{upload_id}", headers=told, content=text)
        self.note(upload=upload_id)
        return upload_id, headers

    def note(self, **ids: str) -> None:
        """Remember ids for others to ask about."""
        for kind, value in ids.items():
            self.known.setdefault(kind, []).append(value)

    def settle(self) -> None:
        """Until everything has arrived everywhere."""
        settle(self.stage.rpc, self.stage.operator.token(), timeout=120)


def announced(text: bytes, body_id: str) -> dict[str, str]:
    """Headers of an upload's creation."""
    import base64
    import hashlib

    pairs = {"filename": "材料.txt", "filetype": "text/plain", "sha256": hashlib.sha256(text).hexdigest(),
             "purpose": "material", "body_id": body_id}  # fmt: skip
    told = ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in pairs.items())
    return {"Upload-Length": str(len(text)), "Upload-Metadata": told}


def bundle(version: str, **files: bytes) -> bytes:
    """The penalty pack as another version; `files` replace some of its own (`.` is written `__`)."""
    kept = files_of(PENALTY)
    kept["pack.yaml"] = re.sub(rb"(?m)^version: .*$", f"version: {version}".encode(), kept["pack.yaml"], count=1)
    return pack_files(kept | {name.replace("__", "."): data for name, data in files.items()})


def build(stage: Stage, http: httpx.Client) -> World:
    """Both bodies, everybody, and one case that has come far: with clocks, cards, a notice, files."""
    pack = stage.publish(PENALTY)
    names = {word: next(n for n in pack.examples if word in n) for word in ("report-docketed", "transfer-overdue")}
    play = stage.play(PENALTY, names["report-docketed"], "contract")
    other = stage.play(PENALTY, names["transfer-overdue"], "contract-other")
    import_more(stage, play.cast, other.cast)
    accounts = {role: open_account(http, number) for role, number in (("party", PARTY), ("reporter", REPORTER))}
    for role, number in (("party", PARTY), ("reporter", REPORTER)):
        confirm(play.speak("deng"), _voice(stage, number.lower()), accounts[role])
    world = World(stage, http, play, other, _people(stage, http, play, accounts))
    settle(stage.rpc, stage.operator.token())
    _furnish(world)
    return world


def _people(stage: Stage, http: httpx.Client, play: Play, accounts: Mapping[str, str]) -> dict[str, Person]:
    cast, publishers = play.cast, stage.publishers
    assert publishers is not None
    shorts = {"registrar": "deng", "officer": "zhang", "division_head": "chen", "leader": "wang"}
    found = {role: Person(bearer(play.speak(short)), cast.people[short]) for role, short in shorts.items()}
    found["administrator"] = Person(bearer(_voice(stage, ADMINISTRATOR)), ADMINISTRATOR)
    found["neighbour"] = Person(bearer(_voice(stage, NEIGHBOUR)), NEIGHBOUR)
    found |= {"publisher": Person(bearer(publishers[0])), "confirmer": Person(bearer(publishers[1]))}
    found["operator"] = Person(bearer(stage.operator))
    for role, number in (("party", PARTY), ("reporter", REPORTER)):
        found[role] = Person(bearer(_voice(stage, number.lower())), account_id=accounts[role])
    found["browser"] = Person(cookie(http, cast.sign_in("li")), cast.people["li"])
    return found | {"anonymous": Person(dict)}


def _voice(stage: Stage, sign_in: str) -> Voice:
    return stage.voice(sign_in, PASSWORD)


def _furnish(world: World) -> None:
    text = "举报登记表\n".encode()
    _, headers = world.upload(text, send=True)
    world.settle()
    sha256 = sha256_of(headers)
    respondent = {"role": "respondent", "kind": "natural_person", "name": "周明",
                  "account_id": world.people["party"].account_id}  # fmt: skip
    reporter = {"name": "周明", "phone": "13800000000", "account_id": world.people["reporter"].account_id}
    materials = [{"name": "举报登记表", "sha256": sha256, "size": len(text), "checklist_item": "report_record"}]
    far = world.case(*DOCKETED, TELL, parties=[respondent], reporter=reporter, materials=materials)
    world.note(sha256=sha256, docketed=far.case_id, body=world.play.cast.body)
    overdue = world.other
    first = overdue.cast.example["acts"][0]
    overdue.perform(first | {"filing": first["filing"] | {"materials": []}})
    world.note(foreign_case=overdue.case_id)
    world.settle()
    moved = {"root_body_id": overdue.cast.root, "to": "2025-10-20"}
    world.stage.operator.post("/operations/legal-date", moved)
    world.settle()
    _note_readable(world, far)


def _note_readable(world: World, far: Play) -> None:
    clocks = far.speak("wang").get(f"/cases/{far.case_id}/clocks")["clocks"]
    papers = far.speak("zhang").get("/instruments", case_id=far.case_id)["instruments"]
    world.note(clock=clocks[0]["clock_id"], instrument=papers[0]["instrument_id"])


def sha256_of(headers: Mapping[str, str]) -> str:
    """The hash that an upload's creation announced."""
    import base64

    pairs = dict(part.split(" ", 1) for part in headers["Upload-Metadata"].split(","))
    return base64.b64decode(pairs["sha256"]).decode()


@contextmanager
def stuck_effect(world: World, platform: Platform) -> Iterator[str]:
    """The id of an effect whose owner is down, so that nobody but an operator can end it."""
    one = world.case()
    world.task(one, "zhang", "verify_lead")
    one.perform(ASK_TEST)
    task = world.task(one, "zhang", "entrust_test")
    platform.hold("supervision")
    try:
        body = {"data": ENTRUST["form"], "with_ids": []}
        one.speak("zhang").post(f"/tasks/{task['task_id']}/completion", body, f'"{task["version"]}"')
        course = one.speak("zhang").get(f"/cases/{one.case_id}/course")
        yield next(e["effect_id"] for v in course["visits"] for e in v["effects"] if e["state"] == "requested")
    finally:
        platform.release("supervision")
        platform.await_ready()
        world.settle()


def as_json(value: Any) -> bytes:
    """What httpx would send; NaN stays NaN."""
    return json.dumps(value, ensure_ascii=False).encode()
