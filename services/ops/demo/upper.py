"""The body above answers what a node has asked of it: its people lead the request's own small procedure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from services.kit.procedure.model import Pack
from services.kit.testing import until

if TYPE_CHECKING:
    from services.ops.demo.player import Play


def asked_packs(pack: Pack) -> set[str]:
    """The small packs that effects of this one open above."""
    effects = (effect for rule in pack.nodes.values() for effect in rule.effects)
    return {str(e.with_["pack"]) for e in effects if e.effect == "ask_superior" and "pack" in e.with_}


def answer(play: Play, act: Mapping[str, Any]) -> None:
    """Do what the answers of the act's ask_superior say: by the people above, else as paper from there."""
    people = play.cast.example["people"].values()
    given = _decide if any(told.get("body") == "superior" for told in people) else _record
    for name, told in act.get("effects", {}).items():
        if play.pack.effects[name][1].effect == "ask_superior":
            given(play, act, told["results"])


def _decide(play: Play, _: Mapping[str, Any], results: Mapping[str, Any]) -> None:
    """Examined, approved, decided above."""
    granted = bool(results["granted"])
    opinion = {"opinion": "经审查，报请的理由属实", "proposal": "grant" if granted else "refuse"}
    decision = {key: results[key] for key in ("amount", "unit") if granted}
    _act(play, "examine", "completion", {"data": opinion})
    _act(play, "examine", "decision", {"decision": "agree", "text": "同意"})
    _act(play, "decide", "completion",
         {"data": {"granted": granted, "reason": results.get("reason", "经研究决定"), **decision}})  # fmt: skip


def _record(play: Play, act: Mapping[str, Any], results: Mapping[str, Any]) -> None:
    """The officer of the case records the paper 批复 with its scan."""
    officer = play.officer()
    task, speaker = play.task({"who": officer, "node": act["node"]}), play.speak(officer)
    scan = play.paper(speaker, "批复", {"意见": str(results.get("reason", ""))})["sha256"]
    named = ("granted", "decided_on", "amount", "unit", "reason")
    form = {name: results[name] for name in named if name in results} | {"number": "批复1号", "scan": scan}
    body = {"data": play.meant(form)}
    speaker.post(f"/tasks/{task['task_id']}/completion", body, f'"{task["version"]}"')


def _act(play: Play, node: str, verb: str, body: dict[str, Any]) -> None:
    """Whoever above has the task does it."""
    short, task = until(lambda: list(_tasks(play, node, verb)), play.patience, f"上级的“{node}”待办")[0]
    play.speak(short).post(f"/tasks/{task['task_id']}/{verb}", body, f'"{task["version"]}"')


def _tasks(play: Play, node: str, verb: str) -> Iterator[tuple[str, dict[str, Any]]]:
    kind = "approval" if verb == "decision" else "form"
    for short, told in play.cast.example["people"].items():
        if told.get("body") == "superior":
            for task in play.speak(short).get("/tasks", limit=100)["tasks"]:
                if (task["node_id"], task["state"], task["kind"]) == (node, "open", kind):
                    yield short, task
