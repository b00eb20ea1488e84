"""A service's database, and the unit of work: state, outbox, audit and idempotency in one transaction."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache, partial
from itertools import accumulate
from types import TracebackType
from typing import Any, Self, TypeVar

from google.protobuf.message import Message
from sqlalchemy import Connection, Dialect, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.sql.elements import TextClause

from services.kit import clock, events, projections
from services.kit.errors import KeyReusedError
from services.kit.identity import Actor
from services.kit.projections import Statement
from services.kit.settings import Settings

traceparent: ContextVar[str] = ContextVar("traceparent", default="")
Answer = TypeVar("Answer", bound=Message)


# one statement for any number of streams, those that are new among them; locked in the order of sorted()
_TAKE_STREAMS = text("""
    with known as (select aggregate_id, version from streams where aggregate_id = any(cast(:ids as text[]))
                   order by aggregate_id collate "C" for update),
    fresh as (insert into streams (aggregate_id) select id from unnest(cast(:ids as text[])) as n (id)
              where id not in (select aggregate_id from known) on conflict do nothing returning aggregate_id, version)
    select * from known union all select * from fresh""")
_CLAIM = text("""
    insert into idempotency (actor_id, key, request_hash) values (:who, :key, :hash)
    on conflict do nothing returning key""")
_CLAIMED = text("select request_hash, answer from idempotency where actor_id = :who and key = :key")
_KEPT = "update idempotency set answer = :answer where actor_id = :who and key = :key"
_AUDIT = """
    insert into audit (actor, action, object_id, case_id, body_id, legal_on, detail)
    select actor, action, object_id, case_id, body_id, legal_on, detail
    from jsonb_to_recordset(cast(:records as jsonb)) as r (actor jsonb, action text, object_id text, case_id text,
                                                           body_id text, legal_on date, detail jsonb)"""
# bodies travel as one value, cut there
_TOLD = """
    insert into outbox (event_id, aggregate_id, seq, type, body)
    select event_id, aggregate_id, seq, type, substring(cast(:bodies as bytea) from at for size)
    from json_to_recordset(cast(:rows as json))
        as r (event_id text, aggregate_id text, seq bigint, type text, at int, size int)"""
_ADVANCED = """
    update streams set version = new.version
    from unnest(cast(:ids as text[]), cast(:versions as bigint[])) as new(id, version) where aggregate_id = new.id"""


@lru_cache(maxsize=512)
def together(parts: tuple[str, ...]) -> TextClause:
    """One statement, made once for each shape, because each has its price at the client, whatever it does."""
    named = ", ".join(f"w{at} as ({part})" for at, part in enumerate(parts[:-1]))
    return text(f"with {named} {parts[-1]}" if named else parts[-1])


# seconds (tcp_user_timeout: ms) until a server that vanished without a word is given up
PATIENCE: dict[str, Any] = {"connect_timeout": 5, "keepalives_idle": 10, "keepalives_interval": 3,
                            "keepalives_count": 3, "tcp_user_timeout": 20_000}  # fmt: skip
RESTED_SECONDS = 0.2  # no server restarts in less; what is cut off meanwhile is an outage, to be sent again


def open_engine(settings: Settings, service: str, driver: str = "psycopg", pool: int | None = None) -> Engine:
    """An engine on the service's own database; consumers (eventlet) pass driver psycopg2."""
    engine = create_engine(
        settings.database_url(service, driver), pool_size=pool or settings.pool, max_overflow=0, pool_timeout=30,
        hide_parameters=True,  # error texts end in logs, and parameters name people
        connect_args={"application_name": f"anjuan-{service}", **PATIENCE},
    )  # fmt: skip
    event.listen(engine, "checkin", lambda _, record: record.info.update(since=clock.monotonic()))
    event.listen(engine, "checkout", partial(_ask, engine.dialect))
    return engine


def _ask(dialect: Dialect, connection: Any, record: Any, _: Any) -> None:
    """Does it live? Not each time, as pool_pre_ping asks, but after a rest."""
    if clock.monotonic() - record.info.get("since", math.inf) > RESTED_SECONDS:
        try:
            dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error as gone:
            raise DisconnectionError from gone


@dataclass(frozen=True)
class Cause:
    """In whose name and by which fact a unit of work acts; every event and audit row carries it."""

    actor: Actor
    event_id: str = ""


@dataclass
class _Pending:
    message: Message
    stream: str
    cause: Cause
    traceparent: str
    attributes: dict[str, Any] = field(default_factory=dict)


class UnitOfWork:
    """One transaction. Re-entrant: an inner `with uow:` joins the outer one, which alone commits.

    Subclassed by each service's store.py, which adds its repositories over `connection`. An exception
    that leaves any level rolls all back. Events are given with `emit` and written when the outermost
    level ends, streams locked in id order; a number series is locked after `lock`.
    """

    def __init__(self, engine: Engine, service: str, cause: Cause) -> None:
        self.engine, self.service, self.cause = engine, service, cause
        self._depth, self._failed = 0, False
        self._connection: Connection | None = None
        self._pending: list[_Pending] = []
        self._records: list[dict[str, Any]] = []
        self._locked: dict[str, int] = {}
        self._answered: dict[str, Any] = {}
        self.waking: set[str] = set()  # channels to be notified after the commit
        self._lasting = frozenset(self.__dict__) | {"_lasting"}

    @property
    def connection(self) -> Connection:
        """The open transaction's connection."""
        if self._connection is None:
            raise RuntimeError("unit of work is not open: use it in a with statement")
        return self._connection

    def __enter__(self) -> Self:
        if self._depth == 0:
            self._connection = self.engine.connect()
            self._failed, self._pending, self._records, self._locked, self._answered = False, [], [], {}, {}
            self.waking = set()
        self._depth += 1
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:  # fmt: skip
        self._depth -= 1
        self._failed = self._failed or kind is not None
        if self._depth:
            return
        connection = self.connection
        try:
            if self._failed:
                connection.rollback()
                if kind is None:
                    raise RuntimeError("an inner unit of work failed and its error was swallowed")
            else:
                self.flush()
                connection.commit()
                if self.waking:
                    self._wake(connection)
        finally:
            self._connection = None
            self._forget()
            connection.close()

    def _wake(self, connection: Connection) -> None:
        """Not within the transaction: NOTIFY lets one commit at a time through in the whole server, fsync and all."""
        with suppress(DBAPIError):  # what is committed stays so; relay and workers look by themselves as well
            words = ", ".join(f"pg_notify('{channel}', '')" for channel in sorted(self.waking))
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(f"select {words}")

    def _forget(self) -> None:
        # cached repositories hold the connection, so they end with it
        for name in self.__dict__.keys() - self._lasting:
            del self.__dict__[name]

    def acting(self, actor: Actor, event_id: str = "") -> Self:
        """Act in another's name from here on (the inbox does so for each event)."""
        self.cause = Cause(actor, event_id)
        return self

    def legal_on(self, body_id: str) -> date:
        """The body's legal date (design rule 5)."""
        return clock.legal_on(self.connection, body_id)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Inside an open unit: what the block wrote and emitted is taken back when it raises."""
        kept, recorded = len(self._pending), len(self._records)
        locked, failed = dict(self._locked), self._failed
        try:
            with self.connection.begin_nested():
                yield
        except BaseException:
            del self._pending[kept:], self._records[recorded:]
            self._locked, self._failed = locked, failed
            raise

    def lock(self, *stream_ids: str) -> dict[str, int]:
        """Take the row locks of streams in id order; returns their versions. Before any number series."""
        while wanted := sorted(set(stream_ids) - self._locked.keys()):  # again when another has just made one
            rows = self.connection.execute(_TAKE_STREAMS, {"ids": wanted})
            self._locked |= {stream: int(version) for stream, version in rows}
        return {stream: self._locked[stream] for stream in stream_ids}

    def emit(self, message: Message, *, stream: str, body_id: str, occurred_on: date | None = None,
             case_id: str = "", pack: tuple[str, str] = ("", "")) -> None:  # fmt: skip
        """Tell the others a fact, in this transaction; `occurred_on` defaults to the body's legal date."""
        self._pending.append(_Pending(message, stream, self.cause, traceparent.get(), {
            "body_id": body_id, "case_id": case_id, "pack_id": pack[0], "pack_version": pack[1],
            "occurred_on": occurred_on or self.legal_on(body_id),
        }))  # fmt: skip

    def beside(self) -> Iterable[Statement]:
        """What a room has gathered, to be written together with audit, answer and events."""
        return ()

    def flush(self) -> list[events.Event]:
        """Write pending audit rows and the answer, and pending events to the outbox; the outermost exit does it."""
        pending, self._pending = self._pending, []
        self.lock(*(p.stream for p in pending))
        written = [self._event(p) for p in pending]
        parts = [*self.beside(), *(self._told(written) if written else ()), *projections.statements(written)]
        records, self._records, answered, self._answered = self._records, [], self._answered, {}
        if parts or records or answered:
            noted = {"answer": None, "who": None, "key": None, "records": json.dumps(records, ensure_ascii=False)}
            values = noted | answered | {name: value for _, more in parts for name, value in more.items()}
            self.connection.execute(together((_KEPT, *(sql for sql, _ in parts), _AUDIT)), values)
        return written

    def _told(self, written: list[events.Event]) -> Iterator[Statement]:
        bodies = [events.encode(e) for e in written]
        places = accumulate(map(len, bodies), initial=1)
        rows = [{"event_id": e.event_id, "aggregate_id": e.aggregate_id, "seq": e.seq, "type": e.type, "at": at,
                 "size": len(body)} for e, body, at in zip(written, bodies, places, strict=False)]  # fmt: skip
        yield _TOLD, {"rows": json.dumps(rows), "bodies": b"".join(bodies)}
        streams = sorted({e.aggregate_id for e in written})
        yield _ADVANCED, {"ids": streams, "versions": [self._locked[stream] for stream in streams]}
        self.waking.add("outbox")

    def _event(self, pending: _Pending) -> events.Event:
        self._locked[pending.stream] += 1
        event = events.Event(
            event_id=clock.new_id(), source=self.service, type=pending.message.DESCRIPTOR.name,
            aggregate_id=pending.stream, seq=self._locked[pending.stream], at=clock.now(), actor=pending.cause.actor,
            raw=events.to_raw(pending.message), cause_id=pending.cause.event_id, traceparent=pending.traceparent,
            **pending.attributes,
        )  # fmt: skip
        event.__dict__["data"] = pending.message  # what Event.data would parse again
        return event

    def record(self, action: str, object_id: str, *, case_id: str = "", body_id: str = "",
               legal_on: date | None = None, detail: Mapping[str, Any] | None = None) -> None:  # fmt: skip
        """Leave an audit row in this transaction (design rule 8); `action` is the use case's name."""
        self._records.append({
            "actor": self.cause.actor.as_dict(), "action": action, "object_id": object_id, "case_id": case_id,
            "body_id": body_id or self.cause.actor.body_id, "detail": dict(detail or {}),
            "legal_on": legal_on.isoformat() if legal_on else None,
        })  # fmt: skip

    def once(self, key: str, request: Message, answer: type[Answer], produce: Callable[[], Answer]) -> Answer:
        """Answer a POST idempotently: the first answer is kept with the key in this transaction.

        Raises:
            KeyReusedError: the key was used with another request.
        """
        if not key:
            with self:
                return produce()
        body = request.SerializeToString(deterministic=True)
        digest = hashlib.sha256(request.DESCRIPTOR.full_name.encode() + b"\0" + body)
        mine = {"who": self.cause.actor.person_id, "key": key}
        with self:
            if self.connection.execute(_CLAIM, mine | {"hash": digest.digest()}).first() is not None:
                produced = produce()
                self._answered = mine | {"answer": produced.SerializeToString()}
                return produced
            row = self.connection.execute(_CLAIMED, mine).one()
            if bytes(row.request_hash) != digest.digest():
                raise KeyReusedError("同一幂等键已用于内容不同的请求，请换一个新的键")
            return answer.FromString(bytes(row.answer))
