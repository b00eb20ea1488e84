"""Hosts the rooms of this machine: `python -m services.ops.host servers | relays | consumers | followers | workers |
migrate`.

The same code and the same bus as one process for each room; only the number of processes differs.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.kit.run import Room
    from services.kit.settings import Settings

BROKER_SECONDS = 90
FOLLOWING = frozenset({"identity", "notices", "search", "supervision"})  # they count, index and tell of what others do


def _settings() -> Settings:
    from services.kit.settings import Settings

    return Settings.from_environment()


def _rooms(settings: Settings) -> list[Room]:
    """The installation's rooms, those held back by the operator left out."""
    from services.kit import run

    held = settings.data / "run" / "without.json"
    return run.rooms_of(settings, set(json.loads(held.read_text())) if held.exists() else ())


def servers() -> None:
    """gRPC servers."""
    from services.kit import run

    settings = _settings()
    run.run_servers(_rooms(settings), settings)


def relays() -> None:
    """Relays and tickers."""
    from services.kit import run

    settings = _settings()
    run.run_relays(_rooms(settings), settings)


def consumers() -> None:
    """Consumers of the rooms that carry a case on."""
    _consume("consumers", following=False)


def followers() -> None:
    """Consumers of the rooms that follow it: half of the work of a backlog, on another core."""
    _consume("followers", following=True)


def _consume(name: str, following: bool) -> None:
    # consumers live on green threads: everything is patched before anything else is imported
    os.environ["PSYCOPG_WAIT_FUNC"] = "wait_select"
    import warnings

    warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
    import eventlet

    eventlet.monkey_patch()
    from services.kit import run

    settings = _settings()
    run.run_consumers([room for room in _rooms(settings) if (room.name in FOLLOWING) == following], settings, name)


def workers() -> None:
    """Jobs in killable children."""
    from services.kit import run

    settings = _settings()
    run.run_workers(_rooms(settings), settings)


def migrate() -> None:
    """Tables of every room, then exchanges and queues as soon as the broker answers."""
    from services.kit import run
    from services.ops.rig.wait import until

    settings = _settings()
    rooms = _rooms(settings)
    for room in rooms:
        run.migrate(room, settings)
    until(lambda: _broker_answers(settings.amqp), BROKER_SECONDS, "RabbitMQ", every=0.2)
    run.declare_topology(rooms, settings)


def _broker_answers(amqp: str) -> bool:
    import pika
    from pika.exceptions import AMQPError

    from services.ops.rig.ports import listens

    parameters = pika.URLParameters(amqp)
    if not listens(parameters.port):
        return False
    try:
        with pika.BlockingConnection(parameters):
            return True
    except (AMQPError, OSError):
        return False


COMMANDS = {one.__name__: one for one in (servers, relays, consumers, followers, workers, migrate)}

if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in COMMANDS:
        sys.exit(f"usage: python -m services.ops.host {' | '.join(COMMANDS)}")
    COMMANDS[sys.argv[1]]()
