"""The outbox on its way: one relay a room sends committed events, in order, and marks them when confirmed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import psycopg
from psycopg.rows import TupleRow

from services.kit import topology
from services.kit.database import PATIENCE
from services.kit.health import SENT
from services.kit.publisher import BrokerGoneError, Message, Publisher
from services.kit.settings import Settings

BATCH = 200
POLL_SECONDS, LONGEST_BACKOFF_SECONDS = 1.0, 5.0
Database = psycopg.Connection[TupleRow]
log = logging.getLogger("anjuan.relay")

_LOCK = "select pg_try_advisory_lock(hashtextextended('anjuan relay', 0))"
_UNSENT = """
    select position, created_at, event_id, type, body from outbox
    where sent_at is null order by position limit %s"""
_MARK = """
    update outbox set sent_at = clock_timestamp()
    where position = any(%s) and created_at between %s and %s and sent_at is null"""
_REPLAY = """
    select position, created_at, event_id, type, body from outbox
    where sent_at is not null and position > %s and (%s = '' or aggregate_id = %s) order by position limit %s"""
# The server must not keep the lock for long for a peer that vanished; a mark lost in a crash is sent twice, no worse.
_MANNER = "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=3 -c tcp_keepalives_count=3 -c synchronous_commit=off"


@contextmanager
def listening(settings: Settings, room: str, channel: str) -> Iterator[Database]:
    """A connection of its own, autocommit, that hears NOTIFY on a channel."""
    url = settings.database_url(room, "psycopg").replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True, application_name=f"anjuan-{room}-{channel}", options=_MANNER,
                         **PATIENCE) as database:  # fmt: skip
        database.execute(f"listen {channel}")
        yield database


def await_word(database: Database, seconds: float) -> None:
    """Return at a NOTIFY (also one that came since the last call), else after so many seconds."""
    list(database.notifies(timeout=seconds, stop_after=1))  # all that came meanwhile, for they say the same


def _message(row: Sequence[Any], exchange: str, key: str = "") -> Message:
    _, _, event_id, type_, body = row
    return Message(exchange, key or type_, bytes(body), event_id, {"type": type_})


class Relay:
    """Runs in a thread until stopped; comes back by itself after broker or database trouble."""

    def __init__(self, room: str, settings: Settings) -> None:
        self.room, self.settings = room, settings
        self._trouble = 0

    def run(self, stop: threading.Event) -> None:
        """Relay until `stop` is set; a second relay of the room stands by meanwhile."""
        while not stop.is_set():
            try:
                with listening(self.settings, self.room, "outbox") as database:
                    if self._leads(database, stop):
                        self._relay(database, stop)
            except (psycopg.Error, BrokerGoneError) as error:
                self._pause(stop, error)

    def _leads(self, database: Database, stop: threading.Event) -> bool:
        while not stop.is_set():
            row = database.execute(_LOCK).fetchone()
            if row and row[0]:
                log.info("relay_leads", extra={"room": self.room})
                return True
            stop.wait(0.5)
        return False

    def _relay(self, database: Database, stop: threading.Event) -> None:
        with closing(Publisher(self.settings.amqp)) as publisher:
            while not stop.is_set():
                rows = database.execute(_UNSENT, (BATCH,)).fetchall()
                if rows and (taken := self._send(database, publisher, rows)) < len(rows):
                    self._pause(stop, BrokerGoneError(f"event {rows[taken][2]} was refused by the broker"))
                    continue
                self._trouble = 0
                if len(rows) < BATCH:  # whatever was committed since gives a word
                    await_word(database, POLL_SECONDS)

    def _send(self, database: Database, publisher: Publisher, rows: Sequence[TupleRow]) -> int:
        taken = publisher.publish([_message(row, topology.exchange(self.room)) for row in rows])
        if taken:
            days = [row[1] for row in rows[:taken]]
            database.execute(_MARK, ([row[0] for row in rows[:taken]], min(days), max(days)))
            SENT.labels(self.room).inc(taken)
        return taken

    def _pause(self, stop: threading.Event, error: Exception) -> None:
        seconds = min(0.1 * 2**self._trouble, LONGEST_BACKOFF_SECONDS)
        self._trouble += 1
        log.warning("relay_waits", extra={"room": self.room, "seconds": seconds, "error": str(error)})
        stop.wait(seconds)


def replay(settings: Settings, room: str, queue: str, aggregate_id: str = "") -> int:
    """Send what was sent before once more, whole streams from seq 1, to one queue; returns how many.

    Raises:
        BrokerGoneError: no broker, or no such queue; what was sent until then stays sent.
    """
    sent, position = 0, 0
    with listening(settings, room, "replay") as database, closing(Publisher(settings.amqp)) as publisher:
        while rows := database.execute(_REPLAY, (position, aggregate_id, aggregate_id, BATCH)).fetchall():
            taken = publisher.publish([_message(row, "", queue) for row in rows])
            sent, position = sent + taken, rows[-1][0]
            if taken < len(rows):
                raise BrokerGoneError(f"queue {queue} did not take event {rows[taken][2]}")
    return sent
