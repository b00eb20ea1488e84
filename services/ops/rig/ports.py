"""Free ports, chosen once per data folder and kept, so that two checkouts run side by side."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterable

from services.ops.rig.place import Place, read_json, write_json

# Below the range from which the kernel takes the ports of outgoing connections.
FIRST, LAST = 20_000, 32_000
WISHES = {"gateway": 8480}


def is_free(port: int) -> bool:
    """Can a server listen there now?"""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def listens(port: int) -> bool:
    """Does somebody accept connections there?"""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _choose(name: str, taken: set[int], wishes: bool) -> int:
    draw = random.SystemRandom()
    while True:
        wish = WISHES.get(name) if wishes else None
        port = wish if wish and wish not in taken and is_free(wish) else draw.randrange(FIRST, LAST)
        if port not in taken and is_free(port):
            return port


def assign(place: Place, names: Iterable[str], renew: bool = False, wishes: bool = True) -> dict[str, int]:
    """Port by name; `renew` (nothing of ours runs) replaces those that others have taken meanwhile."""
    known: dict[str, int] = read_json(place.data / "ports.json") or {}
    kept = {name: port for name, port in known.items() if not renew or is_free(port)}
    for name in names:
        if name not in kept:
            kept[name] = _choose(name, set(kept.values()), wishes)
    if kept != known:
        write_json(place.data / "ports.json", kept)
    return kept
