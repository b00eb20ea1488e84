"""The station against the real platform: killed, cut off, revoked; every page arrives exactly once, byte for byte."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scanning import door
from scanning.ledger import Ledger
from scanning.report import report
from scanning.settings import Settings, kept
from scanning.station import Station
from scanning.tests import sheets
from services.archive.model import covers
from services.kit import clock, objects
from services.kit.settings import ROOT
from services.kit.testing import settle, until
from services.ops.demo import paper
from services.ops.demo.site import Voice
from services.ops.demo.stage import Stage
from services.ops.demo.station import ScanSite, open_site, scan
from services.ops.trial import Platform
from tests.e2e.conftest import Scene
from tests.e2e.line import Line

# in the order in which one file meets them: every step that leaves something behind
POINTS = [
    "before scanning.ledger:Ledger.take * 1", "after scanning.ledger:Ledger.take * 1",
    "after scanning.durable:move * 1", "after scanning.ledger:Ledger.put kept 1",
    "before scanning.ledger:Ledger.add_page * 2", "after scanning.ledger:Ledger.add_page * 2",
    "after scanning.ledger:Ledger.put ready 1", "after scanning.door:Door.ask /scan-batches 1",
    "after scanning.door:Door.ask /uploads 1", "after scanning.door:Door.ask PATCH 3",
    "after scanning.ledger:Ledger.put sent 1", "before scanning.ledger:Ledger.put done 1",
    "after scanning.ledger:Ledger.shelve * 1", "after scanning.durable:move * 1",
]  # fmt: skip


@pytest.fixture
def site(platform: Platform, stage: Stage, scene: Scene, tmp_path: Path) -> ScanSite:
    return open_site(platform.address, tmp_path / "in", scene.play.cast.body, stage.operator.token())


@pytest.fixture(scope="module")
def case_id(stage: Stage, scene: Scene) -> str:
    filed = scene.file("扫描归卷案")
    settle(stage.rpc, stage.operator.token())
    return filed


def sheet(scene: Scene, case_id: str) -> Any:
    """As the clerk prints it; the other pages bear a heading alone, for they are read as well."""
    return paper.printed(scene.registrar.ask("GET", f"/cases/{case_id}/separator-sheet").content)[0]


def received(voice: Voice, name: str) -> list[dict[str, Any]]:
    """Batches of a file name, whole, with all pages of their piles."""
    found = []
    for short in voice.get("/scan-batches", limit=100)["batches"]:
        if short["file_name"] == name:
            batch = voice.get(f"/scan-batches/{short['batch_id']}")
            batch["all_pages"] = [
                page for pile in batch["piles"]
                for page in voice.get(f"/scan-piles/{pile['pile_id']}/pages", hidden_too=True, limit=100)["pages"]
            ]  # fmt: skip
            found.append(batch)
    return found


def exactly_once(platform: Platform, voice: Voice, name: str, data: bytes, pages: int) -> dict[str, Any]:
    """The one batch of a file: its master equal, every page there once and equal to its hash."""
    (batch,) = received(voice, name)
    digest = hashlib.sha256(data).hexdigest()
    store = objects.open_store(platform.settings.objects)
    assert (batch["state"], batch["master_sha256"]) == ("received", digest)
    assert store.get(objects.sha256_key(digest)) == data
    assert sorted(page["number"] for page in batch["all_pages"]) == list(range(1, pages + 1))
    for page in batch["all_pages"]:
        assert hashlib.sha256(store.get(objects.sha256_key(page["sha256"]))).hexdigest() == page["sha256"]
    return batch


def knobs(site: ScanSite, **changed: Any) -> Settings:
    return kept(site.folder, None, **{"settle_seconds": 0.0, "longest_wait_seconds": 0.2, "once": True} | changed)


@contextmanager
def running(settings: Settings) -> Iterator[None]:
    """The station beside the test, until its end."""
    station = Station(settings)
    beside = threading.Thread(target=station.run)
    beside.start()
    try:
        yield
    finally:
        station.stop.set()
        beside.join()


def test_killed_after_every_durable_step_it_loses_and_doubles_nothing(
    platform: Platform, scene: Scene, site: ScanSite, case_id: str, tmp_path: Path
) -> None:
    foreign = sheets.cover(covers.written("body-elsewhere", "0123456789ABCDEF"), 110)
    stack = [sheet(scene, case_id), paper.page("第一页", (), 110), paper.blank(110), foreign,
             paper.page("别人的", (), 110)]  # fmt: skip
    data = paper.pdf([paper.scanned(s, seed=n) for n, s in enumerate(stack)], 110)
    (site.folder / "打断.pdf").write_bytes(data)
    ends, run = tmp_path / "ends.json", ["run", "--folder", str(site.folder), "--once", "--settle", "0"]
    command = [sys.executable, "-m", "tests.e2e.mortal", json.dumps(POINTS), str(ends), *run, "--longest-wait", "0.2"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=240, check=False).stderr.decode()
    assert json.loads(ends.read_text("utf-8")) == [-signal.SIGKILL] * len(POINTS) + [0], told[-3000:]
    batch = exactly_once(platform, scene.registrar, "打断.pdf", data, 5)
    ours, theirs = batch["piles"]
    assert (ours["case_id"], ours["pages"], ours["blanks"]) == (case_id, 1, 1)
    assert (theirs["state"], theirs["reason"], theirs["case_id"]) == ("unclaimed", "foreign", "")
    assert [p["hidden"] for p in batch["all_pages"]] == [True, False, True, True, False]
    assert (site.folder / "已上传" / "打断.pdf").read_bytes() == data


def test_a_line_cut_inside_a_chunk_goes_on_where_it_was(platform: Platform, scene: Scene, site: ScanSite) -> None:
    data = paper.tiff([paper.page(str(n), ()) for n in range(3)], compression="raw")
    (site.folder / "断线.tif").write_bytes(data)
    with closing(Line(platform.address, [6_000_000, 300_000])) as line:
        settings = knobs(site)
        Station(Settings(**vars(settings) | {"server": line.address})).run()
    batch = exactly_once(platform, scene.registrar, "断线.tif", data, 3)
    store = objects.open_store(platform.settings.objects)
    copies = sum(len(store.get(objects.sha256_key(page["sha256"]))) for page in batch["all_pages"])
    assert line.cuts == 2
    # lost are a piece of less than 1 MiB and what was in the sockets; from the start it would be over 5 MB
    assert line.sent < len(data) + copies + 4_000_000


def test_it_works_unapproved_and_offline_and_stops_giving_when_revoked(
    platform: Platform, stage: Stage, scene: Scene, tmp_path: Path
) -> None:
    folder, voice = tmp_path / "in", stage.operator
    open_site(platform.address, folder, scene.play.cast.body, voice.token(), "二楼扫描站")
    station_id = report(kept(folder, None))["station_id"]
    settings = kept(folder, None, settle_seconds=0.0, longest_wait_seconds=0.2)
    line = Line(platform.address)

    def write(name: str) -> None:
        (folder / name).write_bytes(paper.tiff([paper.page(name, (), 60)], 60))

    def states() -> dict[str, str]:
        return {file["name"]: file["state"] for file in report(settings)["files"]}

    line.close()
    write("离线.tif")
    with running(Settings(**vars(settings) | {"server": line.address})):
        until(lambda: states().get("离线.tif") == "ready", 30, "a file ready while offline")
        until(lambda: "连不上平台" in report(settings)["fault"], 30, "the fault shown")
    with running(settings):
        until(lambda: states()["离线.tif"] == "done", 60, "given later")
        voice.post(f"/stations/{station_id}/decision", {"decision": "revoke", "reason": "设备报废"})
    with running(settings):
        write("吊销.tif")
        until(lambda: "已吊销" in report(settings)["fault"], 60, "revocation shown")
        until(lambda: states()["吊销.tif"] == "ready", 30, "kept for a new key")
    assert received(scene.registrar, "吊销.tif") == []


def test_a_clock_that_is_wrong_by_days_does_not_matter(site: ScanSite, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = knobs(site)
    late = SimpleNamespace(now=lambda: clock.now() - timedelta(days=3), monotonic=clock.monotonic)
    monkeypatch.setattr(door, "clock", late)  # the station's; the platform's goes right
    key = door.load_key(settings.key)
    with closing(Ledger(settings.ledger)) as ledger, door.Door(site.address, key, ledger) as way:
        assert way.ask("GET", "/scan-batches").status_code == 200


def test_what_was_given_is_not_doubled_when_it_is_put_in_again(
    platform: Platform, scene: Scene, site: ScanSite
) -> None:
    data = paper.tiff([paper.page("一次", (), 60)], 60)
    for name in ("一次.tif", "两次.tif"):
        (site.folder / name).write_bytes(data)
        Station(knobs(site)).run()
    (site.folder / ".station" / "station.db").unlink()  # the disk was replaced, the key was saved
    (site.folder / "三次.tif").write_bytes(data)
    Station(knobs(site)).run()
    exactly_once(platform, scene.registrar, "一次.tif", data, 1)
    assert [received(scene.registrar, name) for name in ("两次.tif", "三次.tif")] == [[], []]
    assert sorted(path.name for path in (site.folder / "已上传").iterdir()) == ["一次.tif", "三次.tif", "两次.tif"]


def test_a_stack_scanned_on_the_spot_is_filed_into_its_case(scene: Scene, site: ScanSite, case_id: str) -> None:
    papers = [paper.page("现场笔录", ()), paper.blank(), paper.page("询问笔录", ())]
    batch_id = scan(site, case_id, scene.registrar.token(), papers)
    batch = scene.registrar.get(f"/scan-batches/{batch_id}")
    assert (batch["pages"], batch["blanks"], batch["covers"], batch["unclaimed"]) == (2, 1, 1, 0)
    assert [pile["case_id"] for pile in batch["piles"]] == [case_id]
