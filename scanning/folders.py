"""The watched folder: which files are complete, how they come into the station's keeping, where bad ones go."""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from scanning import durable
from scanning.ledger import Kept, Ledger
from scanning.steps import split
from services.kit import clock

log = logging.getLogger("anjuan.scanning")
PROBLEMS = "问题文件"
_PASSING = (".part", ".tmp", ".temp", ".crdownload", ".filepart", "~")


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
        """After a kill: what was on its way in is either there whole, or still where the scanner left it."""
        for kept in self.ledger.in_state("taking"):
            master = self.master(kept.sha256)
            if master.is_file() and durable.sha256_of(master) == kept.sha256:
                self.ledger.put(kept.sha256, "kept")
            else:
                self.ledger.forget(kept.sha256)

    def take_complete(self) -> int:
        """Bring every complete file into keeping; how many files still wait for their end."""
        found = sorted(p for p in self.incoming.iterdir() if p.is_file() and not _is_passing(p))
        self._seen = {path: seen for path, seen in self._seen.items() if path in found}
        return sum(not self._take_if_complete(path) for path in found)

    def _take_if_complete(self, path: Path) -> bool:
        try:
            facts, now = path.stat(), clock.monotonic()
            mark = (facts.st_size, facts.st_mtime_ns)
            known, since = self._seen.get(path, (None, now))
            if mark != known:
                self._seen[path] = (mark, now)
                since = now
            if facts.st_size == 0 or now - since < self.settle_seconds:
                return False
            if not split.is_whole(path):
                if now - since < self.patience_seconds:
                    return False
                self._refuse(path, "文件不完整：扫描仪没有写完，请重新扫描")
            elif not split.media_type(path):
                self._refuse(path, "不是 PDF、TIFF 或 JPEG 文件，请改用扫描仪的这三种格式之一")
            else:
                self._keep(path)
        except FileNotFoundError:
            log.info("file_went_away", extra={"file": path.name})
        return True

    def _keep(self, path: Path) -> None:
        """Hash the original bytes first; then they are moved, never changed."""
        sha256, size = durable.sha256_of(path), path.stat().st_size
        known = self.ledger.find(sha256)
        if known is not None and known.state != "problem":
            log.warning("file_known_already", extra={"file": path.name, "sha256": sha256, "state": known.state})
            path.unlink()
            return
        self.home(sha256).mkdir(parents=True, exist_ok=True)
        durable.sync_folder(self.home(sha256).parent)
        self.ledger.take(sha256, path.name, size, split.media_type(path))
        durable.move(path, self.master(sha256))
        self.ledger.put(sha256, "kept")
        log.info("file_kept", extra={"file": path.name, "sha256": sha256, "size": size})

    def _refuse(self, path: Path, reason: str) -> None:
        self._beside(path.name, path, reason)

    def give_back(self, kept: Kept) -> None:
        """Somebody wrote to it after it was taken: it waits again until it is complete."""
        durable.move(self.master(kept.sha256), _free(self.incoming, kept.name))
        self.ledger.forget(kept.sha256)
        shutil.rmtree(self.home(kept.sha256), ignore_errors=True)

    def problem(self, kept: Kept, reason: str) -> None:
        """Put a kept file where people see it, with the reason beside it."""
        master = self.master(kept.sha256)
        if master.is_file():
            self._beside(kept.name, master, reason)
        self.ledger.put(kept.sha256, "problem", reason)
        shutil.rmtree(self.home(kept.sha256), ignore_errors=True)

    def _beside(self, name: str, source: Path, reason: str) -> None:
        folder = self.incoming / PROBLEMS
        folder.mkdir(exist_ok=True)
        target = _free(folder, name)
        durable.write(target.with_name(f"{target.name}.txt"), f"{reason}\n".encode())
        durable.move(source, target)
        log.warning("file_refused", extra={"file": name, "reason": reason})

    def prune(self, keep_days: int) -> None:
        """Copies go as soon as the platform has everything, the master after so many days."""
        for kept in self.ledger.in_state("done"):
            home = self.home(kept.sha256)
            for copy in home.glob("*.jpg"):
                copy.unlink()
            old = (clock.now() - datetime.fromisoformat(kept.done_at)).days >= keep_days
            if old and home.is_dir():
                shutil.rmtree(home)


def _free(folder: Path, name: str) -> Path:
    """A name that no file there has."""
    target, turn = folder / name, 0
    while target.exists():
        turn += 1
        target = folder / f"{Path(name).stem}-{turn}{Path(name).suffix}"
    return target


def _is_passing(path: Path) -> bool:
    name = path.name.lower()
    return name.startswith((".", "~")) or name.endswith(_PASSING)
