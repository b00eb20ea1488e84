"""The station program: takes what the scanner writes, copies its pages, gives all to the platform, offline for days."""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from scanning.apart import BrokenOffError, page_copies
from scanning.door import Door, OfflineError, RefusedError, load_key
from scanning.folders import Folders
from scanning.kinds import UnreadableFileError
from scanning.ledger import ON_ITS_WAY, Kept, Ledger
from scanning.settings import NotSetUpError, Settings
from scanning.upload import Sender, SpoiledError
from services.kit import clock

LOOK_SECONDS, FIRST_WAIT, LONGEST_PAUSE = 1.0, 0.2, 5.0
PRUNE_SECONDS = 3600.0
MOST_BREAKS = 3
# the disk is full or gone for a moment: what is kept is kept, and tried again
_DISK = (OSError, sqlite3.OperationalError)
log = logging.getLogger("anjuan.scanning")


class Station:
    """Two threads over one ledger: one takes and copies, one sends."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.stop = settings, threading.Event()
        self._more, self._all_taken = threading.Event(), threading.Event()
        self._failures: list[BaseException] = []

    def run(self) -> None:
        """Until `stop` is set, or with `once` until everything is given or refused.

        Raises:
            NotSetUpError: another station program works in this folder.
            Exception: a fault of ours in either thread; what was kept is kept.
        """
        with alone(self.settings):
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
        return Ledger(self.settings.ledger)

    def _folders(self, ledger: Ledger) -> Folders:
        return Folders(self.settings.folder, self.settings.data, ledger, self.settings.settle_seconds)

    def _take_all(self, folders: Folders) -> None:
        pruned = clock.monotonic() - PRUNE_SECONDS
        while not self.stop.is_set():
            try:
                waiting = folders.take_complete()
                for kept in folders.ledger.in_state("kept"):
                    self._copy(folders, kept)
                if clock.monotonic() - pruned >= PRUNE_SECONDS:
                    folders.prune(self.settings.keep_days)
                    pruned = clock.monotonic()
                if self.settings.once and not waiting and not folders.ledger.in_state("kept"):
                    return
            except _DISK as error:
                log.exception("disk_trouble", extra={"reason": str(error)})
            self.stop.wait(FIRST_WAIT if self.settings.once else LOOK_SECONDS)

    def _copy(self, folders: Folders, kept: Kept) -> None:
        """Copies of the pages that have none yet."""
        if not folders.is_there(kept):
            return
        done = [page.number for page in folders.ledger.pages(kept.sha256)]
        with closing(page_copies(folders.master(kept.sha256), folders.home(kept.sha256), done)) as pages:
            try:
                for page in pages:
                    folders.ledger.add_page(kept.sha256, page)
                    if self.stop.is_set():
                        return
            except UnreadableFileError as error:
                folders.problem(kept, str(error))
                return
            except BrokenOffError as broken:
                self._broke(folders, kept, broken)
                return
        folders.ledger.put(kept.sha256, "ready")
        self._more.set()

    def _broke(self, folders: Folders, kept: Kept, broken: BrokenOffError) -> None:
        if self.stop.is_set():
            return  # the whole group was told to end
        log.warning("taking_apart_broke_off", extra={"file": kept.name, "reason": str(broken)})
        if folders.ledger.count_break(kept.sha256) >= MOST_BREAKS:
            reason = f"整理该文件时程序 {MOST_BREAKS} 次意外中断，文件可能已损坏，请重新扫描"
            folders.problem(kept, reason)

    def _send_all(self, folders: Folders) -> None:
        with Door(self.settings.server, load_key(self.settings.key), folders.ledger) as door:
            self._send_through(door, folders)

    def _send_through(self, door: Door, folders: Folders) -> None:
        sender = Sender(door, folders, folders.ledger, self.stop.is_set)
        longest, wait = self.settings.longest_wait_seconds, FIRST_WAIT
        while not self.stop.is_set():
            last_look, answers = self._all_taken.is_set(), door.answers
            try:
                door.enrol(self.settings.name, self.settings.body_id)
                moved, busy = self._round(sender, folders)
                linked(folders.ledger, "")
                wait = FIRST_WAIT if moved else min(wait * 2, LONGEST_PAUSE)
            except (OfflineError, RefusedError, *_DISK) as error:
                log.warning("platform_not_reached", extra={"reason": str(error), "again_in_seconds": wait})
                linked(folders.ledger, str(error))
                # a line that breaks is tried again at once, one that is down less and less often
                busy, wait = True, min(FIRST_WAIT if door.answers > answers else wait * 2, longest)
            if self.settings.once and last_look and not busy:
                return
            self._more.wait(wait)
            self._more.clear()

    def _round(self, sender: Sender, folders: Folders) -> tuple[bool, bool]:
        """Whether any file is a step further, and whether something is still on its way."""
        before = folders.ledger.in_state(*ON_ITS_WAY)
        for kept in folders.ledger.in_state("ready"):
            if self.stop.is_set():
                return True, True
            _one(folders, kept, sender.send)
        for kept in folders.ledger.in_state("sent"):
            _one(folders, kept, sender.ask)
        after = folders.ledger.in_state(*ON_ITS_WAY)
        return after != before, bool(after)


@contextmanager
def alone(settings: Settings, seconds: float = 1.0) -> Iterator[None]:
    """Hold the folder; the system lets go of it when the process ends, however it ends.

    Raises:
        NotSetUpError: another process holds it.
    """
    with closing(sqlite3.connect(settings.data / "lock.db", timeout=seconds, isolation_level=None)) as lock:
        try:
            lock.execute("begin exclusive")
        except sqlite3.OperationalError as error:
            raise NotSetUpError("这个文件夹已有扫描站程序在运行") from error
        yield


def linked(ledger: Ledger, fault: str) -> None:
    """Remember whether the platform can be reached, and since when; empty: it can."""
    known = json.loads(ledger.fact("link") or "{}")
    if known.get("fault") != fault:
        ledger.put_fact("link", json.dumps({"fault": fault, "since": clock.now().isoformat()}))


def _one(folders: Folders, kept: Kept, act: Callable[[Kept], object]) -> None:
    """One file's trouble holds back no other's."""
    try:
        act(kept)
    except RefusedError as refusal:
        hint = "；请先在平台“扫描批次”中核对是否已收到，没有收到的放回扫描文件夹" if refusal.status == 409 else ""
        folders.problem(kept, f"平台不接收：{refusal}{hint}")
    except SpoiledError as spoiled:
        if spoiled.number == 0:
            folders.problem(kept, "原文件在扫描站的磁盘上已损坏，请重新扫描，并检查磁盘")
        else:
            folders.ledger.drop_page(kept.sha256, spoiled.number)
            folders.ledger.put(kept.sha256, "kept")
