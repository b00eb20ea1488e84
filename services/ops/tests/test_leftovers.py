"""A process that outlives its test session is found and ended, however it was started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from services.ops.rig import leftovers, session

# a child that starts another in a session of its own and dies: nobody's heir, like what a keeper started
ORPHAN = """
import os, subprocess as s, sys
env = dict(os.environ) if sys.argv[1] == "environment" else {"PATH": os.environ["PATH"]}
print(s.Popen(["cat", *sys.argv[2:]], stdin=0, stdout=s.DEVNULL, stderr=s.DEVNULL, env=env, start_new_session=True).pid)
"""


@pytest.fixture
def pipe() -> Iterator[int]:
    """What `cat` waits for."""
    read, write = os.pipe()
    yield read
    os.close(read)
    os.close(write)


def orphan(pipe: int, known_by: str, *words: str) -> int:
    """Pid of a process whose parent is gone."""
    argv = [sys.executable, "-c", ORPHAN, known_by, *words]
    return int(subprocess.run(argv, stdin=pipe, capture_output=True, text=True, check=True).stdout)


@pytest.mark.parametrize("known_by", ["environment", "folder"])
def test_an_orphan_is_found_and_ended(
    pipe: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known_by: str
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    monkeypatch.setattr(session, "MADE", [tmp_path] if known_by == "folder" else [])
    pid = orphan(pipe, known_by, *([str(fifo)] if known_by == "folder" else []))
    try:
        (found,) = [one for one in leftovers.running() if one.pid == pid]
        assert [told.split(" ")[:2] for told in leftovers.end([found])] == [[str(pid), "cat"]]
        psutil.wait_procs([found], 10)
        assert pid not in [one.pid for one in leftovers.running()]
    finally:
        if psutil.pid_exists(pid):
            os.kill(pid, signal.SIGKILL)
