"""The identity room: wiring and sub-commands; `bootstrap` makes the operator's account once."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from services.identity import rpc
from services.identity.clients import operated_rooms
from services.identity.consumer import IdentityConsumer
from services.identity.settings import IdentitySettings
from services.identity.store import IdentityUnit
from services.identity.usecases.operator import ensure_operator
from services.kit import run
from services.kit.settings import Settings

ROOM = run.Room(
    name="identity", unit=IdentityUnit, migrations=Path(__file__).parent / "migrations",
    rpc=partial(rpc.registrations, rooms_of=operated_rooms),
    consumer=IdentityConsumer, sources=IdentityConsumer.sources,
)  # fmt: skip


def bootstrap(settings: Settings) -> Path:
    """Make the operator's account unless it is there; where its credentials lie."""
    host = run.open_host(ROOM, settings)
    try:
        return ensure_operator(host.begin_as_system("set-up"), IdentitySettings.of(settings))
    finally:
        host.engine.dispose()


if __name__ == "__main__":
    if sys.argv[1:] == ["bootstrap"]:
        sys.stdout.write(f"运维账号的凭据：{bootstrap(Settings.from_environment())}\n")
    else:
        run.main(ROOM)
