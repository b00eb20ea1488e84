"""Queues are generated from what rooms listen to, and nothing that is published gets lost."""

from __future__ import annotations

import pika
import pytest

from services.kit import topology
from services.kit.tests.house import House


def test_one_queue_for_each_room_and_source() -> None:
    found = topology.generate({"search": ("intake", "archive"), "intake": (), "notices": ("intake",)})
    assert found.sources == ("archive", "intake", "notices", "search")
    assert [topology.queue(*listener) for listener in found.listeners] == [
        "notices.from.intake.v1", "search.from.archive.v1", "search.from.intake.v1",
    ]  # fmt: skip


@pytest.mark.integration
def test_what_nobody_listens_to_is_collected(house: House) -> None:
    channel = house.channel()
    channel.confirm_delivery()
    channel.queue_unbind("right.from.left.v1", "left.events", routing_key="#")
    channel.basic_publish("left.events", "Anything", b"lost?", mandatory=True)
    channel.connection.close()
    assert house.depth(topology.UNROUTED_QUEUE) == 1
    assert house.depth("right.from.left.v1") == 0


@pytest.mark.integration
def test_a_queue_with_other_arguments_is_refused_loudly(house: House) -> None:
    channel = house.channel()
    channel.queue_delete("right.from.left.v1")
    channel.queue_declare("right.from.left.v1", durable=True)
    wanted = topology.generate({"left": (), "right": ("left",)})
    with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="x-queue-type"):
        topology.declare(house.settings.amqp, wanted)
    channel.connection.close()
