"""What every real part offers, and how one is driven by hand (tests) without the keeper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from services.ops.rig import process
from services.ops.rig.missing import PartFailedError
from services.ops.rig.place import Place
from services.ops.rig.process import Command
from services.ops.rig.wait import TooLateError, until


class Part(Protocol):
    """A server of somebody else's making, run in a folder of ours."""

    @property
    def name(self) -> str: ...

    def prepare(self) -> None:
        """Make the folder, the settings and, at first, the data. Harmless when repeated."""

    def command(self) -> Command: ...

    def ready(self) -> bool:
        """Does it answer a real request?"""


@dataclass(frozen=True)
class Attended:
    """One part, started and stopped by its owner."""

    part: Part
    place: Place
    ready_seconds: float = 60

    @property
    def pid(self) -> int | None:
        return process.pid_of(self.place, self.part.name)

    def start(self) -> None:
        """Start unless it runs; return when it answers.

        Raises:
            PartFailedError: it does not answer in time; with the end of its log.
        """
        if self.pid is None:
            self.launch()
        self.await_ready()

    def launch(self) -> None:
        """Start without waiting."""
        self.part.prepare()
        process.start(self.place, self.part.command())

    def await_ready(self) -> None:
        """Wait until it answers; what died before that (a lock of the one before it) is started again."""

        def answers() -> bool:
            if self.pid is None:
                self.launch()
            return self.part.ready()

        try:
            until(answers, self.ready_seconds, self.part.name)
        except TooLateError as error:
            raise PartFailedError(f"{error}\n{process.tail(self.place, self.part.name)}") from None

    def stop(self) -> None:
        command = self.part.command()
        process.stop(self.place, self.part.name, command.ask, command.grace_seconds)

    def kill(self) -> None:
        """SIGKILL, as an accident would."""
        process.kill(self.place, self.part.name)

    def restart(self) -> None:
        self.stop()
        self.start()
