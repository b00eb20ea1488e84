"""Batches of messages to the broker, each confirmed: one connection, one thread, pika's event loop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import pika
from pika.adapters.select_connection import SelectConnection

OPEN_SECONDS = 15.0
CONFIRM_SECONDS = 30.0


class BrokerGoneError(ConnectionError):
    """The broker does not answer, or closed the connection before it confirmed; send again."""


@dataclass(frozen=True)
class Message:
    """One event as it goes out; with exchange "" the routing key is a queue."""

    exchange: str
    routing_key: str
    body: bytes
    event_id: str
    headers: Mapping[str, Any]

    def properties(self) -> pika.BasicProperties:
        """Persistent JSON; stock nameko listeners want the call id stack."""
        headers = {"nameko.call_id_stack": [self.event_id], **self.headers}
        return pika.BasicProperties(
            content_type="application/json", content_encoding="utf-8", delivery_mode=2, message_id=self.event_id,
            headers=headers,
        )  # fmt: skip


def _fail(future: Future[Any] | None, error: BaseException) -> None:
    if future is not None:
        with suppress(InvalidStateError):  # it had its answer already
            future.set_exception(error)


class Publisher:
    """An open connection that publishes batch after batch; of no more use after BrokerGoneError."""

    def __init__(self, amqp: str) -> None:
        self._amqp = amqp
        self._opened: Future[None] = Future()
        self._answer: Future[int] | None = None
        self._gone: BrokerGoneError | None = None
        self._guard = threading.Lock()
        self._tag = 0
        self._open: dict[int, int] = {}  # delivery tag -> index in the batch
        self._index: dict[str, int] = {}  # event id -> index in the batch
        self._first_failed = 0
        self._closed = False
        self._connection: Any = None
        self._channel: Any = None
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
        self._thread.start()
        try:
            self._await(self._opened, OPEN_SECONDS)
        except BrokerGoneError:
            self.close()
            raise

    def _await(self, future: Future[Any], seconds: float) -> Any:
        try:
            return future.result(seconds)
        except TimeoutError as error:
            raise BrokerGoneError(f"no answer from the broker within {seconds:g} s") from error

    def publish(self, messages: Sequence[Message]) -> int:
        """How many of them, from the first on, the broker has taken over.

        Fewer than all: the next one was refused or could not be routed; those after it may have been
        taken or not and have to be sent again after it.

        Raises:
            BrokerGoneError: nothing is known of any of them.
        """
        if not messages:
            return 0
        answer: Future[int] = Future()
        with self._guard:
            self._answer = answer
            self._soon(partial(self._send, messages))
        return int(self._await(answer, CONFIRM_SECONDS))

    def close(self) -> None:
        """Harmless when repeated."""
        with self._guard, suppress(BrokerGoneError):
            self._soon(self._end)
        self._thread.join(5)

    def _soon(self, action: Callable[[], None]) -> None:
        if self._gone or self._closed:
            raise self._gone or BrokerGoneError("closed")
        if self._connection is None:
            raise BrokerGoneError("not open")
        self._connection.ioloop.add_callback_threadsafe(action)

    # What follows runs in the loop's thread.
    def _run(self) -> None:
        wanted = pika.URLParameters(self._amqp)
        wanted.heartbeat, wanted.socket_timeout, wanted.stack_timeout = 20, 5, 10
        self._connection = SelectConnection(wanted, on_open_callback=self._on_open,
            on_open_error_callback=self._on_gone, on_close_callback=self._on_gone)  # fmt: skip
        self._connection.ioloop.start()
        with self._guard:
            self._closed = True
            self._connection.ioloop.close()

    def _end(self) -> None:
        if self._connection.is_open:
            self._connection.close()

    def _on_open(self, connection: Any) -> None:
        connection.channel(on_open_callback=self._on_channel)

    def _on_channel(self, channel: Any) -> None:
        self._channel = channel
        channel.add_on_close_callback(self._on_channel_closed)
        channel.add_on_return_callback(self._on_return)
        channel.confirm_delivery(self._on_confirm, callback=lambda _: self._opened.set_result(None))

    def _on_channel_closed(self, _: Any, reason: BaseException) -> None:
        self._fail_all(reason)
        self._end()

    def _on_gone(self, connection: Any, reason: BaseException) -> None:
        self._fail_all(reason)
        connection.ioloop.stop()

    def _fail_all(self, reason: BaseException) -> None:
        with self._guard:
            self._gone = self._gone or BrokerGoneError(f"{type(reason).__name__}: {reason}")
            _fail(self._answer, self._gone)
            _fail(self._opened, self._gone)

    def _send(self, messages: Sequence[Message]) -> None:
        if self._gone:
            return
        self._first_failed = len(messages)
        self._index = {message.event_id: index for index, message in enumerate(messages)}
        self._open = {self._tag + 1 + index: index for index in range(len(messages))}
        self._tag += len(messages)
        for message in messages:
            self._channel.basic_publish(
                message.exchange, message.routing_key, message.body, message.properties(), mandatory=True
            )

    def _on_return(self, _: Any, __: Any, properties: pika.BasicProperties, ___: bytes) -> None:
        index = self._index.get(str(properties.message_id))
        if index is not None:
            self._first_failed = min(self._first_failed, index)

    def _on_confirm(self, frame: Any) -> None:
        tag, refused = frame.method.delivery_tag, isinstance(frame.method, pika.spec.Basic.Nack)
        tags = [t for t in self._open if t <= tag] if frame.method.multiple else [tag]
        for index in (self._open.pop(t) for t in tags if t in self._open):
            if refused:
                self._first_failed = min(self._first_failed, index)
        if not self._open and self._answer and not self._answer.done():
            self._answer.set_result(self._first_failed)
