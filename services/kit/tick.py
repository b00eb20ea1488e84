"""What happens by itself: clocks, retries, housekeeping, the audit chain; one ticker a room, under a lease."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable
from datetime import date, timedelta

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from services.kit import clock
from services.kit.audit import Chainer
from services.kit.identity import system
from services.kit.inbox.streams import Listener

EVERY_SECONDS, LEASE_SECONDS = 1.0, 10
HOUSEKEEPING_SECONDS = 600.0
IDEMPOTENCY_DAYS = 7
log = logging.getLogger("anjuan.tick")

_LEASE = text("""
    insert into leases (name, holder, until)
    values ('tick', :holder, clock_timestamp() + make_interval(secs => :seconds))
    on conflict (name) do update set holder = excluded.holder, until = excluded.until
    where leases.holder = excluded.holder or leases.until < clock_timestamp() returning holder""")
_RELEASE = text("delete from leases where name = 'tick' and holder = :holder")
_OLD_KEYS = text("delete from idempotency where created_at < :before")
_PARTITIONS = text("select inhrelid::regclass::text from pg_inherits where inhparent = 'outbox'::regclass")


def make_partitions(connection: Connection, today: date) -> None:
    """Partitions of the outbox for this month and the next; rows that were caught by the default move along."""
    known = set(connection.execute(_PARTITIONS).scalars())
    first = today.replace(day=1)
    for start in (first, _month_after(first)):
        if f"outbox_{start:%Y_%m}" not in known:
            _make_partition(connection, f"outbox_{start:%Y_%m}", start, _month_after(start))


def _month_after(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1)


def _make_partition(connection: Connection, name: str, start: date, end: date) -> None:
    # attached rather than created in place: only the default partition is locked hard
    since, until = f"timestamptz '{start} 00:00+00'", f"timestamptz '{end} 00:00+00'"
    for statement in (
        "set local lock_timeout = '3s'",
        f"create table {name} (like outbox including defaults including constraints)",
        "lock table outbox_rest in access exclusive mode",
        f"with moved as (delete from outbox_rest where created_at >= {since} and created_at < {until} returning *) "  # noqa: S608
        f"insert into {name} select * from moved",
        f"alter table outbox attach partition {name} for values from ({since}) to ({until})",
        "set local lock_timeout = 0",
    ):
        connection.execute(text(statement))


class Ticker:
    """Runs in a thread until stopped; a second one of the same room waits for the lease."""

    def __init__(self, listener: Listener) -> None:
        self.listener, self.host, self.room = listener, listener.host, listener.room
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{clock.new_id()}"
        self.chainer = Chainer(self.host)
        self._kept_house, self._held = -HOUSEKEEPING_SECONDS, -float(LEASE_SECONDS)

    def run(self, stop: threading.Event) -> None:
        """Tick about once a second until `stop` is set."""
        while not stop.wait(EVERY_SECONDS):
            self._attempt(self.step)
        self._attempt(self._release)

    def step(self) -> None:
        """One round; each part stands alone, so that one in trouble does not hold up the others."""
        self._held = -float(LEASE_SECONDS)  # asked for once a round, and again when a part has taken long
        for part in (self._tick, self.listener.sweep, self.chainer.step, self._keep_house):
            if not self._hold_lease():
                return
            self._attempt(part)

    def _attempt(self, part: Callable[[], None]) -> None:
        try:
            part()
        except DBAPIError as error:
            log.warning("tick_waits", extra={"room": self.room.name, "part": part.__name__, "error": str(error)})
        except Exception:
            log.exception("tick_failed", extra={"room": self.room.name, "part": part.__name__})

    def _hold_lease(self) -> bool:
        if clock.monotonic() - self._held < LEASE_SECONDS / 4:
            return True
        with self.host.engine.begin() as connection:
            held = connection.execute(_LEASE, {"holder": self.holder, "seconds": LEASE_SECONDS}).scalar() is not None
        self._held = clock.monotonic()
        return held

    def _release(self) -> None:
        with self.host.engine.begin() as connection:
            connection.execute(_RELEASE, {"holder": self.holder})

    def _tick(self) -> None:
        if self.room.tick is not None and not self.host.settings.scripted:
            with self.host.begin(system("tick")) as uow:
                self.room.tick(uow, None)

    def _keep_house(self) -> None:
        if clock.monotonic() - self._kept_house < HOUSEKEEPING_SECONDS:
            return
        with self.host.engine.begin() as connection:
            make_partitions(connection, clock.now().date())
            connection.execute(_OLD_KEYS, {"before": clock.now() - timedelta(days=IDEMPOTENCY_DAYS)})
        self._kept_house = clock.monotonic()
