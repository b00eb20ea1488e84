"""The seeded bugs of tests/faults are patches: whoever changes the code under one sees here that it no longer fits."""

from __future__ import annotations

import subprocess

import pytest

from services.kit.settings import ROOT

PATCHES = sorted((ROOT / "tests/faults/mutants").glob("*.patch"))


def test_three_bugs_are_seeded() -> None:
    named = {patch.stem for patch in PATCHES}
    assert named == {"relay-marks-before-the-confirm", "consumer-without-inbox", "ack-before-the-commit"}


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_a_seeded_bug_fits_the_code(patch: object) -> None:
    run = subprocess.run(["git", "apply", "--check", str(patch)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert not run.returncode, run.stderr
