"""The measurements run; how fast anything is, no test says."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path

import pytest
from typer.testing import CliRunner

from anjuan.kit.v1.operations_pb2 import Balance, Parked
from services.ops.__main__ import app
from services.ops.bench import command, filing, relay, report, tick
from services.ops.bench.command import MODULES
from services.ops.bench.figures import Figure, ratio
from services.ops.bench.ground import Ground
from services.ops.discover import ROOT
from services.ops.rig.session import Rig

RUN = CliRunner()


@pytest.mark.integration
def test_a_quick_look_at_the_relay() -> None:
    answer = RUN.invoke(app, ["bench", "--quick", "--only", "relay", "--json"])
    assert answer.exit_code == 0, answer.output
    told = json.loads(answer.stdout)
    assert told["machine"]["processor"]
    assert [one["unit"] for one in told["figures"]["relay"]] == ["events/s", "messages/s", "x"]
    assert all(0 < one["min"] <= one["median"] <= one["max"] for one in told["figures"]["relay"])


def test_a_measurement_that_is_none_is_refused() -> None:
    answer = RUN.invoke(app, ["bench", "--only", "everything", "--json"])
    assert answer.exit_code == 1
    assert "everything" in json.loads(answer.stdout)["problem"]


def test_every_measurement_has_a_module_that_says_what_it_measures() -> None:
    folder = ROOT / "services" / "ops" / "bench"
    assert all((folder / f"{name}.py").read_text("utf-8").startswith('"""') for name in MODULES)


def test_one_that_fails_is_named_and_takes_nothing_from_the_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(_: Ground) -> list[Figure]:
        raise RuntimeError("1 of 2 clocks have told")

    measured = [Figure("relay out of a backlog", "events/s", (900, 1_200, 2_000), at_least=1_500)]
    idle = Rig.in_temporary_folder()  # nothing of it runs: nothing is measured
    monkeypatch.setattr(command, "_ground", lambda *_: nullcontext(Ground(idle.settings, idle.database, None, None)))
    monkeypatch.setattr(tick, "measure", broken)
    monkeypatch.setattr(relay, "measure", lambda _: measured)
    answer = RUN.invoke(app, ["bench", "--only", "relay", "--only", "tick", "--json"])
    idle.place.erase()
    assert answer.exit_code == 1
    told = json.loads(answer.stdout)
    assert told["ok"] is False
    assert told["figures"]["relay"][0]["median"] == 1_200
    assert told["failed"] == {"tick": "RuntimeError: 1 of 2 clocks have told"}
    run = report.Run({"day": "2026-11-23"}, tmp_path / "page.md", dict.fromkeys(("relay", "tick", "inbox"), "embedded"),
                     {"relay": measured}, told["failed"], {"relay": 60.0, "tick": 1.0})  # fmt: skip
    report.write(run)
    page = (tmp_path / "page.md").read_text("utf-8")
    assert "0 of 1 goals reached" in page
    assert "- Relay, backlog of 10,000, relay out of a backlog: 1,200 events/s, goal >= 1,500" in page
    assert "**Not measured**: RuntimeError: 1 of 2 clocks have told" in page
    assert page.count("**Not measured**: the run did not come to it") == 1


def test_the_median_decides() -> None:
    assert Figure("rate", "1/s", (70, 90, 100), at_least=80).reached
    assert Figure("span", "s", (1, 4, 5), at_most=3).reached is False
    assert Figure("plain", "s", (1,)).reached is None
    assert ratio("pairs", [1, 4], [2, 16]).values == (0.5, 0.25)


def rest(*parked: str, jobs: int = 0, sent: int = 1) -> dict[str, Balance]:
    """The books of one room."""
    held = [Parked(type=one) for one in parked]
    return {"a": Balance(service="a", due_jobs=jobs, sent_by_source={"a": sent}, parked=held)}


def looking(monkeypatch: pytest.MonkeyPatch, *looks: dict[str, Balance]) -> tuple[Ground, list[dict[str, Balance]]]:
    """A ground whose books are these, one look after the other; and the looks that are left."""
    idle, left = Rig.in_temporary_folder(), list(looks)
    monkeypatch.setattr(Ground, "books", lambda _: left.pop(0))
    ground = Ground(idle.settings, idle.database, None, None)
    idle.place.erase()
    return ground, left


def test_a_backlog_is_drained_when_two_looks_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filing, "EVERY_SECONDS", 0.01)
    ground, left = looking(monkeypatch, rest(jobs=1), rest(), rest(sent=2), rest(sent=2), rest())
    assert filing.drained(ground) >= 0
    assert len(left) == 1


def test_what_is_parked_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filing, "EVERY_SECONDS", 0.01)
    ground, left = looking(monkeypatch, rest("Told", jobs=1), rest(), rest())
    with pytest.raises(RuntimeError, match="parked: a Told"):
        filing.drained(ground)
    assert len(left) == 2
