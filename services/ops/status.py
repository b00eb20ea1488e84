"""What runs, where, how large, how well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psutil

from services.ops.installation import Installation
from services.ops.keeper import STATE
from services.ops.lifecycle import held_rooms
from services.ops.rig import process
from services.ops.rig.part import Part
from services.ops.rig.place import read_json
from services.ops.rig.web import complaints

MEGABYTE = 1024 * 1024
_NONE: Mapping[str, int] = {}


def resident_mb(pid: int, children: bool = True) -> int:
    """Memory of a process and its children in MB; pages they share count once where the kernel tells."""
    total = 0
    try:
        tree = [psutil.Process(pid), *(psutil.Process(pid).children(recursive=True) if children else [])]
    except psutil.NoSuchProcess:
        return 0
    for one in tree:
        try:
            total += one.memory_full_info().pss
        except psutil.AccessDenied:
            total += one.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return round(total / MEGABYTE)


def part_status(installation: Installation, part: Part, restarts: Mapping[str, int] = _NONE) -> dict[str, Any]:
    """One part: its process, memory and health."""
    pid, port = process.pid_of(installation.place, part.name), getattr(part, "port", 0)
    healthy = pid is not None and part.ready()
    held = installation.place.hold(part.name).exists()
    lacking = complaints(port, "/healthz") if pid and not healthy and part in installation.programs() else []
    return {
        "name": part.name,
        "running": pid is not None,
        "pid": pid,
        "port": port,
        "resident_mb": resident_mb(pid) if pid else 0,
        "restarts": restarts.get(part.name, 0),
        "healthy": healthy,
        "held": held,
        "lacking": lacking,
    }


def status(installation: Installation) -> dict[str, Any]:
    """Every part, and the whole."""
    place = installation.place
    state = read_json(place.run / STATE) or {"phase": "down", "restarts": {}}
    parts = [part_status(installation, part, state["restarts"]) for part in installation.parts()]
    keepers = [pid for name in ("keeper", "guard") if (pid := process.pid_of(place, name))]
    return {
        "data": str(place.data),
        "profile": installation.profile,
        "scripted": installation.scripted,
        "phase": state["phase"],
        "address": installation.address,
        "healthy": all(part["healthy"] for part in parts),
        "kept": len(keepers) == 2,
        "rooms": {room: room not in held_rooms(place) for room in installation.rooms},
        "resident_mb": sum([part["resident_mb"] for part in parts] + [resident_mb(pid, False) for pid in keepers]),
        "parts": parts,
    }
