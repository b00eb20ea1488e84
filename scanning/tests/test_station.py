"""The station against the real platform: offline, cut lines, kills; every page arrives exactly once, byte for byte."""

from __future__ import annotations

import hashlib
import io
import os
import random
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from scanning import door
from scanning.folders import PROBLEMS
from scanning.ledger import Ledger
from scanning.pipeline import copies
from scanning.station import Settings, Station
from scanning.tests import papers
from scanning.tests.site import ADMIN, Line, Site, open_site
from services.archive.tests.scene import BUREAU
from services.kit import clock
from services.kit.objects import sha256_key
from services.kit.settings import ROOT
from services.kit.testing import until
from services.ops.rig.session import Rig

KILLS = 5


@pytest.fixture(scope="module")
def site(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(rig, tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture
def station(site: Site, tmp_path: Path) -> Settings:
    folder = tmp_path / "in"
    folder.mkdir()
    key = tmp_path / "key.pem"
    name, data = "一楼扫描站", folder / ".station"
    return Settings(folder, data, site.base_url, key, name, BUREAU, 0.0, longest_wait_seconds=0.5, once=True)


def enrolled(site: Site, station: Settings) -> None:
    """Asked for and approved, before the first file."""
    station.data.mkdir(exist_ok=True)
    ledger = Ledger(station.data / "station.db")
    with door.Door(site.base_url, door.load_key(station.key), ledger) as way:
        way.enrol(station.name, station.body_id)
    ledger.close()
    site.approve_all()


def arrived(site: Site, name: str) -> list[dict[str, object]]:
    """Batches of a file name."""
    return [batch for batch in site.batches() if batch["file_name"] == name]


def stored(site: Site, digest: str) -> bytes:
    return site.scene.host.objects.get(sha256_key(digest))


def test_a_stack_becomes_batches_piles_and_pages(site: Site, station: Settings) -> None:
    case_id = site.scene.case()
    sheets = [papers.cover(site.code(case_id)), papers.page("第一页"), papers.blank(), papers.page("第二页")]
    skews = (1.0, 2.0, 0.0, -1.5)
    scan = papers.pdf([papers.scanned(s, skew) for s, skew in zip(sheets, skews, strict=True)])
    (station.folder / "stack.pdf").write_bytes(scan)
    (station.folder / "loose.tif").write_bytes(papers.tiff([papers.page("无分隔页"), papers.blank()]))
    (station.folder / "photo.jpg").write_bytes(papers.jpeg(papers.page("照片")))
    enrolled(site, station)
    Station(station).run()
    (stack,) = arrived(site, "stack.pdf")
    assert (stack["pages"], stack["blanks"], stack["covers"], stack["unclaimed"]) == (2, 1, 1, 0)
    assert [p["case_id"] for p in stack["piles"]] == [case_id]  # type: ignore[attr-defined]
    assert stored(site, str(stack["master_sha256"])) == scan
    for name, kind in (("loose.tif", "image/tiff"), ("photo.jpg", "image/jpeg")):
        (batch,) = arrived(site, name)
        assert (batch["unclaimed"], batch["master_media_type"]) == (1, kind)
    with site.scene.begin(ADMIN) as uow:
        pages = uow.pages.of_case(case_id)
    assert [p.kind for p in pages] == ["cover", "page", "blank", "page"]
    copy = Image.open(io.BytesIO(stored(site, pages[1].sha256)))
    assert copy.size == (pages[1].width, pages[1].height)
    upright = np.asarray(papers.page("第一页"), np.float64)
    straight = np.corrcoef(np.asarray(copy.resize(upright.shape[::-1]), np.float64).ravel(), upright.ravel())[0, 1]
    askew = np.corrcoef(np.asarray(papers.scanned(papers.page("第一页"), 2), np.float64).ravel(), upright.ravel())[0, 1]
    assert straight > 0.8 > askew
    assert [p.name for p in station.folder.iterdir()] == [".station"]


def test_what_was_given_once_is_not_given_again(site: Site, station: Settings) -> None:
    scan = papers.pdf([papers.page("一次")])
    enrolled(site, station)
    for name in ("once.pdf", "twice.pdf"):
        (station.folder / name).write_bytes(scan)
        Station(station).run()
    assert len(arrived(site, "once.pdf")) == 1
    assert arrived(site, "twice.pdf") == []
    station.data.joinpath("station.db").unlink()  # the disk was replaced, the key was not
    enrolled(site, station)
    (station.folder / "again.pdf").write_bytes(scan)
    Station(station).run()
    assert len(arrived(site, "once.pdf")) == 1
    assert site.scene.ask("select count(*) from pages p join scan_batches using (batch_id) where master_sha256 = :d",
                          d=str(arrived(site, "once.pdf")[0]["master_sha256"])) == 1  # fmt: skip


def test_a_station_works_offline_and_unapproved_and_gives_all_later(site: Site, station: Settings) -> None:
    line = Line(site.base_url, seed=1, shortest=10**9, longest=10**9)
    line.down = True
    running = Station(replace(station, server=line.base_url, once=False))
    thread = threading.Thread(target=running.run)
    thread.start()
    try:
        for n in range(3):
            (station.folder / f"offline{n}.pdf").write_bytes(papers.pdf([papers.page(f"离线{n}")]))
        ledger = Ledger(station.data / "station.db")
        until(lambda: len(ledger.in_state("ready")) == 3, 30, "three files ready while offline")
        assert arrived(site, "offline0.pdf") == []
        line.down, before = False, site.approve_all()
        until(lambda: ledger.fact("station_id"), 30, "enrolment")
        assert site.approve_all() == before + 1
        until(lambda: len(ledger.in_state("done")) == 3, 60, "all given")
    finally:
        running.stop.set()
        thread.join()
        line.close()
    assert all(len(arrived(site, f"offline{n}.pdf")) == 1 for n in range(3))


def test_a_clock_that_is_wrong_by_days_does_not_matter(
    site: Site, station: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrolled(site, station)
    ledger = Ledger(station.data / "station.db")
    late = SimpleNamespace(now=lambda: clock.now() - timedelta(days=3), monotonic=clock.monotonic)
    monkeypatch.setattr(door, "clock", late)  # the station's; the platform's goes right
    with door.Door(site.base_url, door.load_key(station.key), ledger) as way:
        assert way.ask("GET", "/scan-batches").status_code == 200
        assert abs(way._ahead - timedelta(days=3)) < timedelta(seconds=5)


def test_what_the_platform_refuses_is_shown_with_its_reason(site: Site, station: Settings) -> None:
    enrolled(site, station)
    ledger = Ledger(station.data / "station.db")
    ledger.put_fact("body_id", "body-nobody")
    (station.folder / "broken.pdf").write_bytes(b"%PDF-1.4\nnothing at all\n%%EOF")
    (station.folder / "good.pdf").write_bytes(papers.pdf([papers.page("好")]))
    running = Station(replace(station, once=False))
    thread = threading.Thread(target=running.run)
    thread.start()
    try:
        note = station.folder / PROBLEMS / "broken.pdf.txt"
        assert "损坏" in until(lambda: note.read_text("utf-8") if note.exists() else "", 30, "the note")
        until(lambda: ledger.in_state("ready"), 30, "the good file")
        ledger.put_fact("body_id", BUREAU)
        until(lambda: ledger.in_state("done"), 60, "given at last")
    finally:
        running.stop.set()
        thread.join()


def test_a_copy_that_the_disk_spoils_is_made_again(site: Site, station: Settings) -> None:
    enrolled(site, station)
    line = Line(site.base_url, seed=1)
    line.down = True
    running = Station(replace(station, server=line.base_url, once=False))
    thread = threading.Thread(target=running.run)
    thread.start()
    (station.folder / "spoilt.pdf").write_bytes(papers.pdf([papers.page("甲"), papers.page("乙")]))
    ledger = Ledger(station.data / "station.db")
    (kept,) = until(lambda: ledger.in_state("ready"), 30, "the file ready")
    running.stop.set()
    thread.join()
    line.close()
    copy = station.data / "work" / kept.sha256 / "00002.jpg"
    copy.write_bytes(copy.read_bytes()[:-10] + b"0123456789")
    Station(station).run()
    (batch,) = arrived(site, "spoilt.pdf")
    assert (batch["state"], batch["pages"]) == ("received", 2)


def start(station: Settings, server: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "scanning", "--folder", str(station.folder), "--server", server, "--key",
               str(station.key), "--body", BUREAU, "--settle", "0", "--longest-wait", "0.1", "--once"]  # fmt: skip
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'build' / 'gen'}"}
    return subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.DEVNULL)


def progress(station: Settings, line: Line) -> int:
    """How far a station is: pages copied, and what went over the line."""
    ledger = station.data / "station.db"
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as database:
        return int(database.execute("select count(*) from pages").fetchone()[0]) + line.moved // 15_000


def storm(station: Settings, line: Line, chance: random.Random) -> int:
    """Start the program and kill it a little further on, again and again; how many kills until it ended by itself."""
    kills = 0
    while True:
        running, begun = start(station, line.base_url), progress(station, line)
        aim = begun + chance.randint(1, 6) if kills < KILLS else 10**9

        def due(running: subprocess.Popen[bytes] = running, aim: int = aim) -> bool:
            return running.poll() is not None or progress(station, line) >= aim

        try:
            until(due, 120, f"an end, after {kills} kills")
        finally:
            running.kill()
            running.wait()
        if running.returncode == 0:
            return kills
        kills += 1


def test_kills_and_cuts_at_any_moment_lose_and_double_nothing(site: Site, station: Settings) -> None:
    seed = int(os.environ.get("ANJUAN_SEED", random.SystemRandom().randrange(10**6)))
    print(f"seed {seed}")
    case_id, scans = site.scene.case(), {}
    enrolled(site, station)
    for n in range(2):
        sheets = [papers.cover(site.code(case_id), 110), *(papers.page(f"第{n}卷第{m}页", dpi=110) for m in range(2)),
                  papers.blank(110)]  # fmt: skip
        scans[f"storm{n}.pdf"] = papers.pdf([papers.scanned(s, seed=n * 10 + m) for m, s in enumerate(sheets)], 110)
    for name, data in scans.items():
        (station.folder / name).write_bytes(data)
    line = Line(site.base_url, seed, shortest=100, longest=300_000)
    kills = storm(station, line, random.Random(seed))
    line.close()
    print(f"{kills} kills, {line.cuts} cuts")
    assert kills >= 3
    assert line.cuts >= 3
    _check_exactly_once(site, station, scans, case_id)


def _check_exactly_once(site: Site, station: Settings, scans: dict[str, bytes], case_id: str) -> None:
    with site.scene.begin(ADMIN) as uow:
        pages = uow.pages.of_case(case_id)
    expected = []
    for name, data in scans.items():
        (batch,) = arrived(site, name)
        assert batch["state"] == "received"
        assert stored(site, str(batch["master_sha256"])) == data
        folder = station.folder.parent / name
        folder.mkdir()
        (folder / "master").write_bytes(data)
        expected += [(page.sha256, page.kind) for page in copies(folder / "master", folder, ())]
    assert sorted((p.sha256, p.kind) for p in pages) == sorted(expected)
    for page in pages:
        assert hashlib.sha256(stored(site, page.sha256)).hexdigest() == page.sha256
    assert len(site.scene.told("PagesReceived", case_id)) == len(scans)
