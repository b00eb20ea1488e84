"""What becomes of deliveries: applied, kept until the gap closes, tried again, or parked. No bus in here."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from services.kit import clock, events, schema
from services.kit.database import UnitOfWork
from services.kit.errors import DATABASE, outage
from services.kit.events import Event
from services.kit.health import APPLIED, DUPLICATES, FAILED, PARKED
from services.kit.identity import system
from services.kit.inbox.batch import Batch, Delivery, Reaction

if TYPE_CHECKING:
    from services.kit.run import Host, Room

ATTEMPTS = 6
FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS = 0.5, 300.0
LONGEST_UNAVAILABLE_SECONDS = 5.0
UNREADABLE = "?"
log = logging.getLogger("anjuan.inbox")

_DUE = text("""
    select w.source, w.aggregate_id, w.seq, w.body from inbox_waiting w join inbox i using (source, aggregate_id)
    where w.parked_at is null and (w.retry_at is null or w.retry_at <= :now) and w.seq <= i.last_seq + 1
    order by w.retry_at nulls first, w.seq limit 200""")
_ATTEMPTS = text("""
    select attempts from inbox_waiting where source = :source and aggregate_id = :id and seq = :seq""")
_LAST = text("select last_seq from inbox where source = :source and aggregate_id = :id for update")
_PARK_STREAM = text("update inbox set parked = true where source = :source and aggregate_id = :id")
_UNREADABLE_DUE = text("select body from inbox_waiting where source = '?' and parked_at is null")
_READ_AT_LAST = text("delete from inbox_waiting where source = '?' and aggregate_id = :id")


class StoreGoneError(Exception):
    """The database does not answer; nothing of the batch is committed: take it again."""


def _said(error: BaseException) -> str:
    said = _of_store(error) if isinstance(error, DBAPIError) else error
    return f"{type(error).__name__}: {said}"[:2000].replace("\0", "").encode("utf-8", "replace").decode()


def _of_store(error: DBAPIError) -> str:
    # the server's DETAIL shows the row, and with it whose it is
    state = getattr(error.orig, "pgcode", None) or getattr(error.orig, "sqlstate", None)
    return f"{state or ''} {getattr(getattr(error.orig, 'diag', None), 'message_primary', None) or ''}".strip()


@lru_cache(maxsize=1024)
def reaction_name(type_: str) -> str:
    """CaseDocketed -> on_case_docketed."""
    return "on_" + re.sub(r"(?<!^)(?=[A-Z])", "_", type_).lower()


@dataclass(frozen=True)
class Listener:
    """One room's ear: takes raw deliveries of every source."""

    host: Host
    room: Room
    consumer: Any

    @classmethod
    def of(cls, room: Room, host: Host) -> Listener:
        return cls(host, room, room.consumer(host))

    def take(self, bodies: Sequence[bytes]) -> None:
        """Returns when all of them are committed, whatever became of them: then they may be acked.

        Raises:
            StoreGoneError: the database does not answer; take them again, all.
        """
        try:
            self._apply(self._read(bodies))
        except (DBAPIError, PoolTimeoutError) as error:
            raise StoreGoneError(str(error)) from error

    def sweep(self) -> None:
        """Try again what waits and is due; `tick` does it."""
        self._sweep_unreadable()
        with self._begin() as uow:
            due = uow.connection.execute(_DUE, {"now": clock.now()}).all()
        for row in due:
            self._apply([Delivery(events.decode(bytes(row.body)), bytes(row.body))], retried=True)

    def reaction_to(self, event: Event) -> Reaction | None:
        """What the room does at an event; None: it only counts it."""
        reaction: Reaction | None = getattr(self.consumer, reaction_name(event.type), None)
        if (event.source, event.type) == ("identity", "LegalDateAdvanced") and self.room.tick is not None:
            return lambda e, uow: self._advance(e, uow, reaction)
        return reaction

    def _advance(self, event: Event, uow: UnitOfWork, reaction: Reaction | None) -> None:
        if reaction is not None:
            reaction(event, uow)
        if self.room.tick is not None:
            self.room.tick(uow.acting(system("tick"), event.event_id), event.data.root_body_id)

    def _begin(self) -> Any:
        return self.host.begin_as_system("inbox")

    def _read(self, bodies: Sequence[bytes]) -> list[Delivery]:
        found = []
        for body in bodies:
            try:
                found.append(Delivery(events.decode(body), body))
            except ValueError as error:
                self._park_unreadable(body, error)
        return found

    def _apply(self, deliveries: Sequence[Delivery], retried: bool = False, drains: bool = True) -> None:
        if not deliveries:
            return
        uow = self._begin()
        batch = Batch(uow, self.reaction_to, drains)
        try:
            with uow:
                batch.run(deliveries, retried)
        except Exception as error:
            if outage(error) == DATABASE:  # of the whole batch, not of an event: take it again
                raise
            self._split(deliveries, retried, batch, error)
        else:
            self._count(batch)

    def _split(self, deliveries: Sequence[Delivery], retried: bool, batch: Batch, error: Exception) -> None:
        half = len(deliveries) // 2
        if half:
            self._apply(deliveries[:half], retried)
            self._apply(deliveries[half:], retried)
        elif batch.drains and batch.current not in (None, deliveries[0].event):
            self._apply(deliveries, retried, drains=False)  # one that had waited for it is to blame
        else:
            self._defer(deliveries[0], error)

    def _count(self, batch: Batch) -> None:
        for counter, numbers in ((APPLIED, batch.applied), (DUPLICATES, batch.duplicates)):
            for (source, _), number in numbers.items():
                counter.labels(self.room.name, source).inc(number)

    def _defer(self, delivery: Delivery, error: Exception) -> None:
        """Put an event that failed into the waiting room, for its next attempt or for an operator."""
        event, unavailable = delivery.event, bool(outage(error))
        key = {"source": event.source, "id": event.aggregate_id, "seq": event.seq}
        with self._begin() as uow:
            last = uow.connection.execute(_LAST, key).scalar()
            if last is not None and last >= event.seq:
                return
            attempts = int(uow.connection.execute(_ATTEMPTS, key).scalar() or 0) + 1
            parked = attempts >= ATTEMPTS and not unavailable
            longest = LONGEST_UNAVAILABLE_SECONDS if unavailable else LONGEST_DELAY_SECONDS
            delay = min(FIRST_DELAY_SECONDS * 2 ** min(attempts - 1, 20), longest)
            self._keep(uow, delivery, {
                "attempts": attempts, "error": _said(error), "retry_at": clock.now() + timedelta(seconds=delay),
                "parked_at": clock.now() if parked else None,
            })  # fmt: skip
            if parked:
                uow.connection.execute(_PARK_STREAM, key)
        FAILED.labels(self.room.name, event.source).inc()
        if parked:
            PARKED.labels(self.room.name, "event").inc()
        told = {"room": self.room.name, "source": event.source, "type": event.type, "event_id": event.event_id,
                "attempts": attempts, "parked": parked}  # fmt: skip
        log.warning("event_failed", extra=told, exc_info=None if unavailable else error)

    def _keep(self, uow: UnitOfWork, delivery: Delivery, state: dict[str, Any]) -> None:
        event, table = delivery.event, schema.inbox_waiting
        fresh = upsert(schema.inbox).values(source=event.source, aggregate_id=event.aggregate_id)
        uow.connection.execute(fresh.on_conflict_do_nothing())
        row = upsert(table).values(source=event.source, aggregate_id=event.aggregate_id, seq=event.seq,
                                   body=delivery.body, **state)  # fmt: skip
        uow.connection.execute(row.on_conflict_do_update(index_elements=list(table.primary_key), set_=state))

    def _park_unreadable(self, body: bytes, error: Exception) -> None:
        name, table = hashlib.sha256(body).hexdigest(), schema.inbox_waiting
        with self._begin() as uow:
            state = {"parked_at": clock.now(), "error": _said(error)}
            row = upsert(table).values(source=UNREADABLE, aggregate_id=name, seq=0, body=body, **state)
            uow.connection.execute(row.on_conflict_do_update(index_elements=list(table.primary_key), set_=state))
        PARKED.labels(self.room.name, "unreadable").inc()
        log.error("event_unreadable", extra={"room": self.room.name, "sha256": name}, exc_info=error)

    def _sweep_unreadable(self) -> None:
        """An operator asked to try again what could not be read: this version of the code may read it."""
        with self._begin() as uow:
            bodies = [bytes(row.body) for row in uow.connection.execute(_UNREADABLE_DUE)]
        for body in bodies:
            readable = self._read([body])
            self._apply(readable)
            if readable:
                with self._begin() as uow:
                    uow.connection.execute(_READ_AT_LAST, {"id": hashlib.sha256(body).hexdigest()})
