"""The watched folder: only what is complete is taken, original bytes stay as they are, nothing is lost by a kill."""

from __future__ import annotations

from pathlib import Path

import pytest

from scanning import durable
from scanning.folders import PROBLEMS, Folders
from scanning.ledger import Ledger
from scanning.tests import papers


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    incoming, data = tmp_path / "in", tmp_path / "in" / ".station"
    data.mkdir(parents=True)
    return Folders(incoming, data, Ledger(data / "station.db"), settle_seconds=0.0, patience_seconds=0.0)


def visible(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))


def test_a_file_is_taken_whole_and_unchanged(folders: Folders) -> None:
    data = papers.pdf([papers.page("一")])
    (folders.incoming / "scan.pdf").write_bytes(data)
    assert folders.take_complete() == 0
    kept = folders.ledger.in_state("kept")[0]
    assert (kept.name, kept.media_type, kept.size) == ("scan.pdf", "application/pdf", len(data))
    assert folders.master(kept.sha256).read_bytes() == data
    assert visible(folders.incoming) == []


def test_a_file_still_being_written_waits(folders: Folders) -> None:
    folders.patience_seconds = 600.0
    data = papers.pdf([papers.page("一")])
    path = folders.incoming / "scan.pdf"
    for part in (data[:100], data[:-200]):
        path.write_bytes(part)
        assert folders.take_complete() == 1
    (folders.incoming / "next.tif.part").write_bytes(b"II*\0")
    path.write_bytes(data)
    assert folders.take_complete() == 0
    assert visible(folders.incoming) == ["next.tif.part"]


def test_a_file_that_has_just_changed_waits_although_its_end_is_there(folders: Folders) -> None:
    folders.settle_seconds = 600.0
    (folders.incoming / "scan.jpg").write_bytes(papers.jpeg(papers.page("一")))
    assert folders.take_complete() == 1
    assert folders.ledger.in_state("kept") == []


@pytest.mark.parametrize(("data", "says"), [(b"MZ program", "三种格式"), (b"%PDF-1.4 cut", "不完整")])
def test_a_bad_file_goes_where_people_see_it_with_the_reason(folders: Folders, data: bytes, says: str) -> None:
    for name in ("坏.pdf", "坏.pdf"):
        (folders.incoming / name).write_bytes(data)
        folders.take_complete()
    problems = folders.incoming / PROBLEMS
    assert visible(problems) == ["坏-1.pdf", "坏-1.pdf.txt", "坏.pdf", "坏.pdf.txt"]
    assert (problems / "坏.pdf").read_bytes() == data
    assert says in (problems / "坏.pdf.txt").read_text("utf-8")


def test_the_same_bytes_again_are_the_same_file(folders: Folders) -> None:
    data = papers.pdf([papers.page("一")])
    for name in ("a.pdf", "b.pdf"):
        (folders.incoming / name).write_bytes(data)
        folders.take_complete()
    assert [k.name for k in folders.ledger.in_state("kept")] == ["a.pdf"]
    assert visible(folders.incoming) == []


def test_a_kill_between_note_and_move_loses_nothing(folders: Folders) -> None:
    data = papers.pdf([papers.page("一")])
    path = folders.incoming / "scan.pdf"
    path.write_bytes(data)
    digest = durable.sha256_of(path)
    folders.home(digest).mkdir(parents=True)
    folders.ledger.take(digest, "scan.pdf", len(data), "application/pdf")
    folders.recover()  # killed before the move
    assert (path.read_bytes() == data, folders.ledger.find(digest)) == (True, None)
    folders.ledger.take(digest, "scan.pdf", len(data), "application/pdf")
    durable.move(path, folders.master(digest))
    folders.recover()  # killed after it
    assert [k.sha256 for k in folders.ledger.in_state("kept")] == [digest]


def test_a_file_written_to_after_it_was_taken_waits_again(folders: Folders) -> None:
    path = folders.incoming / "scan.pdf"
    path.write_bytes(papers.pdf([papers.page("一")]))
    with path.open("ab") as late:
        folders.take_complete()
        late.write(b"more")
    kept = folders.ledger.in_state("kept")[0]
    assert durable.sha256_of(folders.master(kept.sha256)) != kept.sha256
    folders.give_back(kept)
    assert visible(folders.incoming) == ["scan.pdf"]
    assert folders.ledger.find(kept.sha256) is None


def test_copies_go_when_all_is_given_and_the_master_after_its_days(folders: Folders) -> None:
    (folders.incoming / "scan.pdf").write_bytes(papers.pdf([papers.page("一")]))
    folders.take_complete()
    kept = folders.ledger.in_state("kept")[0]
    (folders.home(kept.sha256) / "00001.jpg").write_bytes(b"x")
    folders.prune(0)
    assert (folders.home(kept.sha256) / "00001.jpg").exists()
    folders.ledger.put(kept.sha256, "done")
    folders.prune(30)
    assert visible(folders.home(kept.sha256)) == ["master"]
    folders.prune(0)
    assert not folders.home(kept.sha256).exists()
