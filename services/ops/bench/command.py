"""The command: which measurements, on what ground, and where the figures go."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

from services.ops.bench import report
from services.ops.bench.figures import Figure
from services.ops.bench.ground import backing_only, whole_platform
from services.ops.discover import ROOT
from services.ops.lifecycle import RefusedError
from services.ops.output import PEOPLE, TROUBLE, as_json

# in this order: what fills the tables comes last. True: database and broker are enough.
MODULES = {
    "ready": False, "relay": True, "render": True, "filing": False, "task": False, "latency": False, "inbox": False,
    "ingest": False, "search": False, "tick": True, "worklist": False,
}  # fmt: skip
DATA = ROOT / "data" / "bench"  # emptied and removed: never a folder that somebody names
PAGE = ROOT / "docs" / "benchmarks.md"


def bench(only: Sequence[str], profile: str, quick: bool, long: bool, json: bool) -> None:
    """Measure, show a table, and write docs/benchmarks.md when everything was measured at full size.

    Raises:
        RefusedError: no such measurement.
    """
    if unknown := sorted(set(only) - set(MODULES)):
        raise RefusedError(f"没有名为 {'、'.join(unknown)} 的测量；可用的有：{'、'.join(MODULES)}")
    names = [name for name in MODULES if not only or name in only]
    small = all(MODULES[name] for name in names)
    with backing_only(quick) if small else whole_platform(DATA, profile, quick, long) as ground:
        machine, found = report.machine(), dict[str, list[Figure]]()
        try:
            for name in names:
                TROUBLE.print(f"{name}……")
                found[name] = importlib.import_module(f"services.ops.bench.{name}").measure(ground)
        finally:  # what was measured before a failure is shown all the same
            machine["load average at the end"] = report.load()
            _show(machine, found, json)
    if not only and not quick:
        PAGE.write_text(report.page(machine, found, profile), encoding="utf-8")


def _show(machine: Mapping[str, str], found: Mapping[str, list[Figure]], json: bool) -> None:
    if json:
        as_json({"machine": machine, "figures": {name: _plain(figures) for name, figures in found.items()}})
    else:
        report.show(PEOPLE, found)


def _plain(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    return [
        {"what": f.what, "unit": f.unit, "min": min(f.values), "median": f.median, "max": max(f.values),
         "goal": f.goal, "reached": f.reached, "note": f.note} for f in figures
    ]  # fmt: skip
