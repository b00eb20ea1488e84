"""The measurements run; how fast anything is, no test says."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from services.ops.__main__ import app
from services.ops.bench.command import MODULES
from services.ops.bench.figures import Figure, ratio
from services.ops.discover import ROOT

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


def test_the_median_decides() -> None:
    assert Figure("rate", "1/s", (70, 90, 100), at_least=80).reached
    assert Figure("span", "s", (1, 4, 5), at_most=3).reached is False
    assert Figure("plain", "s", (1,)).reached is None
    assert ratio("pairs", [1, 4], [2, 16]).values == (0.5, 0.25)
