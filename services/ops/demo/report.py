"""What the platform says of a played case, read back through the API and shown as tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from services.ops.demo.site import Voice

STATES = {"running": "计时中", "suspended": "已中止", "stopped": "已停止", "overdue": "已超期"}
DECISIONS = {"submit": "提交", "agree": "同意", "return": "退回", "recall": "撤回", "send_back": "退回前序环节"}
CASES = {"received": "已收案", "accepted": "已受理", "docketed": "已立案", "declined": "不予受理",
         "not_docketed": "不予立案", "closed": "已结案"}  # fmt: skip
CARDS = {"yellow": "黄牌", "red": "红牌"}


@dataclass(frozen=True)
class Story:
    """One case as its body sees it."""

    case: dict[str, Any]
    course: dict[str, Any]
    clocks: list[dict[str, Any]]
    cards: list[dict[str, Any]]


def read(voice: Voice, case_id: str) -> Story:
    """Everything through the public API, in one person's name."""
    return Story(
        voice.get(f"/cases/{case_id}"),
        voice.get(f"/cases/{case_id}/course"),
        voice.get(f"/cases/{case_id}/clocks")["clocks"],
        voice.get("/alert-cards", case_id=case_id)["cards"],
    )


def show(console: Console, title: str, story: Story) -> None:
    """Tables for people."""
    case = story.case
    console.rule(f"[bold]{title}")
    console.print(f"案号 [bold]{case['case_number'] or '（未编号）'}[/bold]　{case['title']}")
    state = CASES.get(case["state"], case["state"])
    console.print(f"收案 {case['received_on']}　立案 {case['docketed_on'] or '—'}　状态 {state}")
    console.print(_nodes(story))
    console.print(_clocks(story))
    for card in story.cards:
        console.print(f"{CARDS[card['level']]}　{card['issued_on']}　{card['text']}")


def _nodes(story: Story) -> Table:
    table = Table("日期", "环节", "办理人", "意见", title="办理过程", title_justify="left")
    for visit in story.course["visits"]:
        said = "；".join(f"{o['person_name']} {DECISIONS.get(o['decision'], o['decision'])}" for o in visit["opinions"])
        who = visit["done_by_name"] or ("办理中" if visit["state"] == "open" else "—")
        table.add_row(visit["done_on"] or visit["opened_on"], visit["title"], who, said)
    return table


def _clocks(story: Story) -> Table:
    table = Table(title="期限", title_justify="left")
    for head in ("期限", "起算", "届满日", "状态", "依据"):
        table.add_column(head, overflow="fold")
    for clock in story.clocks:
        due = (clock["due_at"] or clock["due_on"] or "—") + ("（暂定）" if clock["provisional"] else "")
        table.add_row(clock["name"], clock["starts_on"], due, STATES.get(clock["state"], clock["state"]),
                      f"{clock['law']} {clock['article']}")  # fmt: skip
    return table


def differences(story: Story, expected: dict[str, Any]) -> list[str]:
    """Where the platform's end differs from the example's hand-written one; empty when it agrees."""
    done = [v for v in story.course["visits"] if v["state"] == "done"]
    path = [v["node_id"] for v in sorted(done, key=lambda v: str(v["done_at"]))]
    found = []
    if path != expected["path"]:
        found.append(f"环节：应为 {expected['path']}，实为 {path}")
    if story.course["outcome"] != expected["end"]:
        found.append(f"结局：应为 {expected['end']}，实为 {story.course['outcome'] or '未结束'}")
    for wanted in expected["clocks"]:
        if not any(_fits(clock, wanted) for clock in story.clocks):
            same = [c for c in story.clocks if c["limit_id"] == wanted["limit"]]
            seen = [(c["starts_on"], c["due_on"], c["due_at"], c["state"], c["stopped_on"]) for c in same]
            found.append(f"期限：应有 {wanted}，实为 {seen or '没有'}")
    numbers = set(expected.get("numbers", {}).values())
    if numbers and story.case["case_number"] not in numbers:
        found.append(f"案号：应为 {'、'.join(numbers)}，实为 {story.case['case_number']}")
    seen_cards = sorted((c["level"], c["limit_id"]) for c in story.cards)
    if (wanted_cards := sorted((c["level"], c["limit"]) for c in expected.get("cards", []))) != seen_cards:
        found.append(f"黄红牌：应为 {wanted_cards}，实为 {seen_cards}")
    return found


def _fits(clock: dict[str, Any], wanted: dict[str, Any]) -> bool:
    same = {"limit": "limit_id", "starts_on": "starts_on", "due_on": "due_on", "state": "state",
            "stopped_on": "stopped_on", "provisional": "provisional"}  # fmt: skip
    return all(str(clock[mine]) == str(wanted[theirs]) for theirs, mine in same.items() if theirs in wanted)
