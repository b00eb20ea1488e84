"""Where the platform's end of a played case differs from the example's hand-written one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from services.ops.demo.report import Story
from services.ops.demo.site import RefusedError

if TYPE_CHECKING:
    from services.ops.demo.player import Play


def differences(story: Story, expected: dict[str, Any]) -> list[str]:
    """Where the platform's end differs from the example's hand-written one; empty when it agrees."""
    done = [v for v in story.course["visits"] if v["state"] == "done"]
    path = [v["node_id"] for v in sorted(done, key=lambda v: str(v["done_at"]))]
    found = []
    if path != expected["path"]:
        found.append(f"环节：应为 {expected['path']}，实为 {path}")
    if story.course["outcome"] != expected["end"]:
        found.append(f"结局：应为 {expected['end']}，实为 {story.course['outcome'] or '未结束'}")
    found += _clock_differences(story, expected["clocks"])
    found += _field_differences(story, expected.get("instruments", {}))
    numbers = set(expected.get("numbers", {}).values())
    if numbers and story.case["case_number"] not in numbers:
        found.append(f"案号：应为 {'、'.join(numbers)}，实为 {story.case['case_number']}")
    seen_cards = sorted((c["level"], c["limit_id"]) for c in story.cards)
    if (wanted_cards := sorted((c["level"], c["limit"]) for c in expected.get("cards", []))) != seen_cards:
        found.append(f"黄红牌：应为 {wanted_cards}，实为 {seen_cards}")
    return found + list(_dossier_differences(story, expected["effects"]))


def _clock_differences(story: Story, expected: list[dict[str, Any]]) -> Iterator[str]:
    left = list(story.clocks)
    for wanted in expected:
        fitting = next((clock for clock in left if _fits(clock, wanted)), None)
        if fitting is None:
            same = [c for c in left if c["limit_id"] == wanted["limit"]]
            seen = [(c["starts_on"], c["due_on"], c["due_at"], c["state"], c["stopped_on"]) for c in same]
            yield f"期限：应有 {wanted}，实为 {seen or '没有'}"
        else:
            left.remove(fitting)
    yield from (f"期限：多出 {c['limit_id']} {c['starts_on']} {c['state']}" for c in left)


def _field_differences(story: Story, expected: dict[str, dict[str, Any]]) -> Iterator[str]:
    """The newest instrument of each kind, by the fields that the example states."""
    newest = {one["instrument"]: one["fields"] for one in story.instruments}
    for kind in expected.keys() ^ newest.keys():
        yield f"文书：{kind} {'没有制发' if kind in expected else '不应制发'}"
    for kind, fields in expected.items():
        seen = {name: newest.get(kind, {}).get(name) for name in fields}
        if kind in newest and seen != fields:
            yield f"文书：{kind} 应为 {fields}，实为 {seen}"


def _fits(clock: dict[str, Any], wanted: dict[str, Any]) -> bool:
    same = {"limit": "limit_id", "starts_on": "starts_on", "due_on": "due_on", "state": "state",
            "stopped_on": "stopped_on", "provisional": "provisional"}  # fmt: skip
    at = wanted.get("due_at")
    return all(str(clock[mine]) == str(wanted[theirs]) for theirs, mine in same.items() if theirs in wanted) and (
        at is None or (bool(clock["due_at"]) and _instant(clock["due_at"]) == _instant(at))
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _dossier_differences(story: Story, effects: Mapping[str, Any]) -> Iterator[str]:
    """An archived dossier is bound as the example says, locked, and found by its number."""
    if "archive_dossier" not in effects:
        return
    if story.found is None:
        yield "卷宗：应当归档，案件没有编号，无从查找"
        return
    told = story.found.dossier
    yield from unbound(told)
    if told["state"] != "archived" or not told["locked_until"]:
        yield f"卷宗：应已归档锁定，实为 {told['state']} {told['locked_until']}"
    yield from (f"检索：{text} 没有命中" for text, answer in story.found.searches.items() if not answer["total"])


def unbound(dossier: Mapping[str, Any]) -> list[str]:
    """Volumes with pages that are not bound though the dossier is archived; one without any is not bound at all."""
    seen = {one["kind"]: (one["state"], one["pages"]) for one in dossier["volumes"]}
    return [f"卷宗：{kind} 卷有 {pages} 页，{state}" for kind, (state, pages) in seen.items()
            if state != "bound" and (pages or kind == "main")]  # fmt: skip


def doing_differences(play: Play) -> list[str]:
    """Whether the filing and every form that was filled in are read back as they were given, and the effects that
    were performed are those of the example. A form is read by whoever filled it in, while he may see the case."""
    acts = [act for act in play.cast.example["acts"] if not act.get("refused")]
    wanted = set(play.cast.example["expect"]["effects"])
    forms = [act for act in acts if act["do"] == "complete"]
    seen = _seen(play, {str(act["who"]) for act in forms})
    performed = {e["name"] for visits in seen.values() for v in visits for e in v["effects"] if e["state"] == "done"}
    found = [f"效果：{name} {'没有办' if name in wanted else '不应办'}" for name in sorted(performed ^ wanted)]
    if "archive_dossier" in wanted:  # its officer sees the internal volume too
        found += unbound(play.speak(play.officer()).get(f"/cases/{play.case_id}/dossier"))
    reader = play.cast.people[play.cast.reader()]
    own = [v for by, visits in seen.items() for v in visits if by == (v["done_by"] if v["done_by"] in seen else reader)]
    filed = next(act for act in acts if act["do"] == "file")
    return [*found, *_filing_differences(play, filed), *_form_differences(play, own, forms)]


def _seen(play: Play, people: set[str]) -> dict[str, list[dict[str, Any]]]:
    """Person id -> the visits as that person sees them; whoever may not see the case any more is left out."""
    reader = play.cast.reader()
    seen: dict[str, list[dict[str, Any]]] = {}
    for short in (reader, *sorted(people - {reader})):
        try:
            seen[play.cast.people[short]] = play.speak(short).get(f"/cases/{play.case_id}/course")["visits"]
        except RefusedError as refusal:
            if short == reader or refusal.slug != "case-not-known":
                raise
    return seen


def _filing_differences(play: Play, act: Mapping[str, Any]) -> Iterator[str]:
    speaker = play.speak(play.cast.reader())
    filing = speaker.get(f"/filings/{speaker.get(f'/cases/{play.case_id}')['filing_id']}")
    wanted = play.meant(act["filing"])
    for name in ("title", "cause", "content", "amount_in_dispute_fen"):
        if name in wanted and filing[name] != wanted[name]:
            yield f"提交：{name} 应为 {wanted[name]}，实为 {filing[name]}"
    seen = sorted(m["checklist_item"] for m in filing["materials"])
    if set(seen) != set(wanted.get("materials", [])):
        yield f"提交：材料应为 {wanted.get('materials')}，实为 {seen}"


def _form_differences(play: Play, visits: list[dict[str, Any]], forms: list[dict[str, Any]]) -> Iterator[str]:
    """Each visit shows the form that was last sent on or before the day on which it was done."""
    for visit in visits:
        given = [act for act in forms if act["node"] == visit["node_id"]]
        in_time = [act for act in given if str(act["on"]) <= visit["done_on"]] if visit["state"] == "done" else []
        if in_time and visit["data"] != (wanted := play.meant(in_time[-1].get("form", {}))):
            yield f"表单：{visit['node_id']} {visit['done_on']} 应为 {wanted}，实为 {visit['data']}"
