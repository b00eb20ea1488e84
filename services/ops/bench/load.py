"""Requests as fast as a number of connections takes them: plain HTTP/1.1 over asyncio, a tenth of a client's cost."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import uvloop

from services.kit import clock


@dataclass(frozen=True)
class Request:
    """One POST of JSON, or a GET without a body, in somebody's name."""

    path: str
    token: str
    body: Any = None

    def bytes(self, host: str) -> bytes:
        """As it goes over the line."""
        verb, content = ("GET", b"") if self.body is None else ("POST", json.dumps(self.body).encode())
        lines = [
            f"{verb} {self.path} HTTP/1.1", f"Host: {host}", f"Authorization: Bearer {self.token}",
            "Content-Type: application/json", f"Content-Length: {len(content)}",
            f"Idempotency-Key: {clock.new_id()}", "", "",
        ]  # fmt: skip
        return "\r\n".join(lines).encode() + content


@dataclass
class Outcome:
    """What became of the requests; latencies in seconds."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    refusals: list[str] = field(default_factory=list)

    @property
    def good(self) -> int:
        return sum(number for status, number in self.statuses.items() if status < 400)

    @property
    def rate(self) -> float:
        """Good answers a second.

        Raises:
            RuntimeError: there was no good answer, or more than one in a hundred was refused.
        """
        refused = sum(self.statuses.values()) - self.good
        if not self.good or refused > self.good // 100:
            raise RuntimeError(f"refused: {dict(self.statuses)} {self.refusals[:3]}")
        return self.good / self.seconds


def send(address: str, connections: int, requests: Iterator[Request], seconds: float = 3600.0,
         per_second: float = 0.0) -> Outcome:  # fmt: skip
    """Until the requests or the time end; `per_second` paces all connections together, 0 does not."""
    return uvloop.run(_send(address.removeprefix("http://"), connections, requests, seconds, per_second))


async def _send(host: str, connections: int, requests: Iterator[Request], seconds: float, pace: float) -> Outcome:
    outcome, began = Outcome(), clock.monotonic()
    slots = _slots(began, seconds, pace)
    lanes = [asyncio.create_task(_lane(host, requests, slots, outcome)) for _ in range(connections)]
    await asyncio.gather(*lanes)
    outcome.seconds = clock.monotonic() - began
    return outcome


def _slots(began: float, seconds: float, pace: float) -> Iterator[float]:
    """When each request may go."""
    number = 0
    while clock.monotonic() - began < seconds and (not pace or number / pace < seconds):
        yield began + number / pace if pace else 0.0
        number += 1


async def _lane(host: str, requests: Iterator[Request], slots: Iterator[float], outcome: Outcome) -> None:
    name, _, port = host.partition(":")
    reader, writer = await asyncio.open_connection(name, int(port))
    for slot, request in zip(slots, requests, strict=False):
        if (early := slot - clock.monotonic()) > 0:
            await asyncio.sleep(early)
        began = clock.monotonic()
        writer.write(request.bytes(host))
        status, body = await _answer(reader)
        outcome.latencies.append(clock.monotonic() - began)
        outcome.statuses[status] += 1
        if status >= 400:
            outcome.refusals.append(body.decode(errors="replace")[:300])
    writer.close()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    length = next((int(line.split(":")[1]) for line in lines if line.lower().startswith("content-length:")), 0)
    return int(lines[0].split()[1]), await reader.readexactly(length)
