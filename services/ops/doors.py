"""The operators' door of every room, in the name of the set-up's operator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anjuan.identity.v1.identity_pb2_grpc import IdentityStub
from anjuan.kit.v1.operations_pb2_grpc import OperationsStub
from anjuan.workflow.v1.workflow_pb2_grpc import WorkflowStub
from services.kit import rpc
from services.kit.errors import DomainError
from services.kit.settings import Settings
from services.ops import lifecycle, output
from services.ops.publish import SECONDS as SIGN_IN
from services.ops.publish import token_of

SECONDS = 600.0  # a replay of everything, a chain of years


@dataclass(frozen=True)
class Doors:
    """Calls to rooms by name."""

    settings: Settings
    token: str
    seconds: float = SECONDS

    @property
    def rooms(self) -> list[str]:
        return sorted(self.settings.rpc)

    def ask(self, room: str, method: str, request: Any) -> Any:
        """One call of the operators' door.

        Raises:
            RefusedError: there is no such room.
            DomainError: as the room refused.
        """
        return self._ask(room, OperationsStub, method, request)

    def ask_workflow(self, method: str, request: Any) -> Any:
        """One call of workflow's own door."""
        return self._ask("workflow", WorkflowStub, method, request)

    def _ask(self, room: str, stub: Any, method: str, request: Any) -> Any:
        if room not in self.settings.rpc:
            raise lifecycle.RefusedError(f"没有名为 {room} 的服务；可用的有：{'、'.join(self.rooms)}")
        with rpc.channel(self.settings.rpc[room]) as channel:
            return rpc.invoke(getattr(stub(channel), method), request, token=self.token, timeout=self.seconds)


@contextmanager
def doors(data: Path, json: bool) -> Iterator[Doors]:
    """The doors of the running installation; what a room refuses becomes a sentence (or JSON) and exit code 1."""
    with output.refusals(json), opened_doors(data) as found:
        yield found


@contextmanager
def opened_doors(data: Path, seconds: float = SECONDS) -> Iterator[Doors]:
    """The same, each call with so many seconds; raises RefusedError for what a room refuses."""
    settings = Settings.from_environment(lifecycle.opened(data).variables)
    try:
        with rpc.channel(settings.rpc["identity"]) as identity:
            token = token_of(IdentityStub(identity), data, "", "", min(seconds, SIGN_IN))
        yield Doors(settings, token, seconds)
    except DomainError as refusal:
        raise lifecycle.RefusedError(f"{refusal.title}：{refusal.detail}") from refusal
