"""The platform after its first set-up: how soon it answers, and what it keeps resident when nothing happens."""

from __future__ import annotations

from threading import Event

from services.kit import clock
from services.ops import lifecycle
from services.ops.bench.figures import Figure
from services.ops.bench.ground import Ground
from services.ops.status import status


def measure(ground: Ground) -> list[Figure]:
    """Seconds until every part answers; megabytes at rest, shared pages counted once."""
    ready = [_restarted(ground) for _ in range(ground.runs)]
    ground.settle()
    Event().wait(ground.size(15.0, 2.0))
    seen = status(ground.platform)
    parts = "、".join(f"{part['name']} {part['resident_mb']}" for part in seen["parts"])
    return [
        Figure("ready after", "s", tuple(ready), at_most=20),
        Figure("resident at rest", "MB", (float(seen["resident_mb"]),), at_most=1_200, note=parts),
    ]


def _restarted(ground: Ground) -> float:
    installation = ground.platform
    lifecycle.down(installation.place.data)
    began = clock.monotonic()
    lifecycle.up(installation.place.data, installation.profile)
    return clock.monotonic() - began
