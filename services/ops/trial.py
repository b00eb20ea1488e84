"""A whole platform in a temporary folder, scripted, for tests that go through the public door."""

from __future__ import annotations

from dataclasses import dataclass

from services.kit.settings import Settings
from services.ops import lifecycle
from services.ops.installation import Installation
from services.ops.rig import process
from services.ops.rig.session import orphans, temporary_place
from services.ops.rig.wait import until

PREFIX = "anjuan-platform-"


@dataclass(frozen=True)
class Platform:
    """Everything that `anjuan up` starts; the keeper heals what a test kills."""

    installation: Installation

    @classmethod
    def started(cls, profile: str = "embedded") -> Platform:
        """Up and ready. Those of test sessions that were killed are cleared first."""
        for data in orphans(PREFIX):
            lifecycle.erase(data)
        data = temporary_place(PREFIX).data
        try:
            return cls(lifecycle.up(data, profile, scripted=True, wishes=False))
        except BaseException:  # also when somebody interrupts: nothing stays behind
            lifecycle.erase(data)
            raise

    @property
    def address(self) -> str:
        """Of the gateway, without a slash at the end."""
        return self.installation.address

    @property
    def environment(self) -> dict[str, str]:
        return self.installation.variables

    @property
    def settings(self) -> Settings:
        return Settings.from_environment(self.environment)

    @property
    def names(self) -> list[str]:
        """Of every part that can be killed."""
        return [part.name for part in self.installation.parts()]

    def pid(self, name: str) -> int | None:
        return process.pid_of(self.installation.place, name)

    def kill(self, name: str) -> None:
        """SIGKILL; the keeper starts it again by itself. `keeper` and `guard` may be named too."""
        process.kill(self.installation.place, name)

    def hold(self, *names: str) -> None:
        """Stop parts or rooms until release()."""
        lifecycle.hold(self.installation, names)

    def release(self, *names: str) -> None:
        lifecycle.release(self.installation, names)

    def restart(self, *names: str) -> None:
        """Stop and start in an orderly way; all parts when none is named."""
        lifecycle.restart(self.installation, names)

    def await_ready(self, seconds: float = 120) -> None:
        """Until every part answers."""
        until(lambda: all(part.ready() for part in self.installation.parts()), seconds, "整个平台", every=0.2)

    def cut_connections(self) -> None:
        """The broker closes every client's connection, the database ends every session."""
        self.installation.rabbitmq.control("close_all_connections", "cut by a test")
        self.installation.postgres.cut_connections()

    def end(self) -> None:
        """Stop and remove everything."""
        lifecycle.erase(self.installation.place.data)
