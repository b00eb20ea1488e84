"""Keeps the keeper: `python -m services.ops.guard DATA`. The keeper in turn keeps this one."""

from __future__ import annotations

import signal
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from services.ops.discover import ROOT
from services.ops.rig import process
from services.ops.rig.environment import for_process
from services.ops.rig.place import Place
from services.ops.rig.process import Command


def _command(place: Place, name: str) -> Command:
    words = (sys.executable, "-m", f"services.ops.{name}", str(place.data))
    return Command(name, words, for_process({}), ROOT, grace_seconds=120)


def start_keeper(place: Place) -> None:
    """Start it detached; a second one ends by itself."""
    process.start(place, _command(place, "keeper"))


@dataclass(frozen=True)
class Guard:
    """The guard as a part that the keeper keeps."""

    place: Place
    name: str = "guard"

    def prepare(self) -> None:
        """Nothing."""

    def command(self) -> Command:
        return _command(self.place, self.name)

    def ready(self) -> bool:
        return process.pid_of(self.place, self.name) is not None


def ending_on_signal() -> threading.Event:
    """Set by SIGTERM and SIGINT."""
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    return ending


def watch(place: Place, ending: threading.Event) -> None:
    """Start the keeper again when it has died, until the installation goes down."""
    while not ending.wait(0.5) and not place.down.exists():
        process.reap()
        if process.pid_of(place, "keeper") is None:
            start_keeper(place)


if __name__ == "__main__":
    watch(Place(Path(sys.argv[1])), ending_on_signal())
