"""The second extension of 民事诉讼法 第一百五十二条 over HTTP: a basic court asks, the intermediate court decides."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.kit.settings import procedures_dir
from services.kit.testing import settle, until
from services.ops.demo.cast import Cast
from services.ops.demo.player import Play
from services.ops.demo.site import RefusedError, Voice
from services.ops.demo.stage import Stage

CIVIL, SMALL = (procedures_dir() / name for name in ("civil-first-instance", "superior-approval"))
LIMIT = "civil-first-ordinary-trial"
ABOVE = {"fang": ("方明", "judge"), "kuang": ("邝丽", "division_head"), "mei": ("梅青", "vice_president")}


def act(on: str, who: str, do: str, node: str, **more: Any) -> dict[str, Any]:
    return {"on": on, "who": who, "do": do, "node": node} | more


def extension(on: str, kind: str, **form: str) -> list[dict[str, Any]]:
    """Asked by the judge, reviewed by the head of the division, decided (or sent up) by the president."""
    told = {"kind": kind, "requested_on": on, "reason": "关联案件尚未审结，本案须等待"} | form
    return [
        act(on, "he", "request", "ask_extension"), act(on, "he", "complete", "extend_trial", form=told),
        act(on, "tan", "approve", "extend_trial"),
    ]  # fmt: skip


def example(stage: Stage) -> dict[str, Any]:
    """The civil example with two extensions, cut down to these, with people of the upper court."""
    pack = stage.publish(CIVIL)
    told = next(e for name, e in pack.examples.items() if "two-extensions" in name)
    first = ("", "docketing_review", "hand_over", "form_panel")
    begun = [a for a in told["acts"] if a["do"] in ("file", "complete") and a.get("node", "") in first]
    above = {short: {"name": name, "roles": [role], "body": "superior"} for short, (name, role) in ABOVE.items()}
    acts = [*begun, *extension("2025-06-10", "first"), act("2025-06-16", "zhao", "approve", "extend_trial"),
            *extension("2025-12-08", "second", upper_court="广东省江门市中级人民法院")]  # fmt: skip
    return {**told, "people": told["people"] | above, "acts": acts}


@pytest.fixture
def play(stage: Stage) -> Play:
    told = example(stage)
    stage.publish(SMALL)
    cast = Cast.of("superior", told)
    stage.bring_in(cast, "court")
    return Play(stage.packs["civil-first-instance"], cast, stage.operator, stage.voice)


def clock_of(voice: Voice, case_id: str) -> dict[str, Any]:
    """The trial's clock, explained."""
    found = next(c for c in voice.get(f"/cases/{case_id}/clocks")["clocks"] if c["limit_id"] == LIMIT)
    return dict(voice.get(f"/clocks/{found['clock_id']}"))


def asked(play: Play, stage: Stage) -> Play:
    """The president sends the request up; the small case that the upper court has then."""
    task = play.task(act("2025-12-08", "zhao", "approve", "extend_trial"))
    body = {"decision": "agree", "text": "同意报请"}
    play.speak("zhao").post(f"/tasks/{task['task_id']}/decision", body, f'"{task["version"]}"')
    settle(stage.rpc, stage.operator.token())
    [request] = [t for t in play.speak("fang").get("/tasks")["tasks"] if t["node_id"] == "examine"]
    return replace(play, pack=stage.packs["superior-approval"], case_id=request["case_id"], _voices={})


def test_the_second_extension_is_asked_of_the_next_tier_up(stage: Stage, play: Play) -> None:
    assert list(play.acts())
    court = play.speak("he")
    assert clock_of(court, play.case_id)["due_on"] == "2026-01-08"
    upper = asked(play, stage)
    case = upper.speak("fang").get(f"/cases/{upper.case_id}")
    assert (case["channel"], play.cast.example["body"]["name"] in case["title"]) == ("request", True)
    filing = upper.speak("fang").get(f"/filings/{case['filing_id']}")["content"]
    assert (filing["due_on"], filing["case_id"], filing["nth"]) == ("2026-01-08", play.case_id, 2)
    refuse(play, upper)
    decide(upper)
    until(lambda: clock_of(court, play.case_id)["due_on"] == "2026-04-08", 60, "the day below has moved")
    shown = clock_of(court, play.case_id)
    lines = [step["text"] for step in shown["steps"]]
    [line] = [one for one in lines if one.startswith("报请")]
    assert line.startswith("报请：2025-12-08报请上一级人民法院批准第2次延长（《")
    assert line.endswith("2025-12-15获批准。")
    assert [(e["kind"], e["nth"], e["faults"]) for e in shown["ledger"] if e["nth"]] == [
        ("extended", 1, []), ("requested", 2, []), ("extended", 2, [])]  # fmt: skip
    settle(stage.rpc, stage.operator.token())
    assert upper.speak("mei").get(f"/cases/{upper.case_id}")["disposition"] == "同意"


def refuse(play: Play, upper: Play) -> None:
    """Who may see what: the court below nothing of the request's case, the upper court's leader the clocks below
    and, with a reason alone, the course."""
    with pytest.raises(RefusedError) as hidden:
        play.speak("zhao").get(f"/cases/{upper.case_id}")
    assert hidden.value.slug == "case-not-known"
    above, below = upper.speak("mei"), play.case_id
    assert clock_of(above, below)["due_on"] == "2026-01-08"
    bare = above.get(f"/cases/{below}/course")["visits"]
    assert not any(v["data"] for v in bare)
    opened = above.get(f"/cases/{below}/course", reason="supervision")["visits"]
    assert any(v["data"] for v in opened)


def decide(upper: Play) -> None:
    """The upper court's judge examines, the head of the division agrees, the leader decides."""
    upper.legal_on = "2025-12-08"
    granted = {"granted": True, "amount": 3, "unit": "month", "reason": "确有必要"}
    for one in (
        act("2025-12-10", "fang", "complete", "examine", form={"opinion": "关联案件确未审结", "proposal": "grant"}),
        act("2025-12-10", "kuang", "approve", "examine"),
        act("2025-12-15", "mei", "complete", "decide", form=granted),
    ):
        upper.advance(one["on"])
        upper.perform(one)
