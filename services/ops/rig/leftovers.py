"""What a test session leaves behind when it ends: nothing may, or the next one meets its ports and its load."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

import psutil

from services.ops.rig import session

MARK = "TEST_SESSION"  # in the environment of whatever the session starts; not ANJUAN_…, which for_process replaces
GRACE_SECONDS = 10.0
_OF_PYTHON = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")  # they end with us


def mark() -> None:
    """Call it when the session starts."""
    os.environ[MARK] = f"{os.getpid()}:{psutil.Process().create_time()}"


def running() -> list[psutil.Process]:
    """Processes that this session started, itself or through others, and that still run."""
    heirs = set(psutil.Process().children(recursive=True))
    return [one for one in psutil.process_iter() if one.pid != os.getpid() and _ours(one, heirs)]


def _ours(one: psutil.Process, heirs: set[psutil.Process]) -> bool:
    try:
        line = " ".join(one.cmdline())
        if one.status() == psutil.STATUS_ZOMBIE or any(name in line for name in _OF_PYTHON):
            return False
        return one in heirs or _shows_us(line, one.environ())
    except (psutil.NoSuchProcess, psutil.AccessDenied):  # gone, or another user's
        return False


def _shows_us(line: str, environment: dict[str, str]) -> bool:
    places = [str(place) for place in session.MADE]
    return environment.get(MARK) == os.environ.get(MARK, "-") or any(
        place in line or place in environment.get("HOME", "") for place in places
    )


def lasting() -> list[psutil.Process]:
    """Those that do not end by themselves within a short grace."""
    psutil.wait_procs(running(), GRACE_SECONDS)
    return running()


def end(found: Iterable[psutil.Process]) -> Iterator[str]:
    """Kill them; tells each by name."""
    for one in found:
        try:
            told = f"{one.pid} {' '.join(one.cmdline())[:200]}"
            one.kill()
        except psutil.NoSuchProcess:
            continue
        yield told
