"""Scan batches by resumable upload (tus) through the gateway against the same bytes put into the same object store.

Ours is counted until the gateway has answered for the last chunk: every chunk is durable then and its session can be
continued by any process; assembling follows in a worker and is given apart.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from services.kit import clock
from services.kit.objects import open_store
from services.ops.bench.figures import Figure, ratio
from services.ops.bench.ground import Ground

LANES = 4
MEGABYTE = 1024 * 1024


def measure(ground: Ground) -> list[Figure]:
    """Megabytes a second."""
    files, size = ground.size(16, 4), ground.size(16, 2) * MEGABYTE
    ours, stored, raw = [], [], []
    _uploaded(ground, [os.urandom(MEGABYTE)])  # people and first connections are not what is measured
    ground.settle()
    for _ in range(ground.runs):
        pile = [os.urandom(size) for _ in range(files)]
        whole = files * size / MEGABYTE
        began = clock.monotonic()
        _uploaded(ground, pile)
        ours.append(whole / (clock.monotonic() - began))
        ground.settle()
        stored.append(whole / (clock.monotonic() - began))
        raw.append(whole / _put(ground, pile))
    return [
        Figure("through the gateway, acknowledged", "MB/s", tuple(ours)),
        Figure("through the gateway, assembled and checked", "MB/s", tuple(stored)),
        Figure("put into the store by hand", "MB/s", tuple(raw), note=ground.settings.objects.partition(":")[0]),
        ratio("acknowledged to put by hand", ours, raw, at_least=0.3),
    ]


def _uploaded(ground: Ground, pile: Sequence[bytes]) -> None:
    officers = ground.crowd.officers
    with ThreadPoolExecutor(LANES) as lanes:
        sent = [
            lanes.submit(officer.voice.upload, f"{n}.pdf", data, "application/pdf", officer.body_id)
            for n, data in enumerate(pile) for officer in [officers[n % len(officers)]]
        ]  # fmt: skip
        for one in sent:
            one.result()


def _put(ground: Ground, pile: Sequence[bytes]) -> float:
    store, began = open_store(ground.settings.objects), clock.monotonic()
    with ThreadPoolExecutor(LANES) as lanes:
        named = {f"bench/{hashlib.sha256(data).hexdigest()}": data for data in pile}
        put = [lanes.submit(store.put, key, io.BytesIO(data), len(data)) for key, data in named.items()]
        for done in put:
            done.result()
    seconds = clock.monotonic() - began
    for key in named:
        store.delete(key)
    return seconds
