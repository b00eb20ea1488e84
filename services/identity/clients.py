"""The other rooms' operators' doors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date

from anjuan.kit.v1.operations_pb2 import NextDueRequest
from anjuan.kit.v1.operations_pb2_grpc import OperationsStub
from services.identity.settings import IdentitySettings
from services.kit import rpc
from services.kit.errors import ConflictError
from services.kit.identity import Actor, sign_token
from services.kit.run import Host
from services.kit.testing import NotSettledError, settle

SETTLE_SECONDS = 120.0


@dataclass(frozen=True)
class OperatedRooms:
    """Rooms by name and address; `token` makes a fresh operator's token, since a long way outlives one."""

    addresses: Mapping[str, str]
    token: Callable[[], str]

    def settle(self) -> None:
        """See model.legal_dates.Rooms."""
        with ExitStack() as opened:  # one channel for all its looks
            doors = {n: OperationsStub(opened.enter_context(rpc.channel(a))) for n, a in self.addresses.items()}
            try:
                settle(doors, self.token(), SETTLE_SECONDS)
            except NotSettledError as error:
                raise ConflictError(f"平台尚未处理完毕，法定日期没有继续推进：{error}") from error

    def due_days(self, root_id: str, after: date) -> Iterator[date]:
        """See model.legal_dates.Rooms."""
        request = NextDueRequest(root_body_id=root_id, after=after.isoformat())
        for address in self.addresses.values():
            with rpc.channel(address) as channel:
                answer = rpc.invoke(OperationsStub(channel).NextDue, request, token=self.token())
            if answer.due_on:
                yield date.fromisoformat(answer.due_on)


def operated_rooms(host: Host, actor: Actor) -> OperatedRooms:
    """All rooms of the site in an operator's name."""
    knobs = IdentitySettings.of(host.settings)
    return OperatedRooms(
        host.settings.rpc, lambda: sign_token(actor, knobs.site, knobs.token_private_key.read_bytes())
    )
