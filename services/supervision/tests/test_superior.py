"""The second extension of 民事诉讼法 第一百五十二条: asked of the upper court, answered, moved, explained."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from anjuan.intake.v1.events_pb2 import CaseClosed, FilingSubmitted
from anjuan.intake.v1.intake_pb2 import Filing
from anjuan.workflow.v1.events_pb2 import EffectWithdrawn, SuperiorAnswered, SuperiorAsked
from services.kit.effects import plain, struct
from services.supervision.tests.scene import BUREAU, Scene
from services.supervision.views import get_clock

pytestmark = pytest.mark.integration
LIMIT = "civil-first-ordinary-trial"


def explained(scene: Scene) -> tuple[list[str], Any]:
    """The lines of the clock's explanation that speak of extensions, and the clock."""
    row = scene.clock("c1", LIMIT)
    with scene.host.begin(scene.actor("body_leader")) as uow:
        shown = get_clock(uow, row["clock_id"])
    return [step.text for step in shown.steps if "延长" in step.text], shown


def extend(scene: Scene, on: str, nth: int, **more: str) -> Any:
    answer: Any = scene.ask("c1", "extend_clock", on, limit_id=LIMIT, nth=nth, reason="案情复杂", **more)
    return plain(answer.results) if answer.DESCRIPTOR.name == "EffectDone" else answer.reason


def second(scene: Scene, asked_on: str) -> None:
    """Docketed on 5 March 2025, extended by the president to 5 March 2026, and the upper court asked for more."""
    scene.file("c1", "2025-03-05")
    scene.complete("c1", "open_trial", "2025-03-05")
    assert extend(scene, "2025-08-20", 1, granted_on="2025-08-20") == {"due_on": "2026-03-05"}
    request = struct({"limit_id": LIMIT, "nth": 2, "reason": "案情复杂"})
    scene.tell("workflow", SuperiorAsked(effect_id="e", to_body_id="up", request=request), asked_on, case="c1",
               stream="e")  # fmt: skip


def answer(scene: Scene, on: str, granted: bool = True) -> None:
    told = SuperiorAnswered(effect_id="e", limit_id=LIMIT, granted=granted, decided_on=on)
    scene.tell("workflow", told, on, case="c1")


def test_asked_granted_and_moved(scene: Scene) -> None:
    second(scene, "2026-02-10")
    lines, shown = explained(scene)
    assert lines[-1] == (
        "报请：2026-02-10报请上一级人民法院批准第2次延长（《最高人民法院关于严格执行案件审理期限制度的若干规定》第二条），尚待答复。"
    )
    assert (shown.due_on, shown.steps[-1].article) == (
        "2026-03-05", "《最高人民法院关于严格执行案件审理期限制度的若干规定》第二条")  # fmt: skip
    answer(scene, "2026-02-20")
    assert explained(scene)[0][-1].endswith("2026-02-20获批准。")
    days = {"granted_on": "2026-02-20", "requested_on": "2026-02-10"}
    assert extend(scene, "2026-02-20", 2, **days) == {"due_on": "2026-06-05"}
    lines, shown = explained(scene)
    assert shown.due_on == "2026-06-05"
    assert [line for line in lines if line.startswith("第2次延长") or "3个月" in line], lines
    assert [(e.kind, e.nth, len(e.faults)) for e in shown.ledger if e.nth] == [
        ("extended", 1, 0), ("requested", 2, 0), ("extended", 2, 0)]  # fmt: skip


def test_late_asking_and_late_deciding_are_faults_and_no_bar(scene: Scene) -> None:
    # fifteen days before Thursday 5 March 2026: 18 February is in the Spring Festival, so Friday 13 February
    second(scene, "2026-02-26")
    (asked,) = [e for e in explained(scene)[1].ledger if e.kind == "requested"]
    (fault,) = asked.faults
    assert (fault.limit_id, fault.done_on) == ("civil-superior-ext-request", "2026-02-26")
    assert "报请延长至迟应在" in explained(scene)[0][-1]
    answer(scene, "2026-03-05")
    days = {"granted_on": "2026-03-05", "requested_on": "2026-02-26"}
    assert extend(scene, "2026-03-05", 2, **days) == {"due_on": "2026-06-05"}
    granted = explained(scene)[1].ledger[-1]
    assert [f.limit_id for f in granted.faults] == ["civil-superior-ext-request", "civil-superior-ext-decision"]


def test_after_expiry_a_grant_is_refused_by_its_own_day(scene: Scene) -> None:
    second(scene, "2026-02-10")
    answer(scene, "2026-03-06")
    assert "2026-03-05届满" in extend(scene, "2026-03-06", 2, granted_on="2026-03-06")
    scene.go("2026-03-09")
    assert extend(scene, "2026-03-09", 2, granted_on="2026-03-05") == {"due_on": "2026-06-05"}
    assert scene.clock("c1", LIMIT)["due_on"] == date(2026, 6, 5)


def test_a_refusal_is_told_and_moves_nothing(scene: Scene) -> None:
    second(scene, "2026-02-10")
    before = scene.clock("c1", LIMIT)
    answer(scene, "2026-02-20", granted=False)
    lines, _ = explained(scene)
    assert lines[-1].endswith("2026-02-20未获批准。")
    assert {k: v for k, v in scene.clock("c1", LIMIT).items() if k != "plan"}.items() >= {
        "due_on": before["due_on"], "extensions": 1, "body_id": BUREAU}.items()  # fmt: skip


def test_taken_back_before_it_was_answered(scene: Scene) -> None:
    second(scene, "2026-02-10")
    fact = EffectWithdrawn(effect_id="e", effect="ask_superior", owner="workflow", reason="改日再报")
    scene.tell("workflow", fact, "2026-02-12", case="c1", stream="e")
    assert explained(scene)[0][-1].endswith("2026-02-12撤回。")
    answer(scene, "2026-02-20")  # it was on its way already, and wins
    assert explained(scene)[0][-1].endswith("2026-02-20获批准。")


def test_an_earlier_event_of_taking_back_names_no_pack(scene: Scene) -> None:
    second(scene, "2026-02-10")
    for effect_id in ("e", "never-noted"):
        fact = EffectWithdrawn(effect_id=effect_id, effect="ask_superior", owner="workflow", reason="改日再报")
        scene.tell("workflow", fact, "2026-02-12", case="c1", stream=effect_id, pack=("", ""))
    assert [line.endswith("2026-02-12撤回。") for line in explained(scene)[0]][-1:] == [True]
    assert [e.kind for e in explained(scene)[1].ledger].count("answered") == 1


def test_what_is_taken_back_below_stops_the_clock_above(scene: Scene) -> None:
    folder = Path(__file__).parents[3] / "procedures" / "superior-approval"
    above = ("superior-approval", str(yaml.safe_load((folder / "pack.yaml").read_text("utf-8"))["version"]))
    scene.publish(folder, above)
    asked = Filing(content=struct({"limit_id": LIMIT, "due_on": "2025-03-20"}))
    scene.tell("intake", FilingSubmitted(filing=asked), "2025-03-03", case="up", pack=above)
    assert scene.clock("up", "civil-superior-ext-decision")["state"] == "running"
    closed = CaseClosed(closed_on="2025-03-04", disposition="下级撤回请示")
    scene.tell("intake", closed, "2025-03-04", case="up", pack=above)
    assert scene.clock("up", "civil-superior-ext-decision")["state"] == "stopped"
