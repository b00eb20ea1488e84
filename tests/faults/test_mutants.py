"""The storm must notice: each seeded bug, in a copy of the tree, fails the same run in the history checker."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from services.kit.settings import ROOT

FOLDER = Path(__file__).parent / "mutants"
# which faults meet each bug's weak point: what is marked is not yet with the broker; what comes again comes to a
# listener; what is acknowledged is not yet in the database
AIMED = {
    "relay-marks-before-the-confirm": "kill rabbitmq,restart rabbitmq",
    "consumer-without-inbox": "kill rabbitmq,kill postgres",
    "ack-before-the-commit": "kill consumers,kill postgres",
}
QUICKEST = "ack-before-the-commit"
NAMED = re.compile(r"(LOST|DOUBLED|LEFT WAITING) .*[0-9a-f-]{36}")


def copied(to: Path) -> Path:
    """The tree as git knows it, with the generated code."""
    asked = ["git", "ls-files", "-co", "--exclude-standard"]
    listed = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True)
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, to / name)
    shutil.copytree(ROOT / "build" / "gen", to / "build" / "gen")
    return to


def stormy(tree: Path, kinds: str) -> subprocess.CompletedProcess[str]:
    """The storm of make test upon that tree, with faults of these kinds alone."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/faults/test_storm.py"]
    told = {"PYTHONPATH": f"{tree}{os.pathsep}{tree / 'build' / 'gen'}", "GIT_CEILING_DIRECTORIES": str(tree.parent),
            "ANJUAN_FAULTS": "6", "ANJUAN_FAULT_KINDS": kinds}  # fmt: skip
    return subprocess.run(command, cwd=tree, env=os.environ | told, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", [
    pytest.param(name, marks=[pytest.mark.long] if name != QUICKEST else []) for name in sorted(AIMED)
])  # fmt: skip
def test_the_storm_names_what_the_bug_lost_or_doubled(name: str, tmp_path: Path) -> None:
    tree = copied(tmp_path / "tree")
    subprocess.run(["git", "apply", "--whitespace=nowarn", str(FOLDER / f"{name}.patch")], cwd=tree, check=True)
    run = stormy(tree, AIMED[name])
    assert run.returncode == 1, run.stdout[-3000:] + run.stderr[-2000:]
    assert NAMED.search(run.stdout), run.stdout[-3000:]
