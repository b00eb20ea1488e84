"""The watched folder: which files are complete, how they come into the station's keeping, where they go in the end."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from scanning import durable, kinds
from scanning.ledger import ON_ITS_WAY, Kept, Ledger
from services.kit import clock

log = logging.getLogger("anjuan.scanning")
GIVEN, PROBLEMS = "已上传", "问题件"
_PASSING = (".part", ".tmp", ".temp", ".crdownload", ".filepart", "~")
_NOT_PAPER = ("thumbs.db", "desktop.ini")
LONGEST_NAME = 160  # bytes
LOST = "原文件不在扫描站的磁盘上了（可能被人删除），请重新扫描"


@dataclass
class Folders:
    """`incoming` is where the scanner writes; `data` (same file system) is the station's own.

    A file is complete when it has kept size and time for `settle_seconds` and its end is there; one that
    stays without an end for `patience_seconds` is a problem.
    """

    incoming: Path
    data: Path
    ledger: Ledger
    settle_seconds: float = 2.0
    patience_seconds: float = 600.0
    _seen: dict[Path, tuple[tuple[int, int], float]] = field(default_factory=dict)

    def home(self, sha256: str) -> Path:
        """Where a kept file and its copies lie."""
        return self.data / "work" / sha256

    def master(self, sha256: str) -> Path:
        """The original bytes."""
        return self.home(sha256) / "master"

    def recover(self) -> None:
        """After a kill: finish every move that was begun. What the ledger does not know goes back to the start."""
        for kept in self.ledger.in_state("taking"):
            self._taken(kept)
        for kept in self.ledger.in_state("kept", "ready", "sent"):
            if not self.master(kept.sha256).is_file():
                self.problem(kept, LOST)
        for kept in self.ledger.in_state("done", "problem"):
            self._put_away(kept)
        for home in sorted((self.data / "work").glob("*")):
            if self.ledger.find(home.name) is None:
                self._strayed(home)

    def _taken(self, kept: Kept) -> None:
        """Moved in whole, or moved in and changed since, or never moved."""
        master = self.master(kept.sha256)
        if master.is_file() and durable.sha256_of(master) == kept.sha256:
            self.ledger.put(kept.sha256, "kept")
            return
        if master.is_file():
            durable.move(master, durable.free(self.incoming, kept.name))
        self.ledger.forget(kept.sha256)
        shutil.rmtree(self.home(kept.sha256), ignore_errors=True)

    def is_there(self, kept: Kept) -> bool:
        """Whether the original is what it was; one that was written to since waits again until it is complete."""
        master = self.master(kept.sha256)
        if not master.is_file():
            self.problem(kept, LOST)
            return False
        if durable.sha256_of(master) == kept.sha256:
            return True
        self.ledger.put(kept.sha256, "taking")
        self._taken(kept)
        return False

    def _strayed(self, home: Path) -> None:
        master = home / "master"
        if master.is_file():
            suffix = kinds.SUFFIXES.get(kinds.media_type(master), "")
            durable.move(master, durable.free(self.incoming, f"找回-{home.name[:12]}{suffix}"))
        shutil.rmtree(home, ignore_errors=True)

    def waiting(self) -> Iterator[Path]:
        """What lies in the watched folder and is meant for us."""
        for path in sorted(self.incoming.iterdir()):
            if path.is_file() and not path.is_symlink() and not _is_passing(path):
                yield path

    def take_complete(self) -> int:
        """Bring every complete file into keeping; how many files still wait for their end."""
        found = list(self.waiting())
        self._seen = {path: seen for path, seen in self._seen.items() if path in found}
        return sum(not self._take_if_complete(path) for path in found)

    def _take_if_complete(self, path: Path) -> bool:
        try:
            quiet = self._quiet_seconds(path)
            if quiet < self.settle_seconds:
                return False
            if kinds.is_whole(path):
                return self._keep(path) if kinds.media_type(path) else self._refuse(path, kinds.NOT_OURS)
            if quiet < self.patience_seconds:
                return False
            return self._refuse(path, "文件不完整：扫描仪没有写完，请重新扫描")
        except FileNotFoundError:
            log.info("file_went_away", extra={"file": shown(path.name)})
        except OSError as error:  # one file that we may not touch holds back no other
            log.warning("file_not_accessible", extra={"file": shown(path.name), "reason": str(error)})
        return True

    def _quiet_seconds(self, path: Path) -> float:
        """How long nothing has changed."""
        facts, now = path.stat(), clock.monotonic()
        mark = (facts.st_size, facts.st_mtime_ns)
        known, since = self._seen.get(path, (None, now))
        self._seen[path] = (mark, since if mark == known else now)
        return now - self._seen[path][1]

    def _keep(self, path: Path) -> bool:
        """Hash the original bytes first; then they are moved, never changed."""
        sha256, size = durable.sha256_of(path), path.stat().st_size
        known = self.ledger.find(sha256)
        if known is not None and known.state in ON_ITS_WAY:
            return False  # the same bytes once more: their turn comes when the first are through
        durable.make_folder(self.home(sha256))
        self.ledger.take(sha256, shown(path.name), size, kinds.media_type(path))
        durable.move(path, self.master(sha256))
        self.ledger.put(sha256, "kept")
        log.info("file_kept", extra={"file": shown(path.name), "sha256": sha256, "size": size})
        return True

    def _refuse(self, path: Path, reason: str) -> bool:
        self._set_aside(shown(path.name), path, reason)
        return True

    def problem(self, kept: Kept, reason: str) -> None:
        """Put a kept file where people see it, with the reason beside it."""
        self.ledger.put(kept.sha256, "problem", reason)
        if not self.master(kept.sha256).is_file():
            self._note(durable.free(self._shelf(PROBLEMS), kept.name), reason)
        self._put_away(self.ledger.find(kept.sha256) or kept)

    def done(self, kept: Kept) -> None:
        """The platform has everything."""
        self.ledger.put(kept.sha256, "done")
        self._put_away(self.ledger.find(kept.sha256) or kept)

    def _put_away(self, kept: Kept) -> None:
        """Move the master to where people see what became of it; its copies go. The same again does nothing."""
        master = self.master(kept.sha256)
        if master.is_file() and kept.state == "problem":
            self._set_aside(kept.name, master, kept.reason)
        elif master.is_file():
            target = durable.free(self._shelf(GIVEN), kept.name)
            self.ledger.shelve(target, kept.sha256)
            durable.move(master, target)
        shutil.rmtree(self.home(kept.sha256), ignore_errors=True)

    def _shelf(self, name: str) -> Path:
        durable.make_folder(self.incoming / name)
        return self.incoming / name

    def _set_aside(self, name: str, source: Path, reason: str) -> None:
        target = durable.free(self._shelf(PROBLEMS), name)
        self._note(target, reason)
        durable.move(source, target)
        log.warning("file_set_aside", extra={"file": name, "reason": reason})

    def _note(self, target: Path, reason: str) -> None:
        durable.write(target.with_name(f"{target.name}.txt"), f"{reason}\n".encode())

    def prune(self, keep_days: int) -> None:
        """Originals that the platform has had for so many days go; problems stay until somebody removes them."""
        limit = clock.now() - timedelta(days=keep_days)
        for path, sha256 in self.ledger.shelved_before(limit):
            if path.is_file() and durable.sha256_of(path) == sha256:
                path.unlink()
            self.ledger.unshelve(path)
        for kept in self.ledger.ended_before(limit):
            self.ledger.forget(kept.sha256)


def shown(name: str) -> str:
    """A file's name as text, with room for a suffix: older scanners write theirs in GB 18030."""
    raw = os.fsencode(name)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("gb18030", "replace")
    stem, suffix = Path(text).stem, Path(text).suffix[:20]
    return f"{stem.encode()[:LONGEST_NAME].decode(errors='ignore')}{suffix}"


def _is_passing(path: Path) -> bool:
    name = shown(path.name).lower()
    return name.startswith((".", "~")) or name.endswith(_PASSING) or name in _NOT_PAPER
