"""docs/adding-a-procedure.md to its end: the pack of the page is published on a running platform as the page says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.kit.procedure.tests.test_adding_a_procedure import BLOCK
from services.kit.settings import ROOT
from services.ops.__main__ import app
from services.ops.demo.cast import PASSWORD
from services.ops.demo.stage import Stage
from services.ops.trial import Platform

PUBLISHING = re.compile(r"^```sh platform\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_page_publishes_its_pack(
    platform: Platform, stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage._publishers()
    page = (ROOT / "docs/adding-a-procedure.md").read_text("utf-8")
    for _, file, text in BLOCK.findall(page):
        if file:
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file).write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANJUAN_DATA", str(platform.installation.place.data))
    told = {"密码": PASSWORD, "登录名": "confirmer"}
    said = []
    for line in PUBLISHING.findall(page)[0].splitlines():
        words = [re.sub("密码$|^登录名$|^SHA256$", lambda m: told[m[0]], word) for word in shlex.split(line)]
        while "=" in words[0]:
            monkeypatch.setenv(*words.pop(0).split("=", 1))
        assert words.pop(0) == "anjuan"
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, done.output
        said.append(done.output)
        told["SHA256"] = re.findall("[0-9a-f]{64}", done.output)[0]
    assert ["待另一人确认" in said[0], "已生效" in said[1]] == [True, True]
