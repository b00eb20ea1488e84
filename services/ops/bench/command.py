"""The command: which measurements, on what ground, and where the figures go."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from services.kit import clock
from services.ops.bench import report
from services.ops.bench.figures import Figure
from services.ops.bench.ground import Ground, backing_only, whole_platform
from services.ops.discover import ROOT
from services.ops.installation import PROFILES
from services.ops.lifecycle import RefusedError
from services.ops.output import PEOPLE, TROUBLE, as_json

# each with its profile, in this order: what fills the tables comes last in its profile
MODULES = {
    "ready": "embedded", "relay": "embedded", "render": "embedded", "filing": "embedded", "task": "embedded",
    "latency": "embedded", "inbox": "embedded", "tick": "embedded", "worklist": "embedded", "ingest": "full",
    "search": "full",
}  # fmt: skip
SMALL = {"relay", "render", "tick"}  # database and broker are enough
DATA = ROOT / "data" / "bench"  # emptied and removed: never a folder that somebody names
PAGE = ROOT / "docs" / "benchmarks.md"


def bench(only: Sequence[str], profile: str, quick: bool, long: bool, json: bool) -> None:
    """Measure, show a table, and write docs/benchmarks.md when everything was to be measured at full size.

    `profile`: where to measure everything; empty: each measurement where it belongs.

    Raises:
        RefusedError: no such measurement or profile.
        SystemExit: one failed; what the others found is shown and written.
    """
    if unknown := sorted(set(only) - set(MODULES)):
        raise RefusedError(f"没有名为 {'、'.join(unknown)} 的测量；可用的有：{'、'.join(MODULES)}")
    if profile and profile not in PROFILES:
        raise RefusedError(f"没有名为 {profile} 的启动方式；可用的有：{'、'.join(PROFILES)}")
    run = report.Run(report.machine(_kind(quick, long)), None if only or quick else PAGE)
    run.profiles |= {name: profile or home for name, home in MODULES.items() if not only or name in only}
    for name in PROFILES:
        _measure(run, name, quick, long)
    _show(run, json)
    if run.failed:
        TROUBLE.print(f"有 {len(run.failed)} 项测量没有完成：{'；'.join(map('：'.join, run.failed.items()))}",
                      soft_wrap=True, markup=False)  # fmt: skip
        sys.exit(1)


def _kind(quick: bool, long: bool) -> str:
    if quick:
        return "`--quick`: one short run of each on small tables; a check that it measures, no statement on speed"
    return "full size" + (", with the five minutes of `--long`" if long else "")


def _measure(run: report.Run, profile: str, quick: bool, long: bool) -> None:
    """All measurements of a profile on one ground."""
    names = [name for name, home in run.profiles.items() if home == profile]
    if not names:
        return
    try:
        TROUBLE.print(f"{profile}……", markup=False)
        with _ground(names, profile, quick, long) as ground:
            for name in names:
                TROUBLE.print(f"[{len(run.seconds) + 1}/{len(run.profiles)}] {name}……", end="", markup=False)
                TROUBLE.print(_one(ground, run, name), soft_wrap=True, markup=False)
    except Exception as error:  # noqa: BLE001 the ground itself: as below
        for name in names:
            if name not in run.found:
                run.failed.setdefault(name, _said(error))
        report.write(run)


def _ground(names: Sequence[str], profile: str, quick: bool, long: bool) -> AbstractContextManager[Ground]:
    if set(names) <= SMALL:
        return backing_only(quick)
    return whole_platform(DATA, profile, quick, long)


def _one(ground: Ground, run: report.Run, name: str) -> str:
    """Measure; one that fails takes nothing from the others. What to say about it."""
    began = clock.monotonic()
    try:
        ground.recover()
        run.found[name] = importlib.import_module(f"services.ops.bench.{name}").measure(ground)
    except Exception as error:  # noqa: BLE001 whatever it is, it is told and ends the command with a failure
        run.failed[name] = _said(error)
    run.seconds[name] = clock.monotonic() - began
    report.write(run)
    return f"{run.seconds[name]:.0f} s{'' if name in run.found else '，没有完成：' + run.failed[name]}"


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".replace("\n", " ")[:500]


def _show(run: report.Run, json: bool) -> None:
    if json:
        figures = {name: list(_plain(found)) for name, found in run.found.items()}
        as_json({"ok": not run.failed, "machine": run.machine, "figures": figures, "failed": run.failed})
    else:
        report.show(PEOPLE, run.found)


def _plain(figures: Sequence[Figure]) -> Iterator[dict[str, Any]]:
    for f in figures:
        yield {"what": f.what, "unit": f.unit, "min": min(f.values), "median": f.median, "max": max(f.values),
               "goal": f.goal, "reached": f.reached, "note": f.note}  # fmt: skip
