"""What the platform says of a played case, read back through the API and shown as tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from services.ops.demo import dossier
from services.ops.demo.site import Voice

STATES = {"running": "计时中", "suspended": "已中止", "stopped": "已停止", "overdue": "已超期"}
DECISIONS = {"submit": "提交", "agree": "同意", "return": "退回", "recall": "撤回", "send_back": "退回前序环节"}
CASES = {"received": "已收案", "accepted": "已受理", "docketed": "已立案", "declined": "不予受理",
         "not_docketed": "不予立案", "closed": "已结案"}  # fmt: skip
KINDS = {"case": "案件", "party": "当事人", "instrument": "文书", "page": "卷宗页"}


@dataclass(frozen=True)
class Story:
    """One case as its body sees it; `papers`: instrument id -> the PDF that was fetched."""

    case: dict[str, Any]
    course: dict[str, Any]
    clocks: list[dict[str, Any]]
    cards: list[dict[str, Any]]
    instruments: list[dict[str, Any]]
    papers: dict[str, Path]
    found: dossier.Found | None


def read(voice: Voice, case_id: str, folder: Path | None = None, phrase: str = "") -> Story:
    """Everything through the public API, in one person's name; PDFs go into the folder when there is one. `phrase`:
    words of a scanned page, searched as well."""
    listed = voice.get("/instruments", case_id=case_id, limit=100)["instruments"]
    issued = [one for one in reversed(listed) if one["state"] == "issued"]
    case = voice.get(f"/cases/{case_id}")
    return Story(
        case,
        voice.get(f"/cases/{case_id}/course"),
        voice.get(f"/cases/{case_id}/clocks")["clocks"],
        voice.get("/alert-cards", case_id=case_id)["cards"],
        [voice.get(f"/instruments/{one['instrument_id']}") for one in issued],
        _fetched(voice, issued, folder) if folder else {},
        dossier.look(voice, case, phrase) if folder and case["case_number"] else None,
    )


def _fetched(voice: Voice, issued: list[dict[str, Any]], folder: Path) -> dict[str, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for place, one in enumerate(issued, 1):
        path = folder / f"{place:02}-{one['title'].replace('/', '、')}.pdf"
        path.write_bytes(voice.ask("GET", f"/instruments/{one['instrument_id']}/content").content)
        found[str(one["instrument_id"])] = path
    return found


def show(console: Console, title: str, story: Story) -> None:
    """Tables for people, section by section."""
    console.rule(f"[bold]{title}")
    for section in SECTIONS:
        section(console, story)


def _head(console: Console, story: Story) -> None:
    case = story.case
    console.print(f"案号 [bold]{case['case_number'] or '（未编号）'}[/bold]　{case['title']}", soft_wrap=True)
    state = CASES.get(case["state"], case["state"])
    told = {"收案": case["received_on"], "立案": case["docketed_on"], "结案": case["closed_on"]}
    console.print("　".join(f"{what} {day or '—'}" for what, day in told.items()) + f"　状态 {state}")


def _table(title: str, *heads: str) -> Table:
    """A table that cuts nothing off, however narrow the terminal."""
    table = Table(title=title, title_justify="left")
    for head in heads:
        table.add_column(head, overflow="fold")
    return table


def _nodes(console: Console, story: Story) -> None:
    table = _table("办理过程", "日期", "环节", "办理人", "意见")
    for visit in sorted(story.course["visits"], key=lambda v: (_day(v), str(v["done_at"]))):
        said = "；".join(f"{o['person_name']} {DECISIONS.get(o['decision'], o['decision'])}" for o in visit["opinions"])
        who = visit["done_by_name"] or ("办理中" if visit["state"] == "open" else "—")
        table.add_row(_day(visit), visit["title"], who, said)
    console.print(table)


def _day(visit: dict[str, Any]) -> str:
    return str(visit["done_on"] or visit["opened_on"])


def _state(clock: dict[str, Any]) -> str:
    """A period of the parties' own runs out, a measure that was not dealt with lapses by law."""
    kind, over = clock["kind"], clock["state"] == "overdue"
    if kind == "measure-term" and (over or "" < clock["due_on"] < clock["stopped_on"]):
        return "到期自动解除"
    own = over and kind not in ("limit-on-authority", "seed-business-rule")
    return "已届满" if own else STATES.get(clock["state"], clock["state"])


def _clocks(console: Console, story: Story) -> None:
    table = _table("期限", "期限", "起算", "届满日", "状态", "依据")
    for clock in story.clocks:
        due = (clock["due_at"] or clock["due_on"] or "—") + ("（暂定）" if clock["provisional"] else "")
        table.add_row(clock["name"], clock["starts_on"], due, _state(clock),
                      f"{clock['law']} {clock['article']}")  # fmt: skip
    console.print(table)


def _cards(console: Console, story: Story) -> None:
    for card in sorted(story.cards, key=lambda c: str(c["issued_on"])):
        console.print(f"{card['issued_on']}　{card['text']}", soft_wrap=True)  # its words begin with 黄牌 or 红牌


def _instruments(console: Console, story: Story) -> None:
    table = _table("文书", "日期", "文书", "文号", "页", "送达")
    for one in story.instruments:
        served = "；".join(f"{s['addressee_name']} {s['served_on'] or '未送达'}" for s in one["servings"])
        table.add_row(one["issued_on"], one["title"], one["number"], str(one["pages"]), served)
    console.print(table)
    for path in story.papers.values():
        console.print(f"  {path}", soft_wrap=True)


def _dossier(console: Console, story: Story) -> None:
    if story.found is None:
        return
    told, pages = story.found.dossier, story.found.pages
    table = _table("电子卷宗", "卷", "状态", "页", "装订日期")
    for volume in told["volumes"]:
        state = {"open": "未装订", "binding": "装订中", "bound": "已装订"}[volume["state"]]
        table.add_row(volume["name"], state, str(volume["pages"]), volume["bound_on"])
    console.print(table)
    scanned = sum(bool(page["batch_id"]) for page in pages)
    locked = f"，归档 {told['archived_on']}，锁定至 {told['locked_until'][:10]}" if told["archived_on"] else ""
    console.print(f"共 {len(pages)} 页，其中扫描 {scanned} 页{locked}")
    console.print(f"识别文本示例：{''.join(story.found.sample.split())[:80]}……")


def _searches(console: Console, story: Story) -> None:
    for text, answer in story.found.searches.items() if story.found else ():
        console.print(f"检索 [bold]{text}[/bold]：命中 {answer['total']} 条")
        for hit in answer["hits"]:
            shown = "……".join(hit["highlights"][:1]).translate({2: "【", 3: "】"})
            console.print(f"  {KINDS[hit['kind']]}　{hit['title'] or hit['case_title']}　{shown}", soft_wrap=True)


# what the demo tells of each case, in this order
SECTIONS: tuple[Callable[[Console, Story], None], ...] = (
    _head, _nodes, _clocks, _cards, _instruments, _dossier, _searches,
)  # fmt: skip
