"""The relay, out of a backlog of 10,000 events, against the same bytes published with confirms by hand."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import Any

import pika
from pika.adapters.select_connection import SelectConnection

from anjuan.kit.v1.effects_pb2 import EffectDone
from services.kit import clock, identity, topology
from services.kit.database import Cause, UnitOfWork
from services.kit.relay import BATCH, Relay
from services.kit.run import Room
from services.kit.testing import until
from services.ops.bench.figures import Figure, ratio
from services.ops.bench.ground import Ground
from services.ops.discover import FOLDER

NAME = "benchrelay"


def _room() -> Room:
    """Kit's own tables alone."""
    folder = FOLDER / "notices" / "migrations"  # the smallest room; only kit's tables are used
    return Room(NAME, UnitOfWork, folder, lambda _: [], lambda _: None, ())


def measure(ground: Ground) -> list[Figure]:
    """Events a second out of a backlog."""
    count, settings = ground.size(10_000, 1_000), ground.settings
    engine = ground.scratch(_room(), NAME)
    topology.declare(settings.amqp, topology.Topology((NAME,), ((NAME, NAME),)))
    ours, raw = [], []
    try:
        for _ in range(ground.runs):
            bodies = _emit(engine, count)
            ours.append(count / _relayed(ground, engine))
            raw.append(count / Plain(settings.amqp, bodies).seconds())
            _drop(settings.amqp, purge=True)
    finally:
        _drop(settings.amqp)
        engine.dispose()
        ground.postgres.drop_database(NAME)
    return [
        Figure("relay out of a backlog", "events/s", tuple(ours), at_least=1_500),
        Figure("raw confirmed publish, same bytes, same batches", "messages/s", tuple(raw)),
        ratio("relay to raw confirmed publish", ours, raw),
    ]


def _emit(engine: Any, count: int) -> list[bytes]:
    for start in range(0, count, 1_000):
        with UnitOfWork(engine, NAME, Cause(identity.system("bench"))) as uow:
            for number in range(start, min(start + 1_000, count)):
                told = EffectDone(effect_id=clock.new_id(), effect="docket", case_id="0" * 36)
                uow.emit(told, stream=f"stream-{number % 1_000}", body_id="b", occurred_on=clock.today())
    with engine.connect() as connection:
        asked = "select body from outbox where sent_at is null order by position"
        return [bytes(row.body) for row in connection.exec_driver_sql(asked)]


def _relayed(ground: Ground, engine: Any) -> float:
    """Seconds from the start of a relay, its connections included, until it has marked the last."""
    stop = threading.Event()
    thread = threading.Thread(target=Relay(NAME, ground.settings).run, args=(stop,), daemon=True)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        ask = connection.exec_driver_sql
        began = ask("select clock_timestamp()").scalar_one()
        thread.start()
        until(lambda: not ask("select 1 from outbox where sent_at is null limit 1").scalar(), 600, "all relayed")
        stop.set()
        thread.join()
        return float((ask("select max(sent_at) from outbox").scalar_one() - began).total_seconds())


def _drop(amqp: str, purge: bool = False) -> None:
    with closing(pika.BlockingConnection(pika.URLParameters(amqp))) as connection:
        channel = connection.channel()
        if purge:
            channel.queue_purge(topology.queue(NAME, NAME))
        else:
            channel.queue_delete(topology.queue(NAME, NAME))
            channel.exchange_delete(topology.exchange(NAME))


class Plain:
    """A SelectConnection that sends batches and waits for their confirms: the least that can be done."""

    def __init__(self, amqp: str, bodies: list[bytes]) -> None:
        self.bodies, self.sent, self.open, self.began, self.ended = bodies, 0, set[int](), 0.0, 0.0
        self.connection = SelectConnection(pika.URLParameters(amqp), on_open_callback=self._opened,
                                           on_close_callback=lambda ended, _: ended.ioloop.stop())  # fmt: skip

    def seconds(self) -> float:
        """From the first publish to the last confirm."""
        self.connection.ioloop.start()
        self.connection.ioloop.close()
        return self.ended - self.began

    def _opened(self, connection: Any) -> None:
        connection.channel(on_open_callback=self._ready)

    def _ready(self, channel: Any) -> None:
        self.channel, self.began = channel, clock.monotonic()
        channel.confirm_delivery(self._confirm, callback=lambda _: self._batch())

    def _batch(self) -> None:
        wanted = pika.BasicProperties(delivery_mode=2, content_type="application/json")
        batch = self.bodies[self.sent : self.sent + BATCH]
        for number, body in enumerate(batch, self.sent + 1):
            self.open.add(number)
            self.channel.basic_publish(topology.exchange(NAME), "EffectDone", body, wanted, mandatory=True)
        self.sent += len(batch)

    def _confirm(self, frame: Any) -> None:
        tag = frame.method.delivery_tag
        self.open -= {t for t in self.open if t <= tag} if frame.method.multiple else {tag}
        if not self.open and self.sent < len(self.bodies):
            self._batch()
        elif not self.open:
            self.ended = clock.monotonic()
            self.connection.close()
