"""Jobs are done by children that can be killed; none is lost, none is done for ever in vain."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import psutil
import pytest
from sqlalchemy import text

from services.kit import clock, jobs
from services.kit.testing import until
from services.kit.tests.house import House, terminate
from services.kit.tests.rooms import GATE, RIGHT

pytestmark = pytest.mark.integration


@contextmanager
def working(house: House, idle_seconds: float = 60.0, job_seconds: float = 20.0) -> Iterator[jobs.Worker]:
    stop = threading.Event()
    worker = jobs.Worker(replace(RIGHT, job_seconds=job_seconds), house.settings, idle_seconds)
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    try:
        yield worker
    finally:
        stop.set()
        thread.join(15)
    assert not thread.is_alive()


def put(house: House, run_at: Any = None, **payload: Any) -> str:
    with house.unit("right") as uow:
        return jobs.add(uow, "work", payload, run_at)


def state(house: House, job_id: str) -> Any:
    with house.engine("right").begin() as connection:
        return connection.execute(text("select * from jobs where job_id = :id"), {"id": job_id}).one()


def tried(house: House, job_id: str, attempts: int) -> bool:
    return bool(state(house, job_id).attempts == attempts)


def worked(house: House) -> list[int]:
    """The children's pids, one for each piece of work."""
    with house.engine("right").begin() as connection:
        return list(connection.execute(text(
            "select (detail->>'pid')::int from audit where action = 'worked' order by position"
        )).scalars())  # fmt: skip


def again_at_once(house: House) -> None:
    house.ask("right", "with x as (update jobs set run_at = now() where done_at is null returning 1) select 1")


def test_jobs_are_done_by_one_child_that_ends_when_idle(house: House) -> None:
    with working(house, idle_seconds=0.5) as worker:
        ids = [put(house, name=str(n)) for n in range(3)]
        until(lambda: all(state(house, job).done_at for job in ids), 90, "three jobs done")
        (pid,) = set(worked(house))
        until(lambda: not psutil.pid_exists(pid), 10, "the idle child has ended")
        put(house)
        until(lambda: len(worked(house)) == 4, 90, "the next job has a new child")
        assert worked(house)[3] != pid
        assert worker.room.jobs


def test_a_job_for_later_waits_and_one_of_another_kind_is_left_alone(house: House) -> None:
    with house.unit("right") as uow:
        other = jobs.add(uow, "other", {})
    later = put(house, clock.now() + timedelta(hours=1))
    with working(house):
        now = put(house)
        until(lambda: state(house, now).done_at, 90, "what is due is done")
    assert state(house, later).done_at is None
    assert state(house, other).lease_until is None


def test_a_failing_job_is_tried_again_and_then_parked(house: House) -> None:
    with working(house):
        bad = put(house, fails=True)
        for attempt in range(1, jobs.ATTEMPTS + 1):
            until(partial(tried, house, bad, attempt), 90, f"attempt {attempt}")
            again_at_once(house)
    found = state(house, bad)
    assert found.parked_at is not None
    assert found.error == "ValueError: this job is poison"


def test_a_child_that_dies_takes_nobody_with_it(house: House) -> None:
    with working(house):
        bad = put(house, dies=True)
        until(lambda: state(house, bad).attempts == 1, 90, "the death is noted")
        good = put(house)
        until(lambda: state(house, good).done_at, 90, "the next job is done")
    assert state(house, bad).error == "the child process died"


def test_a_job_that_takes_too_long_is_killed(house: House) -> None:
    with house.engine("right").connect() as gate, working(house, job_seconds=4.0):
        gate.execute(text("select pg_advisory_lock(:gate)"), {"gate": GATE})
        stuck = put(house, gate=True)
        until(lambda: state(house, stuck).attempts == 1, 90, "it was killed")
    assert state(house, stuck).error.startswith("killed after")
    assert worked(house) == []


def test_when_the_worker_is_killed_another_takes_the_job(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with house.engine("right").connect() as gate:
        gate.execute(text("select pg_advisory_lock(:gate)"), {"gate": GATE})
        job = put(house, gate=True)
        first = house.start("right", "work")
        until(house.at_gate, 90, "the first has begun")
        children = psutil.Process(first.pid).children(recursive=True)
        terminate(first)
        until(lambda: not any(child.is_running() for child in children), 10, "its child is gone with it")
        house.ask("right", "with x as (update jobs set lease_until = now() returning 1) select 1")
        gate.execute(text("select pg_advisory_unlock(:gate)"), {"gate": GATE})
        with working(house):
            until(lambda: state(house, job).done_at, 90, "another has done it")


def test_asked_to_end_it_gives_the_job_back(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "STOP_SECONDS", 0.5)
    with house.engine("right").connect() as gate:
        gate.execute(text("select pg_advisory_lock(:gate)"), {"gate": GATE})
        with working(house):
            job = put(house, gate=True)
            until(house.at_gate, 90, "it has begun")
    found = state(house, job)
    assert (found.lease_until, found.attempts, found.done_at) == (None, 0, None)


def test_database_restarted_while_a_job_runs(house: House) -> None:
    with working(house):
        put(house)
        until(lambda: worked(house), 90, "it works")
        house.rig.postgres.restart()
        house.engine("right").dispose()
        job = put(house)
        until(lambda: state(house, job).done_at, 90, "it works again")
