"""Keeps the parts of one installation alive: what dies is started again, after a pause that grows.

`python -m services.ops.keeper DATA`. Killing any one process heals by itself, this one too (guard.py): a new keeper
takes over what its predecessor started.
"""

from __future__ import annotations

import fcntl
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psycopg

from services.ops.discover import ROOT, code_fingerprint
from services.ops.guard import Guard, ending_on_signal
from services.ops.installation import Installation
from services.ops.rig import process
from services.ops.rig.environment import LISTENERS
from services.ops.rig.missing import PartFailedError
from services.ops.rig.part import Part
from services.ops.rig.place import Place, read_json, write_json
from services.ops.rig.wait import TooLateError, until

ROUND = 0.2  # seconds between two looks
SHORTEST, LONGEST = 1, 25  # rounds before a dead part is started again
STEADY = 50  # what has run that many rounds starts again at once
TRIES = 6  # a part that dies so often while it is set up does not get well by waiting
STATE = "state.json"


@dataclass
class Life:
    """How one part fares; times are rounds of the keeper."""

    starts: int = 0
    started: int | None = None
    pause: int = SHORTEST
    due: int = 0
    refusal: str = ""  # why it could not even be started

    def dies(self, now: int) -> None:
        """Note a death: steady ones may come back at once, others after twice the pause."""
        if self.started is None:
            return
        self.pause = SHORTEST if now - self.started > STEADY else min(LONGEST, self.pause * 2)
        self.due, self.started = now + self.pause, None


@dataclass
class Keeper:
    """Starts, watches and stops everything of one installation."""

    installation: Installation
    ending: threading.Event
    lives: dict[str, Life] = field(default_factory=dict)
    round: int = 0
    phase: str = "backing"
    problem: str = ""

    @property
    def place(self) -> Place:
        return self.installation.place

    def run(self) -> None:
        """Until SIGTERM; a set-up that fails ends everything and leaves the reason in the state file."""
        try:
            if not self._adopts():
                self._set_up()
            self.phase = "running"
            parts = [Guard(self.place), *self.installation.parts()]
            while not self.ending.wait(ROUND):
                self._attend(parts)
        except (PartFailedError, TooLateError, subprocess.SubprocessError, OSError, psycopg.Error) as error:
            self.problem = str(error)
        stop_everything(self.installation)
        self.phase = "failed" if self.problem else "down"
        self._note()

    def _adopts(self) -> bool:
        """Did a keeper before us bring it up already?"""
        return (read_json(self.place.run / STATE) or {}).get("phase") == "running"

    def _set_up(self) -> None:
        """Servers of others' making, then databases, tables and queues.

        When the code is the one that this database was last brought to, nothing is migrated and our processes
        start while the broker does; the listeners alone wait for it.
        """
        postgres, backing = self.installation.postgres, self.installation.backing()
        self._await_ready([postgres], backing)
        postgres.ensure_databases(self.installation.rooms)
        if postgres.noted() == self._mark():
            early = [part for part in self.installation.programs() if part.name not in LISTENERS]
            self._await_ready(backing, [*backing, *early])
            return
        self.phase = "migrate"
        self._attend(backing)
        self._migrate()
        self._await_ready(backing, backing)
        self.installation.rabbitmq.flush_declarations()
        postgres.note(self._mark())

    def _mark(self) -> str:
        """Of the code and the broker's folder: another one of either wants migration."""
        return f"{code_fingerprint()} {self.installation.rabbitmq.identity()}"

    def _await_ready(self, wanted: Sequence[Part], attended: Sequence[Part]) -> None:
        def ready() -> bool:
            self._attend(attended)
            hopeless = [part.name for part in wanted if self._life(part).starts > TRIES]
            if hopeless:
                raise TooLateError(f"反复启动失败：{'、'.join(hopeless)}")
            return self.ending.is_set() or all(part.ready() for part in wanted)

        try:
            until(ready, 90, "、".join(part.name for part in wanted), every=ROUND)
        except TooLateError as error:
            late = [part for part in wanted if not part.ready()]
            why = [self._life(part).refusal or process.tail(self.place, part.name) for part in late]
            raise PartFailedError("\n".join([str(error), *why])) from None

    def _life(self, part: Part) -> Life:
        return self.lives.setdefault(part.name, Life())

    def _migrate(self) -> None:
        """Tables and queues, in a process of its own; it waits for the broker itself."""
        command = self.installation.program("workers", "services.ops.host", "migrate").command()
        with (self.place.logs / "migrate.log").open("wb") as log:
            done = subprocess.run(command.argv, env=dict(command.env), cwd=ROOT, stdout=log, stderr=log, check=False)  # noqa: S603
        if done.returncode:
            raise PartFailedError(f"建表或声明队列失败\n{process.tail(self.place, 'migrate')}")

    def _attend(self, parts: Sequence[Part]) -> None:
        """One round: what is held back is stopped, what is dead is started when its pause is over."""
        self.round += 1
        process.reap()
        for part in parts:
            alive = process.pid_of(self.place, part.name) is not None
            if self.place.hold(part.name).exists():
                if alive:
                    stop_part(self.place, part)
            elif not alive:
                self._revive(part)
        self._note()

    def _revive(self, part: Part) -> None:
        life = self._life(part)
        life.dies(self.round)
        if self.round < life.due:
            return
        life.starts, life.started, life.refusal = life.starts + 1, self.round, ""
        try:
            part.prepare()
            process.start(self.place, part.command())
        except (OSError, PartFailedError, subprocess.SubprocessError) as error:
            life.refusal = str(error)
            sys.stderr.write(f"{part.name}: {error}\n")

    def _note(self) -> None:
        restarts = {name: max(0, life.starts - 1) for name, life in self.lives.items()}
        state = {"phase": self.phase, "problem": self.problem, "restarts": restarts}
        if state != read_json(self.place.run / STATE):
            write_json(self.place.run / STATE, state)


def stop_part(place: Place, part: Part) -> None:
    """Ask it to end in its own way."""
    command = part.command()
    process.stop(place, part.name, command.ask, command.grace_seconds)


def _stop_together(place: Place, parts: Sequence[Part]) -> None:
    for part in parts:
        process.send(place, part.name, part.command().ask)
    for part in parts:
        stop_part(place, part)


def stop_everything(installation: Installation) -> None:
    """Guard, our processes, then the servers; works as well when no keeper lives."""
    place = installation.place
    place.down.touch()
    process.stop(place, "guard")
    _stop_together(place, installation.programs())
    _stop_together(place, installation.backing())
    installation.rabbitmq.end_port_mapper()


def _only_one(place: Place) -> IO[bytes] | None:
    lock = (place.run / "keeper.lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock


def main(data: Path) -> None:
    """Keep the installation until SIGTERM."""
    ending, place = ending_on_signal(), Place.at(data)
    lock = _only_one(place)
    if lock is None or place.down.exists():
        return
    with lock:
        Keeper(Installation.open(place.data), ending).run()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
