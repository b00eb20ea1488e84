"""Longer work: rows in `jobs`, leased, done in killable children, tried again, at last parked."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing.connection import Connection as Pipe
from multiprocessing.context import SpawnProcess
from typing import TYPE_CHECKING, Any

import psycopg
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError

from services.kit import clock, logs, schema
from services.kit.database import UnitOfWork, open_engine
from services.kit.errors import outage
from services.kit.health import JOBS, PARKED
from services.kit.objects import open_store
from services.kit.relay import await_word, listening

if TYPE_CHECKING:
    from services.kit.run import Room
    from services.kit.settings import Settings

ATTEMPTS = 5
LEASE_SECONDS, RENEW_SECONDS = 20, 5.0
IDLE_SECONDS = 60.0
LONGEST_DELAY_SECONDS = 300.0
STOP_SECONDS = 6.0
log = logging.getLogger("anjuan.jobs")

_LEASE = text("""
    update jobs set lease_until = clock_timestamp() + make_interval(secs => :seconds) where job_id = (
        select job_id from jobs where done_at is null and parked_at is null and run_at <= clock_timestamp()
        and (lease_until is null or lease_until < clock_timestamp()) and kind = any(:kinds)
        order by run_at limit 1 for update skip locked)
    returning job_id, kind, payload, attempts, lease_until""")
_RENEW = text("""
    update jobs set lease_until = clock_timestamp() + make_interval(secs => :seconds)
    where job_id = :id and lease_until = :held returning lease_until""")
_DONE = text("update jobs set done_at = clock_timestamp(), lease_until = null where job_id = :id")
_GIVE_BACK = text("update jobs set lease_until = null where job_id = :id and lease_until = :held")
_FAILED = text("""
    update jobs set attempts = :attempts, error = :error, lease_until = null, run_at = :run_at, parked_at = :parked_at
    where job_id = :id and lease_until = :held""")


def add(uow: UnitOfWork, kind: str, payload: Mapping[str, Any], run_at: datetime | None = None) -> str:
    """Put work off into this transaction's future; returns the job's id. It may be done more than once."""
    job_id = clock.new_id()
    row = {"job_id": job_id, "kind": kind, "payload": dict(payload), "run_at": run_at or clock.now()}
    uow.connection.execute(insert(schema.jobs).values(row))
    uow.waking.add("jobs")
    return job_id


@dataclass(frozen=True)
class Task:
    """What a child needs to do jobs of one room; travels by pickle, so its functions lie at module level."""

    name: str
    unit: Any
    work: Mapping[str, Any]
    settings: Settings


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended; `error` empty: done. `passing`: not the job's fault, try for ever."""

    error: str = ""
    passing: bool = False


def _child(task: Task, pipe: Pipe) -> None:
    from services.kit.run import Host  # run imports this module

    os.setsid()  # whatever it starts goes with it
    logs.configure(f"{task.name}-job")
    threading.Thread(target=_die_with_parent, daemon=True).start()
    engine = open_engine(task.settings, task.name, pool=2)
    host = Host(task.name, task.settings, engine, open_store(task.settings.objects), task.unit)
    while True:
        try:
            kind, payload = pipe.recv()
        except EOFError:
            return
        try:
            task.work[kind](host, payload)
            pipe.send(Outcome())
        except Exception as error:
            said, passing = f"{type(error).__name__}: {error}"[:2000], bool(outage(error))
            if passing:  # an outage is not the job's fault
                log.warning("job_waits", extra={"room": task.name, "kind": kind, "error": said[:200]})
            else:
                log.exception("job_raised", extra={"room": task.name, "kind": kind})
            pipe.send(Outcome(said, passing))


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os.killpg(0, signal.SIGKILL)


class Child:
    """A process that does jobs one at a time, started when needed, ended when idle or out of hand."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._process: SpawnProcess | None = None
        self._pipe: Pipe | None = None

    def start(self, kind: str, payload: Mapping[str, Any]) -> None:
        """Begin a job; ask `outcome` until it is there."""
        if self._process is None or not self._process.is_alive():
            self.kill()
            context = multiprocessing.get_context("spawn")
            self._pipe, theirs = context.Pipe()
            self._process = context.Process(target=_child, args=(self._task, theirs), daemon=True)
            self._process.start()
            theirs.close()
        with suppress(OSError):  # dead already: its outcome will say so
            self._own_pipe().send((kind, dict(payload)))

    def _own_pipe(self) -> Pipe:
        if self._pipe is None:
            raise RuntimeError("no child has been started")
        return self._pipe

    def outcome(self, seconds: float) -> Outcome | None:
        """The job's end, or None when it goes on after so many seconds."""
        pipe = self._own_pipe()
        try:
            return pipe.recv() if pipe.poll(seconds) else None
        except (EOFError, ConnectionResetError):
            self.kill()
            return Outcome("the child process died")

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def kill(self) -> None:
        """Harmless when there is none."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid or 0, signal.SIGKILL)
            self._process.kill()
            self._process.join()
        if self._pipe is not None:
            self._pipe.close()
        self._process, self._pipe = None, None


class Worker:
    """One slot of one room; runs in a thread until stopped. Several, here or elsewhere, share the jobs."""

    def __init__(self, room: Room, settings: Settings, idle_seconds: float = IDLE_SECONDS) -> None:
        self.room, self.settings, self.idle_seconds = room, settings, idle_seconds
        self.engine = open_engine(settings, room.name, pool=2)
        self.child = Child(Task(room.name, room.unit, room.jobs, settings))
        self._last_work = clock.monotonic()

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; comes back by itself after database trouble."""
        while not stop.is_set():
            try:
                with listening(self.settings, self.room.name, "jobs") as database:
                    while not stop.is_set():
                        if not self._work_once(stop):
                            self._rest()
                            await_word(database, 1.0)
            except (psycopg.Error, DBAPIError) as error:
                log.warning("worker_waits", extra={"room": self.room.name, "error": str(error)})
                stop.wait(1.0)
        self.child.kill()
        self.engine.dispose()

    def _rest(self) -> None:
        if self.child.pid and clock.monotonic() - self._last_work > self.idle_seconds:
            self.child.kill()

    def _work_once(self, stop: threading.Event) -> bool:
        with self.engine.begin() as connection:
            wanted = {"seconds": LEASE_SECONDS, "kinds": sorted(self.room.jobs)}
            job = connection.execute(_LEASE, wanted).one_or_none()
        if job is None:
            return False
        self.child.start(job.kind, job.payload)
        outcome, held = self._await(job, stop)
        self._last_work = clock.monotonic()
        with self.engine.begin() as connection:
            if outcome is None:
                connection.execute(_GIVE_BACK, {"id": job.job_id, "held": held})
            elif not outcome.error:
                connection.execute(_DONE, {"id": job.job_id})
            else:
                connection.execute(_FAILED, {"id": job.job_id, "held": held, **self._after(job, outcome)})
        if outcome is not None:
            JOBS.labels(self.room.name, job.kind, "failed" if outcome.error else "done").inc()
        return True

    def _await(self, job: Any, stop: threading.Event) -> tuple[Outcome | None, datetime]:
        """The outcome, None when we must go first; the lease is renewed meanwhile."""
        began, held = clock.monotonic(), job.lease_until
        stopped_at = None
        while (outcome := self.child.outcome(0.5 if stop.is_set() else min(RENEW_SECONDS, 1.0))) is None:
            spent = clock.monotonic() - began
            if spent > self.room.job_seconds:
                self.child.kill()
                return Outcome(f"killed after {spent:.0f} s"), held
            if stop.is_set():
                stopped_at = stopped_at or clock.monotonic()
                if clock.monotonic() - stopped_at > STOP_SECONDS:
                    self.child.kill()
                    return None, held
            held = self._renew(job, held)
        return outcome, held

    def _renew(self, job: Any, held: datetime) -> datetime:
        try:
            with self.engine.begin() as connection:
                renewed = connection.execute(_RENEW, {"id": job.job_id, "held": held, "seconds": LEASE_SECONDS})
                return renewed.scalar() or held
        except DBAPIError as error:  # the work goes on; another may begin it too
            log.warning("lease_not_renewed", extra={"room": self.room.name, "error": str(error)})
            return held

    def _after(self, job: Any, outcome: Outcome) -> dict[str, Any]:
        attempts = job.attempts + 1
        parked = attempts >= ATTEMPTS and not outcome.passing
        delay = min(2.0 ** min(attempts, 20) / 2, 5.0 if outcome.passing else LONGEST_DELAY_SECONDS)
        if parked:
            PARKED.labels(self.room.name, "job").inc()
        log.warning("job_failed", extra={"room": self.room.name, "kind": job.kind, "job_id": job.job_id,
                                         "attempts": attempts, "parked": parked, "error": outcome.error})  # fmt: skip
        return {"attempts": attempts, "error": outcome.error, "run_at": clock.now() + timedelta(seconds=delay),
                "parked_at": clock.now() if parked else None}  # fmt: skip
