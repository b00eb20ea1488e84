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

MUTANTS = sorted((Path(__file__).parent / "mutants").glob("*.patch"))
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


@pytest.mark.long
@pytest.mark.parametrize("patch", MUTANTS, ids=lambda patch: patch.stem)
def test_the_storm_names_what_the_bug_lost_or_doubled(patch: Path, tmp_path: Path) -> None:
    tree = copied(tmp_path / "tree")
    subprocess.run(["git", "apply", "--whitespace=nowarn", str(patch)], cwd=tree, check=True)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/faults/test_storm.py"]
    path = f"{tree}{os.pathsep}{tree / 'build' / 'gen'}"
    env = os.environ | {"PYTHONPATH": path, "GIT_CEILING_DIRECTORIES": str(tmp_path), "ANJUAN_FAULTS": "27"}
    run = subprocess.run(command, cwd=tree, env=env, capture_output=True, text=True, check=False)
    assert run.returncode == 1, run.stdout[-3000:] + run.stderr[-2000:]
    assert NAMED.search(run.stdout), run.stdout[-3000:]


def test_every_mutant_still_fits_the_code() -> None:
    assert len(MUTANTS) == 3
    for patch in MUTANTS:
        subprocess.run(["git", "apply", "--check", str(patch)], cwd=ROOT, check=True)
