"""The station program: takes what the scanner writes, copies its pages, gives all to the platform, offline for days."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from watchfiles import watch

from scanning import durable
from scanning.door import Door, OfflineError, RefusedError, load_key
from scanning.folders import Folders
from scanning.ledger import Kept, Ledger
from scanning.pipeline import copies
from scanning.steps.split import UnreadableFileError
from scanning.upload import Sender, SpoiledError
from services.kit import clock

LOOK_SECONDS = 1.0
PRUNE_SECONDS = 3600.0
log = logging.getLogger("anjuan.scanning")


@dataclass(frozen=True)
class Settings:
    """What the command line says. `once`: end when nothing is left to do.

    While the platform cannot be reached it is asked less and less often, at least every `longest_wait_seconds`.
    """

    folder: Path
    data: Path
    server: str
    key: Path
    name: str
    body_id: str
    settle_seconds: float = 2.0
    keep_days: int = 30
    longest_wait_seconds: float = 60.0
    once: bool = False


class Station:
    """Two threads over one ledger: one takes and copies, one sends."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.stop = settings, threading.Event()
        self._more, self._all_taken = threading.Event(), threading.Event()
        self._failures: list[BaseException] = []

    def run(self) -> None:
        """Until `stop` is set, or with `once` until everything is given or refused.

        Raises:
            Exception: a fault of ours in either thread; what was kept is kept.
        """
        self.settings.folder.mkdir(parents=True, exist_ok=True)
        self.settings.data.mkdir(parents=True, exist_ok=True)
        load_key(self.settings.key)
        with closing(self._ledger()) as ledger:
            self._folders(ledger).recover()
        sending = threading.Thread(target=self._guarded, args=(self._send_all,), name="sending")
        sending.start()
        self._guarded(self._take_all)
        self._all_taken.set()
        self._more.set()
        sending.join()
        if self._failures:
            raise self._failures[0]

    def _guarded(self, work: Callable[[Folders], None]) -> None:
        try:
            with closing(self._ledger()) as ledger:
                work(self._folders(ledger))
        except BaseException as error:  # noqa: BLE001 (the other thread must end too; run() raises it)
            self._failures.append(error)
            self.stop.set()
            self._more.set()

    def _ledger(self) -> Ledger:
        return Ledger(self.settings.data / "station.db")

    def _folders(self, ledger: Ledger) -> Folders:
        return Folders(self.settings.folder, self.settings.data, ledger, self.settings.settle_seconds)

    def _take_all(self, folders: Folders) -> None:
        pruned = clock.monotonic() - PRUNE_SECONDS
        for _ in watch(self.settings.folder, stop_event=self.stop, recursive=False, yield_on_timeout=True, debounce=200,
                       rust_timeout=round(LOOK_SECONDS * 1000), raise_interrupt=False):  # fmt: skip
            waiting = folders.take_complete()
            for kept in folders.ledger.in_state("kept"):
                self._copy(folders, kept)
            if clock.monotonic() - pruned >= PRUNE_SECONDS:
                folders.prune(self.settings.keep_days)
                pruned = clock.monotonic()
            if self.settings.once and not waiting and not folders.ledger.in_state("kept"):
                return

    def _copy(self, folders: Folders, kept: Kept) -> None:
        """Copies of the pages that have none yet."""
        if durable.sha256_of(folders.master(kept.sha256)) != kept.sha256:
            folders.give_back(kept)
            return
        done = {page.number for page in folders.ledger.pages(kept.sha256)}
        try:
            for page in copies(folders.master(kept.sha256), folders.home(kept.sha256), done):
                folders.ledger.add_page(kept.sha256, page)
                if self.stop.is_set():
                    return
        except UnreadableFileError as error:
            folders.problem(kept, str(error))
            return
        folders.ledger.put(kept.sha256, "ready")
        self._more.set()

    def _send_all(self, folders: Folders) -> None:
        with Door(self.settings.server, load_key(self.settings.key), folders.ledger) as door:
            self._send_through(door, folders)

    def _send_through(self, door: Door, folders: Folders) -> None:
        longest = self.settings.longest_wait_seconds
        sender, wait = Sender(door, folders, folders.ledger), min(LOOK_SECONDS, longest)
        while not self.stop.is_set():
            last_look, answers = self._all_taken.is_set(), door.answers
            try:
                door.enrol(self.settings.name, self.settings.body_id)
                busy = self._send_what_is_there(sender, folders)
                wait = min(LOOK_SECONDS, longest)
            except OfflineError as error:
                log.warning("platform_not_reached", extra={"reason": str(error), "again_in_seconds": wait})
                # a line that breaks is tried again at once, one that is down less and less often
                busy, wait = True, min(LOOK_SECONDS if door.answers > answers else wait * 2, longest)
            if self.settings.once and last_look and not busy:
                return
            self._more.wait(wait)
            self._more.clear()

    def _send_what_is_there(self, sender: Sender, folders: Folders) -> bool:
        """Whether something is still on its way."""
        for kept in folders.ledger.in_state("ready"):
            if self.stop.is_set():
                return True
            _one(folders, kept, sender.send)
        for kept in folders.ledger.in_state("sent"):
            _one(folders, kept, sender.ask)
        return any(folders.ledger.in_state(state) for state in ("taking", "kept", "ready", "sent"))


def _one(folders: Folders, kept: Kept, act: Callable[[Kept], object]) -> None:
    """One file's trouble holds back no other's."""
    try:
        act(kept)
    except RefusedError as refusal:
        folders.problem(kept, f"平台不接收：{refusal}")
    except SpoiledError as spoiled:
        if spoiled.number == 0:
            folders.problem(kept, "原文件在扫描站的磁盘上已损坏，请重新扫描，并检查磁盘")
        else:
            folders.ledger.drop_page(kept.sha256, spoiled.number)
            folders.ledger.put(kept.sha256, "kept")
