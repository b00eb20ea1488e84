"""Faults of every kind, two at a time, while clients write; recovery is the platform's own business."""

from __future__ import annotations

import random
import statistics
import subprocess
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import psycopg

from services.kit.testing import until
from services.ops.trial import Platform
from tests.faults.clients import History

# long enough that work is under way when the next one strikes, short enough that they overlap
APART_SECONDS = (1.5, 6.0)
KILLED = ("servers", "consumers", "workers", "gateway", "postgres", "rabbitmq")


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

    def kinds(self) -> dict[str, Callable[[], None]]:
        """Name -> what it does."""
        kills = {f"kill {name}": (lambda name=name: self._kill(name)) for name in KILLED}
        return kills | {
            "restart rabbitmq": lambda: self._restart("rabbitmq"),
            "restart postgres": lambda: self._restart("postgres"),
            "cut connections": self._cut,
        }

    def plan(self) -> list[str]:
        """Every kind `least` times, the rest by chance, in random order."""
        chance, names = random.Random(self.seed), sorted(self.kinds())
        planned = names * self.least
        planned += chance.choices(names, k=max(0, self.faults - len(planned)))
        chance.shuffle(planned)
        return planned

    def rage(self) -> None:
        """Two threads take faults from one list, so that faults overlap."""
        waiting = self.plan()
        threads = [threading.Thread(target=self._take, args=(waiting, self.seed + n)) for n in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _take(self, waiting: list[str], seed: int) -> None:
        chance = random.Random(seed)
        while True:
            with self.lock:
                if not waiting:
                    return
                name = waiting.pop()
                self.in_flight.append(self.history.flying)
            self.kinds()[name]()
            with self.lock:
                self.done[name] += 1
            self._pause(chance.uniform(*APART_SECONDS))

    def _pause(self, seconds: float) -> None:
        threading.Event().wait(seconds)

    def _kill(self, name: str) -> None:
        # a part that an overlapping fault has just killed is killed when it is back
        until(lambda: self.platform.pid(name) is not None, 120, f"{name} is there to be killed")
        self.platform.kill(name)

    def _restart(self, name: str) -> None:
        from services.ops.rig import process

        part = {p.name: p for p in self.platform.installation.parts()}[name]
        until(lambda: self.platform.pid(name) is not None, 120, f"{name} is there to be stopped")
        process.send(self.platform.installation.place, name, part.command().ask)

    def _cut(self) -> None:
        # cutting asks the broker and the database themselves: both must be there to be asked
        until(self._cut_once, 120, "broker and database are there to cut their connections")

    def _cut_once(self) -> bool:
        try:
            self.platform.cut_connections()
        except (subprocess.CalledProcessError, psycopg.OperationalError, RuntimeError):
            return False
        return True

    def median_in_flight(self) -> float:
        """Requests under way when a fault struck."""
        return statistics.median(self.in_flight)
