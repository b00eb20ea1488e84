"""The bus side of the inbox: a nameko entrypoint that takes deliveries in batches and acks them after the commit."""

from __future__ import annotations

import logging
import os
import signal
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import eventlet
from amqp.exceptions import ConnectionError as BrokerConnectionError  # type: ignore[import-untyped]
from eventlet.event import Event as Promise
from kombu.entity import Queue
from nameko.messaging import Consumer, QueueConsumer
from nameko.runners import ServiceRunner

from services.kit import topology
from services.kit.inbox.streams import Listener, StoreGoneError
from services.kit.settings import Settings

BATCH = 100
LINGER_SECONDS = 0.002  # the rest gathers by itself while a transaction runs
LONGEST_BACKOFF_SECONDS, STOP_SECONDS = 3.0, 9.0
log = logging.getLogger("anjuan.inbox")


class Deliveries(QueueConsumer):  # type: ignore[misc]
    """One connection for all queues of a room, one buffer, one batch at a time.

    Batches go in the order of delivery, so one ack of the last covers all. What is not acked when the
    connection or the process ends comes again.
    """

    prefetch_count = 4 * BATCH

    def __init__(self) -> None:
        super().__init__()
        self._buffer: deque[Any] = deque()
        self._draining = False
        self._stopping = False

    def unregister_provider(self, provider: Any) -> None:
        """As nameko's, but several queues may be given up before the first connection stands."""
        self._stopping = True
        if self._consumers_ready.ready():
            super().unregister_provider(provider)
        elif not self._last_provider_unregistered.ready():
            self._last_provider_unregistered.send()

    @contextmanager
    def establish_connection(self) -> Iterator[Any]:
        """As kombu's, but quick to come back."""
        with self.create_connection() as connection:
            connection.ensure_connection(
                self.on_connection_error, interval_start=0.2, interval_step=0.3, interval_max=2
            )
            yield connection

    def on_connection_error(self, error: BaseException, interval: float) -> None:
        log.warning("broker_gone", extra={"error": str(error), "seconds": interval})

    def get_consumers(self, consumer_class: Any, channel: Any) -> list[Any]:
        """Called after each connection: what the one before delivered comes again."""
        self._buffer.clear()
        for provider in self._providers:
            wanted = consumer_class(queues=[provider.queue], on_message=self._received, auto_declare=False)
            wanted.qos(prefetch_count=self.prefetch_count)
            self._consumers[provider] = wanted
        return list(self._consumers.values())

    def _received(self, message: Any) -> None:
        self._buffer.append(message)
        if not self._draining:
            self._draining = True
            self.container.spawn_managed_thread(self._drain)

    def on_decode_error(self, message: Any, error: Exception) -> None:
        """Bytes that kombu cannot unpack are still bytes: the inbox parks them."""
        self._received(message)

    def _drain(self) -> None:
        try:
            eventlet.sleep(LINGER_SECONDS)
            while self._buffer and not self._stopping:
                batch = [self._buffer.popleft() for _ in range(min(BATCH, len(self._buffer)))]
                if self._commit([_raw(message) for message in batch]):
                    self._ack(batch)
        finally:
            self._draining = False

    def _commit(self, bodies: Sequence[bytes]) -> bool:
        entrypoint = next(iter(self.container.entrypoints))
        backoff = 0.1
        while not self._stopping:
            done = Promise()
            self.container.spawn_worker(entrypoint, (bodies,), {}, handle_result=partial(_report, done))
            if (error := done.wait()) is None:
                return True
            log.warning("batch_waits", extra={"error": type(error).__name__, "seconds": backoff})
            eventlet.sleep(backoff)
            backoff = min(backoff * 2, LONGEST_BACKOFF_SECONDS)
        return False

    def _ack(self, batch: Sequence[Any]) -> None:
        last = {id(message.channel): message for message in batch}
        for message in last.values():
            try:
                if message.channel is not None and message.channel.connection is not None:
                    message.ack(multiple=True)
            except (BrokerConnectionError, OSError) as error:  # they come again and are known
                log.warning("ack_lost", extra={"error": str(error)})


def _raw(message: Any) -> bytes:
    body = message.body
    return body.encode() if isinstance(body, str) else bytes(body)


def _report(done: Promise, worker: Any, result: Any = None, exc_info: Any = None) -> tuple[Any, Any]:
    done.send(exc_info and exc_info[1])
    return result, exc_info


class Inbox(Consumer):  # type: ignore[misc]
    """Entrypoint for one queue; the method gets the bodies of a batch that may span the room's queues."""

    queue_consumer = Deliveries()


def nameko_service(listener: Listener) -> type:
    """The class that nameko runs for a room: one method, an entrypoint for each source."""

    def take(_: object, bodies: Sequence[bytes]) -> None:
        listener.take(bodies)

    for source in listener.room.sources:
        wanted = Queue(topology.queue(listener.room.name, source), no_declare=True)  # type: ignore[no-untyped-call]
        take = Inbox.decorator(wanted, expected_exceptions=(StoreGoneError,))(take)
    return type("Listener", (), {"name": listener.room.name, "take": take})


def run(listeners: Sequence[Listener], settings: Settings) -> None:
    """Consume for several rooms in this (monkey-patched) process until SIGTERM."""
    rooms = [listener for listener in listeners if listener.room.sources]
    runner = ServiceRunner({"AMQP_URI": settings.amqp, "heartbeat": 20, "max_workers": 4})
    for listener in rooms:
        runner.add_service(nameko_service(listener))

    def end() -> None:
        eventlet.spawn_after(STOP_SECONDS, os._exit, 1)
        runner.stop()

    for wanted in (signal.SIGTERM, signal.SIGINT):
        signal.signal(wanted, lambda *_: eventlet.spawn_n(end))
    runner.start()
    _await_end(runner)


def _await_end(runner: ServiceRunner) -> None:
    waiting = eventlet.spawn(runner.wait)
    while True:
        try:
            waiting.wait()
        except InterruptedError:  # the signal itself, seen by the hub's main greenlet
            continue
        return
