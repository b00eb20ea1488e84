"""Exchanges and queues of the whole house, generated from what each room listens to; only `migrate` declares them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

import pika
from pika.adapters.blocking_connection import BlockingChannel

UNROUTED = "unrouted"
UNROUTED_QUEUE = "unrouted.v1"
# Nobody reads these; the outbox still has them, so the oldest may go.
_UNROUTED_ARGUMENTS = {"x-queue-type": "quorum", "x-max-length": 10_000, "x-overflow": "drop-head"}
# Newer brokers drop a message after 20 deliveries unless told otherwise; the inbox alone may park.
_LISTENER_ARGUMENTS = {"x-queue-type": "quorum", "x-delivery-limit": 1_000_000}


def exchange(source: str) -> str:
    """Where a room's events go out; the routing key is the event's type."""
    return f"{source}.events"


def queue(room: str, source: str) -> str:
    """Where a room listens to one source. The version changes with the queue's arguments, which cannot."""
    return f"{room}.from.{source}.v1"


@dataclass(frozen=True)
class Topology:
    """Sources, and (room, source) for each queue."""

    sources: tuple[str, ...]
    listeners: tuple[tuple[str, str], ...]


def generate(rooms: Mapping[str, Iterable[str]]) -> Topology:
    """From the sources each room listens to."""
    listeners = sorted((room, source) for room, sources in rooms.items() for source in sources)
    sources = sorted({*rooms, *(source for _, source in listeners)})
    return Topology(tuple(sources), tuple(listeners))


def declare(amqp: str, topology: Topology) -> None:
    """Make what is missing; harmless when repeated.

    Raises:
        pika.exceptions.AMQPError: no broker, or a queue of that name with other arguments.
    """
    with closing(pika.BlockingConnection(pika.URLParameters(amqp))) as connection:
        channel = connection.channel()
        channel.exchange_declare(UNROUTED, "fanout", durable=True)
        channel.queue_declare(UNROUTED_QUEUE, durable=True, arguments=_UNROUTED_ARGUMENTS)
        channel.queue_bind(UNROUTED_QUEUE, UNROUTED)
        for source in topology.sources:
            arguments = {"alternate-exchange": UNROUTED}
            channel.exchange_declare(exchange(source), "topic", durable=True, arguments=arguments)
        _declare_queues(channel, topology.listeners)


def _declare_queues(channel: BlockingChannel, listeners: Sequence[tuple[str, str]]) -> None:
    for room, source in listeners:
        channel.queue_declare(queue(room, source), durable=True, arguments=_LISTENER_ARGUMENTS)
        channel.queue_bind(queue(room, source), exchange(source), routing_key="#")
