"""The watched folder: only what is complete is taken, original bytes stay as they are, nothing is lost by a kill."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from scanning import durable
from scanning.folders import GIVEN, PROBLEMS, Folders
from scanning.ledger import Kept, Ledger
from services.ops.demo import paper

SCAN = paper.tiff([paper.blank(50)], 50)


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    incoming, data = tmp_path / "in", tmp_path / "in" / ".station"
    data.mkdir(parents=True)
    return Folders(incoming, data, Ledger(data / "station.db"), settle_seconds=0.0, patience_seconds=0.0)


def visible(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))


def taken(folders: Folders, name: str = "scan.tif", data: bytes = SCAN) -> Kept:
    (folders.incoming / name).write_bytes(data)
    assert folders.take_complete() == 0
    return folders.ledger.in_state("kept")[-1]


def test_a_file_is_taken_whole_and_unchanged(folders: Folders) -> None:
    kept = taken(folders)
    assert (kept.name, kept.media_type, kept.size) == ("scan.tif", "image/tiff", len(SCAN))
    assert folders.master(kept.sha256).read_bytes() == SCAN
    assert visible(folders.incoming) == []


def test_a_file_still_being_written_waits(folders: Folders) -> None:
    folders.patience_seconds = 600.0
    path = folders.incoming / "scan.tif"
    for part in (b"", bytes(64), SCAN[:100], SCAN[:-200]):
        path.write_bytes(part)
        assert folders.take_complete() == 1
    for name in ("next.tif.part", "Thumbs.db"):
        (folders.incoming / name).write_bytes(b"II*\0")
    path.write_bytes(SCAN)
    assert folders.take_complete() == 0
    assert visible(folders.incoming) == ["Thumbs.db", "next.tif.part"]


def test_a_file_that_has_just_changed_waits_although_its_end_is_there(folders: Folders) -> None:
    folders.settle_seconds = 600.0
    (folders.incoming / "scan.tif").write_bytes(SCAN)
    assert folders.take_complete() == 1
    assert folders.ledger.in_state("kept") == []


@pytest.mark.parametrize(("data", "says"), [(b"MZ program", "三种格式"), (b"%PDF-1.4 cut", "不完整"), (b"", "不完整")])
def test_a_bad_file_goes_where_people_see_it_with_the_reason(folders: Folders, data: bytes, says: str) -> None:
    for name in ("坏.pdf", "坏.pdf"):
        (folders.incoming / name).write_bytes(data)
        folders.take_complete()
    problems = folders.incoming / PROBLEMS
    assert visible(problems) == ["坏-1.pdf", "坏-1.pdf.txt", "坏.pdf", "坏.pdf.txt"]
    assert (problems / "坏.pdf").read_bytes() == data
    assert says in (problems / "坏.pdf.txt").read_text("utf-8")


def test_names_that_an_old_scanner_wrote_are_read(folders: Folders) -> None:
    raw = os.fsencode(folders.incoming) + b"/" + "卷宗".encode("gb18030") + b".tif"
    with open(raw, "wb") as file:  # noqa: PTH123 (no Path can be written with these bytes in its name)
        file.write(SCAN)
    folders.take_complete()
    long = taken(folders, "长" * 80 + ".pdf", b"%PDF-1.4 startxref 5 %%EOF")
    assert [k.name for k in folders.ledger.in_state("kept")] == ["卷宗.tif", long.name]
    assert 100 < len(long.name.encode()) < 200
    assert long.name.endswith("长.pdf")


def test_the_same_bytes_wait_for_their_turn_and_are_taken_again(folders: Folders) -> None:
    kept = taken(folders)
    (folders.incoming / "again.tif").write_bytes(SCAN)
    assert folders.take_complete() == 1
    folders.done(kept)
    assert folders.take_complete() == 0
    assert [k.name for k in folders.ledger.in_state("kept")] == ["again.tif"]
    assert visible(folders.incoming / GIVEN) == ["scan.tif"]


def test_every_move_that_a_kill_cut_short_is_finished(folders: Folders) -> None:
    path, digest = folders.incoming / "scan.tif", hashlib.sha256(SCAN).hexdigest()
    path.write_bytes(SCAN)
    folders.home(digest).mkdir(parents=True)
    folders.ledger.take(digest, "scan.tif", len(SCAN), "image/tiff")
    folders.recover()  # killed before the move
    assert (path.read_bytes() == SCAN, folders.ledger.find(digest)) == (True, None)
    folders.home(digest).mkdir(parents=True)
    folders.ledger.take(digest, "scan.tif", len(SCAN), "image/tiff")
    durable.move(path, folders.master(digest))
    folders.recover()  # killed after it
    assert [k.sha256 for k in folders.ledger.in_state("kept")] == [digest]
    for state, where in (("done", GIVEN), ("problem", PROBLEMS)):
        folders.ledger.put(digest, state, "坏了")
        folders.recover()  # killed before it was put away
        assert (folders.incoming / where / "scan.tif").read_bytes() == SCAN
        assert not folders.home(digest).exists()
        (folders.incoming / where / "scan.tif").rename(path)
        folders.take_complete()


def test_a_file_written_to_after_it_was_taken_waits_again(folders: Folders) -> None:
    path = folders.incoming / "scan.tif"
    path.write_bytes(SCAN)
    with path.open("ab") as late:
        folders.take_complete()
        late.write(b"more")
    kept = folders.ledger.in_state("kept")[0]
    assert not folders.is_there(kept)
    assert path.read_bytes() == SCAN + b"more"
    assert folders.ledger.find(kept.sha256) is None
    folders.take_complete()
    again = folders.ledger.in_state("kept")[0].sha256
    folders.master(again).write_bytes(SCAN + b"and more")
    folders.ledger.put(again, "taking")
    folders.recover()  # killed before that was noticed
    assert path.read_bytes() == SCAN + b"and more"


def test_a_lost_ledger_loses_no_original_and_a_lost_original_is_told(folders: Folders) -> None:
    kept = taken(folders)
    folders.ledger.forget(kept.sha256)
    folders.recover()
    assert visible(folders.incoming) == [f"找回-{kept.sha256[:12]}.tif"]
    folders.take_complete()
    folders.master(kept.sha256).unlink()
    folders.recover()
    assert "不在" in folders.ledger.in_state("problem")[0].reason
    (note,) = visible(folders.incoming / PROBLEMS)
    assert "重新扫描" in (folders.incoming / PROBLEMS / note).read_text("utf-8")


def test_what_was_given_is_kept_for_its_days_unless_it_was_changed(folders: Folders) -> None:
    for name in ("a", "b"):
        folders.done(taken(folders, f"{name}.tif", SCAN + name.encode()))
    (folders.incoming / GIVEN / "b.tif").write_bytes(b"somebody's own")
    folders.prune(30)
    assert visible(folders.incoming / GIVEN) == ["a.tif", "b.tif"]
    folders.prune(0)
    assert visible(folders.incoming / GIVEN) == ["b.tif"]
    assert folders.ledger.in_state("done") == []
