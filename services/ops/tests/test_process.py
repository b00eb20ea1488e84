"""Processes are known by pid and start; what is not ours is never touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from services.ops.keeper import LONGEST, SHORTEST, STEADY, Life
from services.ops.rig import process
from services.ops.rig.place import Place, write_json
from services.ops.rig.process import Command
from services.ops.rig.wait import TooLateError, until

SLEEPER = "import time; print('up', flush=True); time.sleep(600)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
PARENT = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEPER!r}]).wait()"


def _command(script: str, grace_seconds: float = 20) -> Command:
    return Command("sleeper", (sys.executable, "-c", script), dict(os.environ), Path("/"), grace_seconds=grace_seconds)


def _started(place: Place, script: str, grace_seconds: float = 20) -> int:
    pid = process.start(place, _command(script, grace_seconds))
    until(lambda: "up" in process.tail(place, "sleeper"), 20, "sleeper")
    return pid


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place.at(tmp_path)


def test_stop_asks_and_forgets(place: Place) -> None:
    pid = _started(place, SLEEPER)
    assert process.pid_of(place, "sleeper") == pid
    process.stop(place, "sleeper")
    assert process.started_at(pid) is None
    assert not list(place.run.iterdir())
    process.stop(place, "sleeper")


def test_stop_kills_what_does_not_listen(place: Place) -> None:
    pid = _started(place, DEAF)
    process.stop(place, "sleeper", grace_seconds=0.2)
    assert process.started_at(pid) is None


def test_a_killing_is_over_although_the_next_one_runs_already(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    first, send = _started(place, SLEEPER), process.send

    def sent(at: Place, name: str, what: signal.Signals) -> bool:
        """As a keeper that is quicker than who waits for the death."""
        done = send(at, name, what)
        until(lambda: process.started_at(first) is None, 20, "its death")
        process.start(at, _command(SLEEPER))
        return done

    monkeypatch.setattr(process, "send", sent)
    process.kill(place, "sleeper")
    monkeypatch.undo()
    assert process.pid_of(place, "sleeper") not in (None, first)
    process.stop(place, "sleeper")


def test_a_pid_that_another_process_has_now_is_not_ours(place: Place) -> None:
    with subprocess.Popen([sys.executable, "-c", SLEEPER]) as stranger:
        write_json(place.run / "sleeper.pid", {"pid": stranger.pid, "started": "another boot:1"})
        assert process.pid_of(place, "sleeper") is None
        assert not process.send(place, "sleeper", signal.SIGKILL)
        process.stop(place, "sleeper")
        assert stranger.poll() is None
        stranger.kill()


def test_children_of_a_killed_leader_end_before_the_next_start(place: Place) -> None:
    pid = _started(place, PARENT)
    (child,) = psutil.Process(pid).children()
    process.kill(place, "sleeper")
    assert process.started_at(child.pid) is not None
    (place.logs / "sleeper.log").unlink()
    _started(place, SLEEPER)
    until(lambda: process.started_at(child.pid) is None, 10, "child")
    process.stop(place, "sleeper")


def test_a_large_log_is_put_aside(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "LARGEST_LOG", 10)
    (place.logs / "sleeper.log").write_text("older output")
    _started(place, SLEEPER)
    process.stop(place, "sleeper")
    assert (place.logs / "sleeper.log.1").read_text() == "older output"


def test_waiting_ends(place: Place) -> None:
    with pytest.raises(TooLateError, match=r"0\.1 秒仍未就绪：nothing"):
        until(lambda: False, 0.1, "nothing")


def test_the_pause_before_a_restart_grows_and_a_steady_part_is_forgiven() -> None:
    life, pauses = Life(), []
    for start in range(0, 60, 10):
        life.started = start
        life.dies(start + 1)
        pauses.append(life.pause)
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST
    life.started = 100
    life.dies(100 + STEADY + 1)
    assert life.pause == SHORTEST
    due = life.due
    life.dies(900)
    assert life.due == due
