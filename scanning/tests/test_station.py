"""The station without its platform: what a bad file may do to it, and what a clerk is told."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from scanning import apart, station
from scanning.__main__ import app
from scanning.folders import PROBLEMS
from scanning.report import report
from scanning.settings import NotSetUpError, Settings, keep, kept
from scanning.station import Station, alone
from services.kit.testing import until
from services.ops.demo import paper

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    keep(Settings(tmp_path / "in", tmp_path / "in" / ".station", NOWHERE, "一楼扫描站", "body-1"))
    return kept(tmp_path / "in", None, settle_seconds=0.0, longest_wait_seconds=0.2)


@contextmanager
def running(settings: Settings) -> Iterator[None]:
    one = Station(settings)
    beside = threading.Thread(target=one.run)
    beside.start()
    try:
        yield
    finally:
        one.stop.set()
        beside.join()


def states(settings: Settings) -> dict[str, str]:
    return {file["name"]: file["state"] for file in report(settings)["files"]}


def test_a_bad_file_holds_back_no_good_one_and_is_told(settings: Settings) -> None:
    (settings.folder / "坏.pdf").write_bytes(b"%PDF-1.4\nnothing at all\nstartxref\n9\n%%EOF")
    (settings.folder / "好.tif").write_bytes(paper.tiff([paper.page("好", dpi=60), paper.blank(60)], 60))
    (settings.folder / "别处").mkdir()
    with running(settings):
        until(lambda: states(settings) == {"好.tif": "ready", "坏.pdf": "problem"}, 60, "both judged")
        until(lambda: "连不上平台" in report(settings)["fault"], 30, "the fault shown")
        with pytest.raises(NotSetUpError, match="已有扫描站程序"), alone(settings, seconds=0.0):
            pass
    assert (settings.folder / PROBLEMS / "坏.pdf").read_bytes().startswith(b"%PDF-1.4\nnothing")
    said = CliRunner().invoke(app, ["status", "--folder", str(settings.folder), "--json"])
    told = json.loads(said.stdout)
    assert (said.exit_code, told["running"], told["connected"], told["not_looked_at"]) == (1, False, False, ["别处"])
    bad = next(file for file in told["files"] if file["state"] == "problem")
    assert "损坏" in bad["reason"]
    assert next(file["pages"] for file in told["files"] if file["name"] == "好.tif") == 2
    (settings.folder / PROBLEMS / "坏.pdf").rename(settings.folder.parent / "坏.pdf")
    (settings.folder / PROBLEMS / "坏.pdf.txt").unlink()
    assert states(settings) == {"好.tif": "ready"}


def test_a_child_that_dies_is_noticed_and_its_pages_are_kept(tmp_path: Path) -> None:
    master = tmp_path / "master"
    master.write_bytes(paper.tiff([paper.page(str(n), dpi=60) for n in range(40)], 60))
    others = set(psutil.Process().children())
    pages = apart.page_copies(master, tmp_path, [1])
    assert next(pages).number == 2
    (child,) = set(psutil.Process().children()) - others
    child.kill()
    with pytest.raises(apart.BrokenOffError):
        list(pages)
    assert (tmp_path / "00002.jpg").is_file()
    early = apart.page_copies(master, tmp_path, [])
    next(early)
    early.close()
    assert set(psutil.Process().children()) == others
    with pytest.raises(OSError, match="nowhere"):  # the disk is to blame, not the file
        list(apart.page_copies(master, tmp_path / "nowhere", []))


def test_a_file_that_breaks_the_child_again_and_again_is_set_aside(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    (settings.folder / "毒.tif").write_bytes(paper.tiff([paper.blank(60)], 60))
    monkeypatch.setattr(apart, "CHILD", (sys.executable, "-c", "import os; os.abort()"))
    with running(settings):
        until(lambda: states(settings).get("毒.tif") == "problem", 30, "given up")
    assert "3 次意外中断" in (settings.folder / PROBLEMS / "毒.tif.txt").read_text("utf-8")
    assert station.MOST_BREAKS == 3


def test_a_folder_that_is_no_stations_says_what_to_do(tmp_path: Path) -> None:
    said = CliRunner().invoke(app, ["status", "--folder", str(tmp_path), "--json"])
    assert (said.exit_code, json.loads(said.stdout)["ok"]) == (1, False)
    asked = ["enrol", "--folder", str(tmp_path / "in"), "--server", NOWHERE, "--body", "b", "--json"]
    said = CliRunner().invoke(app, asked)
    assert "连不上平台" in json.loads(said.stdout)["problem"]
    assert kept(tmp_path / "in", None).server == NOWHERE  # run enrols when it gets through
    key = kept(tmp_path / "in", None).key
    assert key.stat().st_mode & 0o777 == 0o600
    before = key.read_bytes()
    CliRunner().invoke(app, [*asked, "--new-key"])
    assert (key.read_bytes() != before, key.with_name("key-old.pem").read_bytes()) == (True, before)
