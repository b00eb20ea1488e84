"""docs/adding-a-procedure.md to its end: the pack of the page is published on a running platform as the page says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.kit.procedure.tests.test_adding_a_procedure import BLOCK
from services.kit.settings import ROOT, procedures_dir
from services.ops.__main__ import app
from services.ops.demo.cast import PASSWORD
from services.ops.demo.stage import Stage
from services.ops.trial import Platform

RUN = re.compile(r"^```sh(?: platform)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_page_publishes_its_pack(
    platform: Platform, stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.publish(procedures_dir() / "superior-approval")  # brings in the two people who publish
    page = (ROOT / "docs/adding-a-procedure.md").read_text("utf-8")
    for _, file, text in BLOCK.findall(page):
        if file:
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file).write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANJUAN_DATA", str(platform.installation.place.data))
    told = {"密码": PASSWORD, "登录名": "confirmer"}
    said = []
    for written in "".join(RUN.findall(page)).splitlines():
        line = written
        for name, value in told.items():
            line = line.replace(name, value)
        words = shlex.split(line)
        while "=" in words[0]:
            monkeypatch.setenv(*words.pop(0).split("=", 1))
        assert words.pop(0) == "anjuan"
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, done.output
        said.append(done.output)
        if sha256 := re.search("[0-9a-f]{64}", done.output):
            told["SHA256"] = sha256[0]
    wanted = ["已画好", "没有问题", "待另一人确认", "已生效"]
    assert [want in text for want, text in zip(wanted, said, strict=True)] == [True] * 4
