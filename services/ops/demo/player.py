"""Plays one example over HTTP: moves the legal date, signs in each person, does each act, compares the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from services.kit.procedure.model import Pack
from services.kit.testing import until
from services.ops.demo import doors, signing, upper
from services.ops.demo.cast import PASSWORD, Cast
from services.ops.demo.papers import MEDIA_TYPE, paper
from services.ops.demo.site import RefusedError, Voice

PATIENCE = 60.0


class PlayFailedError(Exception):
    """The platform did something else than the example says."""


@dataclass
class Play:
    """One example on its way. `voice(sign_in, password, body)` makes a person's way to the API."""

    pack: Pack
    cast: Cast
    operator: Voice
    voice: Callable[[str, str, str], Voice]
    with_materials: bool = True
    patience: float = PATIENCE  # seconds to wait for what the bus brings
    case_id: str = ""
    title: str = ""
    legal_on: str = ""
    _voices: dict[str, Voice] = field(default_factory=dict)

    def acts(self) -> Iterator[str]:
        """Do every act; yields one line of progress each.

        Raises:
            PlayFailedError: an act was refused that should pass, or passed that should be refused.
        """
        for act in self.cast.example["acts"]:
            self.advance(str(act["on"]))
            done = self._expecting(act)
            who = self.cast.example["people"].get(act.get("who", ""), {}).get("name", "")
            yield f"{act['on']} {who} {done}"

    def speak(self, short: str) -> Voice:
        """A person's way to the API."""
        if short not in self._voices:
            told = self.cast.example["people"][short]
            body = self.cast.root if told.get("body") == "superior" else self.cast.body
            self._voices[short] = self.voice(self.cast.sign_in(short), PASSWORD, body)
        return self._voices[short]

    def advance(self, day: str) -> None:
        """Move the legal date on to a day."""
        if day > (self.legal_on or self.cast.first_day()):
            asked = {"root_body_id": self.cast.root, "to": day}
            self.operator.post("/operations/legal-date", asked)
        self.legal_on = day

    def _expecting(self, act: Mapping[str, Any]) -> str:
        wanted = act.get("refused", "")
        try:
            done = self.perform(act)
        except RefusedError as refusal:
            if not _as_expected(refusal, wanted, str(act.get("says", ""))):
                raise PlayFailedError(f"{act['on']} {act['do']} {act.get('node', '')}：{refusal}") from refusal
            return f"{self._title(act)}被拒绝：{refusal.body.get('detail', '')}"
        if wanted:
            raise PlayFailedError(f"{act['on']} {act['do']} {act.get('node', '')} 本应被拒绝（{wanted}）")
        return done

    def _title(self, act: Mapping[str, Any]) -> str:
        return self.pack.nodes[act["node"]].title if act.get("node") in self.pack.nodes else str(act["do"])

    def perform(self, act: Mapping[str, Any]) -> str:
        """One act over HTTP, whatever day it is; answers what was done.

        Raises:
            RefusedError: the API (or, later, an effect) refused it.
            PlayFailedError: there is no such task.
        """
        return {"file": self._file, "complete": self._complete, "approve": self._decide, "return": self._decide,
                "recall": self._recall, "request": self._request, "send_back": self._send_back,
                "event": self._event,
                }[act["do"]](act)  # fmt: skip

    def _file(self, act: Mapping[str, Any]) -> str:
        told, speaker = dict(act["filing"]), self.speak(act["who"])
        names = {item.id: item.title for item in self.pack.checklist}
        wanted = told.pop("materials", []) if self.with_materials else []
        says = {"案件名称": str(told["title"]), **{k: str(v) for k, v in _said(told).items()}}
        parties = [{k: v for k, v in party.items() if k != "party_id"} for party in told.pop("parties", [])]
        copies = {i.id: sum(p["role"] == i.per_party for p in parties) or 1 for i in self.pack.checklist}
        materials = [self.paper(speaker, names.get(i, i), says) | {"checklist_item": i, "copies": copies.get(i, 1)}
                     for i in wanted]  # fmt: skip
        told = self.meant(told) | ({"title": self.title} if self.title else {})
        body = told | {"body_id": self.cast.body, "procedure_id": self.pack.id, "parties": parties,
                       "materials": materials}  # fmt: skip
        self.case_id = speaker.post("/filings", body)["case_id"]
        return f"提交：{told['title']}"

    def paper(self, speaker: Voice, title: str, says: Mapping[str, str]) -> dict[str, Any]:
        """Upload a sheet of paper; what a filing names it by."""
        return speaker.upload(f"{title}.pdf", paper(title, says), MEDIA_TYPE, self.cast.body)

    def task(self, act: Mapping[str, Any]) -> dict[str, Any]:
        """The open task that an act is about, waited for; for an act to be refused it may be anybody's.

        Raises:
            PlayFailedError: it does not come.
        """
        who, node = act["who"], act["node"]
        seekers = [who, *(p for p in self.cast.people if p != who)] if act.get("refused") else [who]

        def there() -> list[dict[str, Any]]:
            listed = (t for p in seekers for t in self.speak(p).get("/tasks", case_id=self.case_id)["tasks"])
            return [t for t in listed if t["node_id"] == node and t["state"] == "open"]

        if act.get("refused") == "conflict":  # too early or too late: nobody has such a task
            return next(iter(there()), None) or _nobodys(node)
        try:
            return until(there, self.patience, f"{who} 在 {node} 的待办")[0]
        except TimeoutError as late:
            raise PlayFailedError(str(late)) from late

    def _complete(self, act: Mapping[str, Any]) -> str:
        task = self.task(act)
        signing.sign_before(self, act)
        together = [self.cast.people[short] for short in act.get("with", [])]
        body = {"data": self.meant(act.get("form", {})), "with_ids": together}
        state = self.speak(act["who"]).post(f"/tasks/{task['task_id']}/completion", body, f'"{task["version"]}"')
        upper.answer(self, act)
        self._settle(task["task_id"], act["who"])
        return f"办理“{task['title']}”" + ("，送审" if state["state"] == "in_approval" else "")

    def _decide(self, act: Mapping[str, Any]) -> str:
        task = self.task(act)
        decision = "agree" if act["do"] == "approve" else "return"
        body = {"decision": decision, "text": act.get("text", "同意" if decision == "agree" else "")}
        self.speak(act["who"]).post(f"/tasks/{task['task_id']}/decision", body, f'"{task["version"]}"')
        upper.answer(self, act)
        self._settle(task["task_id"], act["who"])
        return f"{'同意' if decision == 'agree' else '退回'}“{task['title']}”"

    def meant(self, value: Any) -> Any:
        """A form with "@zhang" replaced by that person's id, "@p1" by that party's."""
        if isinstance(value, dict):
            return {key: self.meant(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self.meant(one) for one in value]
        if isinstance(value, str) and value.startswith("@"):
            return self.cast.people.get(value[1:]) or self.parties()[value[1:]]
        return str(value) if isinstance(value, date) else value

    def _request(self, act: Mapping[str, Any]) -> str:
        asked = {"node_id": act["node"]}
        self.speak(act["who"]).post(f"/cases/{self.case_id}/requests", asked)
        return f"发起“{self._title(act)}”"

    def _send_back(self, act: Mapping[str, Any]) -> str:
        origin = next(n for n, rule in self.pack.nodes.items() if act["node"] in rule.send_back_to)
        task = self.task({**act, "node": origin})
        body = {"to_node_id": act["node"], "reason": act["text"]}
        self.speak(act["who"]).post(f"/tasks/{task['task_id']}/sending-back", body, f'"{task["version"]}"')
        return f"由“{task['title']}”退回“{self._title(act)}”"

    def _event(self, act: Mapping[str, Any]) -> str:
        if (door := doors.DOORS.get(str(act["event"]))) is None:
            raise PlayFailedError(f"{act['on']} 没有办法经接口办出 {act['event']}")
        return door(self, act)

    def officer(self) -> str:
        """The short name of who is responsible for the case; of the registry while nobody is."""
        ids = {person_id: short for short, person_id in self.cast.people.items()}
        course = self.speak(self.cast.registry()).get(f"/cases/{self.case_id}/course")
        return ids[course["officer_ids"][0]] if course["officer_ids"] else self.cast.registry()

    def parties(self) -> dict[str, str]:
        """The register's party ids by those of the example; told apart by their names."""
        filed = next(act["filing"] for act in self.cast.example["acts"] if act["do"] == "file")
        known = self.speak(self.cast.registry()).get(f"/cases/{self.case_id}")["parties"]
        ids = {party["name"]: party["party_id"] for party in known}
        return {party["party_id"]: ids[party["name"]] for party in filed["parties"]}

    def _recall(self, act: Mapping[str, Any]) -> str:
        done = self.speak(act["who"]).get("/tasks", case_id=self.case_id, state="done")["tasks"]
        task = next(t for t in done if t["node_id"] == act["node"])
        self.speak(act["who"]).post(f"/tasks/{task['task_id']}/recall", {"reason": act["text"]})
        return f"撤回“{task['title']}”"

    def _settle(self, task_id: str, short: str) -> None:
        """Until the effects of a completed node are answered; a refusal by an effect is the act's."""
        def answered() -> bool:
            task = self.speak(short).get(f"/tasks/{task_id}")["task"]
            if task["refused_reason"]:
                problem = {"type": "urn:anjuan:problem:rule-refused", "detail": task["refused_reason"]}
                raise RefusedError(422, problem)
            return bool(task["state"] != "waiting_for_effects")

        until(answered, self.patience, f"任务 {task_id} 的后续动作办结")


def _nobodys(node: str) -> dict[str, Any]:
    raise RefusedError(409, {"type": "urn:anjuan:problem:conflict", "detail": f"没有人有“{node}”的待办"})


def _said(filing: Mapping[str, Any]) -> dict[str, Any]:
    """What a filing tells, in the words of its paper."""
    names = "、".join(party["name"] for party in filing.get("parties", []))
    content = filing.get("content", {})
    return {"案由": filing.get("cause", ""), "当事人": names, "日期": content.get("found_on", ""),
            "内容": content.get("content", "")}  # fmt: skip


def _as_expected(refusal: RefusedError, wanted: str, says: str) -> bool:
    """Whether it is the refusal that the example means; the door does not tell why somebody may not act."""
    if wanted == "not-allowed":
        return refusal.slug in ("not-allowed", "case-not-known", "not-found")
    return refusal.slug == wanted and says in str(refusal)
