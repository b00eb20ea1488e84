"""Faults of every kind, two at a time, while clients write; recovery is the platform's own business."""

from __future__ import annotations

import os
import random
import re
import statistics
import subprocess
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import psycopg

from services.kit import clock
from services.kit.testing import until
from services.ops.rig import process
from services.ops.trial import Platform
from tests.faults.clients import History

APART_SECONDS = 2.5  # at most, between the two faults of a wave: the second meets what the first has left
# the next wave comes when so many writes were answered since, each third one when acts upon tasks were; at the latest
# after so many seconds
ANSWERED, WORKED, LATEST_SECONDS = 12, 2, 10.0
OURS, BACKING = ("servers", "relays", "consumers", "followers", "workers", "gateway"), ("postgres", "rabbitmq")
WATCH = ("keeper", "guard")  # each starts the other again: struck one at a time, or nobody is left to heal
UNDER_WAY = 8  # requests in flight when a fault strikes
COMPLAINT = re.compile(r'"level": "(error|critical)"|^Traceback')
# one fault in so many (about) strikes a part that has been started and does not answer yet
EARLY = 4


def complaints(platform: Platform) -> list[str]:
    """Lines by which our processes say that something is wrong with themselves; that a neighbour is gone is none."""
    found = []
    for name in (*OURS, *WATCH):
        lines = (platform.installation.place.logs / f"{name}.log").read_text("utf-8", "replace").splitlines()
        found += [f"{name}: {line[:300]} … {line[-400:]}" for line in lines if COMPLAINT.search(line)]
    return found


def wanted_kinds() -> frozenset[str]:
    """ANJUAN_FAULT_KINDS, by comma: those alone; all without it."""
    return frozenset(filter(None, os.environ.get("ANJUAN_FAULT_KINDS", "").split(",")))


@dataclass(frozen=True)
class Kind:
    """A way to fail: which parts it needs alive, what it does, how often it comes beside the others."""

    parts: tuple[str, ...]
    strike: Callable[[], None]
    weight: int


@dataclass
class Storm:
    """`seed` decides order and pauses; every kind comes at least `least` times."""

    platform: Platform
    history: History
    seed: int
    faults: int
    least: int = 3
    done: Counter[str] = field(default_factory=Counter)
    in_flight: list[int] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    watch: threading.Lock = field(default_factory=threading.Lock)

    def kinds(self) -> dict[str, Kind]:
        """By name. The servers of others' making take longest to come back, so they are struck less often."""
        found = {f"kill {name}": Kind((name,), partial(self._kill, name), 3) for name in OURS}
        found |= {f"kill {name}": Kind((name,), partial(self._kill, name), 1) for name in BACKING}
        found |= {f"restart {name}": Kind((name,), partial(self._restart, name), 1) for name in BACKING}
        found |= {f"kill {name}": Kind(WATCH, partial(self._kill_watch, name), 1) for name in WATCH}
        found["cut connections"] = Kind(BACKING, self.platform.cut_connections, 2)
        wanted = wanted_kinds() or found.keys()
        return {name: kind for name, kind in found.items() if name in wanted}

    def plan(self) -> list[str]:
        """Every kind `least` times, the rest by chance, in random order."""
        chance, kinds = random.Random(self.seed), dict(sorted(self.kinds().items()))
        planned = list(kinds) * self.least
        left = max(0, self.faults - len(planned))
        planned += chance.choices(list(kinds), [kind.weight for kind in kinds.values()], k=left)
        chance.shuffle(planned)
        return planned

    def rage(self) -> None:
        """Waves of two faults that overlap; each wave waits until the clients have been served again."""
        waiting, chance, wave = self.plan(), random.Random(self.seed), 0
        while waiting:
            wave += 1
            answered, worked = self.history.answered, self.history.worked
            early, apart = (chance.random() < 1 / EARLY for _ in range(2)), (0.0, chance.uniform(0, APART_SECONDS))
            with ThreadPoolExecutor(2) as both:
                list(both.map(partial(self._take, waiting), early, apart))
            self._recovers(answered + ANSWERED, worked + WORKED if wave % 3 == 0 else 0)

    def _recovers(self, answered: int, worked: int) -> None:
        late = clock.monotonic() + LATEST_SECONDS
        seen = self.history
        until(lambda: (seen.answered >= answered and seen.worked >= worked) or clock.monotonic() > late,
              2 * LATEST_SECONDS, "the next wave")  # fmt: skip

    def _take(self, waiting: list[str], early: bool, apart: float) -> None:
        threading.Event().wait(apart)
        kinds = self.kinds()
        until(lambda: not waiting or self._strikes(waiting, kinds, early), 240, f"a part to strike: {waiting}")

    def _strikes(self, waiting: list[str], kinds: dict[str, Kind], early: bool) -> bool:
        """Strike with the first fault of the list whose parts are there; what is down already cannot fail."""
        with self.lock:
            name = next((name for name in waiting if self._there(kinds[name], early)), None)
            if name is None:
                return False
            waiting.remove(name)
        try:
            with self.history.volley(UNDER_WAY) as flying:
                kinds[name].strike()
        except (subprocess.CalledProcessError, psycopg.OperationalError, RuntimeError):
            with self.lock:  # the other thread's fault came first: this one is still to do
                waiting.append(name)
            return False
        with self.lock:
            self.in_flight.append(flying)
            self.done[name] += 1
        return True

    def _there(self, kind: Kind, early: bool) -> bool:
        parts = {part.name: part for part in self.platform.installation.parts()}
        pids = all(self.platform.pid(name) is not None for name in kind.parts)
        return pids and (early or all(parts[name].ready() for name in kind.parts if name in parts))

    def _kill(self, name: str) -> None:
        if self.platform.pid(name) is None:
            raise RuntimeError(f"{name} has died meanwhile")
        self.platform.kill(name)

    def _kill_watch(self, name: str) -> None:
        with self.watch:
            until(lambda: all(self.platform.pid(one) is not None for one in WATCH), 60, "keeper and guard")
            self.platform.kill(name)
            until(lambda: self.platform.pid(name) is not None, 60, f"{name} is started again")

    def _restart(self, name: str) -> None:
        part = {p.name: p for p in self.platform.installation.parts()}[name]
        if not process.send(self.platform.installation.place, name, part.command().ask):
            raise RuntimeError(f"{name} has died meanwhile")

    def median_in_flight(self) -> float:
        """Requests under way when a fault struck."""
        return statistics.median(self.in_flight)
