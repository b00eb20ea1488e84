"""Whole streams from their first event, once more, to one listener's queue."""

from __future__ import annotations

from pathlib import Path

from anjuan.kit.v1 import operations_pb2 as pb
from services.kit import topology
from services.ops.doors import doors
from services.ops.lifecycle import RefusedError


def replay(data: Path, json: bool, source: str, listener: str, stream: str = "") -> tuple[str, int]:
    """The queue, and how many events it was sent. Refuses a listener that does not listen to the source."""
    with doors(data, json) as ways:
        heard = ways.ask(listener, "GetBalance", pb.GetBalanceRequest()).applied_by_source
        if source not in heard:
            raise RefusedError(f"{listener} 不接收 {source} 的事件；它接收：{'、'.join(sorted(heard)) or '无'}")
        queue = topology.queue(listener, source)
        asked = pb.ReplayRequest(queue=queue, aggregate_id=stream)
        return queue, int(ways.ask(source, "Replay", asked).events)
