"""docs/adding-a-procedure.md, followed literally: every file written, every command run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.kit.procedure.bundle import load_folder
from services.kit.procedure.tests.mutants import mutants, survives
from services.kit.settings import ROOT
from services.ops.pack import app

BLOCK = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_page_makes_a_pack_that_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run: list[str] = []
    for kind, file, text in BLOCK.findall((ROOT / "docs/adding-a-procedure.md").read_text("utf-8")):
        if file:
            path = tmp_path / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        if kind == "sh":
            words = text.split()
            assert words[:2] == ["anjuan", "pack"]
            done = CliRunner().invoke(app, words[2:])
            assert done.exit_code == 0, done.output
            run.append(done.output)
    assert [r.split("：")[1].strip() for r in run] == ["已画好", "没有问题"]
    whole = load_folder(tmp_path / "procedures/complaint-acceptance")
    assert [name for name, mutant in mutants(whole) if survives(name, mutant)] == []
