"""kill -9 of the worker and its child in the middle of binding: one volume, one answer, no page lost."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import pytest

from services.archive.__main__ import ROOM
from services.archive.tests.scene import Scene
from services.archive.tests.test_bind import ready
from services.archive.usecases.binding import BIND
from services.kit import jobs
from services.kit.jobs import Worker
from services.kit.testing import until


@contextmanager
def working(scene: Scene) -> Iterator[Worker]:
    """A worker that binds, and nothing else."""
    worker, stop = Worker(replace(ROOM, jobs={BIND: ROOM.jobs[BIND]}), scene.host.settings), threading.Event()
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    try:
        yield worker
    finally:
        stop.set()
        thread.join()


def _gone(worker: Worker, pid: int) -> bool:
    return worker.child.pid != pid


def test_a_binding_that_is_killed_ends_in_one_volume(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "LEASE_SECONDS", 3)
    said = [f"第{n}页的文字" for n in range(12)]
    case_id = ready(scene, *said)
    effect_id = scene.asks(case_id, "bind_volume", {"volume": "main"})
    with working(scene) as worker:
        for _ in range(2):
            until(lambda: scene.ask("select 1 from volumes where state = 'binding'"), 30, "the pages are frozen")
            pid = int(until(lambda: worker.child.pid, 30, "a child works") or 0)
            assert scene.answer(effect_id) == {}
            os.kill(pid, signal.SIGKILL)
            until(partial(_gone, worker, pid), 30, "the child is gone")
        answer = until(lambda: scene.answer(effect_id), 60, "the volume is bound")
    assert answer["pages"] == len(said)
    assert scene.ask("select count(*) from volumes") == 1
    assert len(scene.told("VolumeBound", case_id)) == 1
    assert len(scene.told("EffectDone", effect_id)) == 1
    numbers = scene.ask("select array_agg(page_number order by page_number) from pages where volume_id <> ''")
    assert numbers == list(range(1, len(said) + 1))
