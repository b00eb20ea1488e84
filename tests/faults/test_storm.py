"""Faults while people write: nothing acknowledged is lost, nothing is done twice."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from services.kit.settings import procedures_dir
from services.kit.testing import NotSettledError, settle
from services.ops.demo.cast import Cast
from services.ops.demo.player import Play
from services.ops.demo.site import Voice
from services.ops.demo.stage import Stage, open_stage
from services.ops.trial import Platform
from tests.faults import history as checker
from tests.faults.clients import FAULTS, FOLLOW_SECONDS, LONGER, History, Patient, StormOverError
from tests.faults.storm import Storm, complaints

PACK, EXAMPLE = "admin-penalty-general", "transfer-overdue"
FILERS, WALKERS, READY = 10, 5, 4
SLICES, SLICE_SECONDS = 20 * LONGER, 12
SEED = int(os.environ.get("ANJUAN_SEED", random.SystemRandom().randrange(10**6)))


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """A platform of its own: what is killed here must not disturb other tests."""
    platform = Platform.started()
    try:
        with open_stage(platform.installation) as open_one:
            yield open_one
    finally:
        platform.end()


ASIDE, LAST = "extend_verification", "assign_officers"


def lead(history: History, play: Play, stop: threading.Event, number: int, *, far: bool) -> None:
    """Files case after case under a title of its own; `far`: leads each to its number."""
    count = 0
    while not stop.is_set():
        count += 1
        one = replace(play, title=f"{play.cast.example['title']} {number}-{count}")
        for act in acts_of(play) if far else acts_of(play)[:1]:
            one.perform(act)
            note(history, one, act)
        history.rest()


def acts_of(play: Play) -> list[Mapping[str, Any]]:
    """What a walker does: nothing that is to be refused."""
    return [act for act in play.cast.example["acts"] if not act.get("refused")]


def short(example: Mapping[str, Any]) -> dict[str, Any]:
    """An example up to the officers' appointment, all on that day, without what is asked beside the procedure."""
    acts: list[Mapping[str, Any]] = example["acts"]
    end = next(n for n, act in enumerate(acts) if act.get("node") == LAST)
    kept = [act for act in acts[: end + 1] if act["do"] != "request" and act.get("node") != ASIDE]
    return {**example, "acts": [{**act, "on": acts[end]["on"]} for act in kept]}


def walk(history: History, play: Play, waiting: list[Play], stop: threading.Event, number: int) -> None:
    """Leads cases that were filed before the storm to their numbers, then cases of its own."""
    for one in waiting:
        for act in acts_of(play)[1:]:
            if stop.is_set():
                return
            one.perform(act)
            note(history, one, act)
    lead(history, play, stop, number, far=True)


def filed_before(history: History, play: Play, number: int) -> list[Play]:
    """Cases that wait for a walker when the storm begins."""
    ready = [replace(play, title=f"{play.cast.example['title']} {number}-0{n}") for n in range(READY)]
    for one in ready:
        one.perform(acts_of(play)[0])
        note(history, one, acts_of(play)[0])
    return ready


def note(history: History, play: Play, act: Mapping[str, Any]) -> None:
    """What this client was told."""
    with history.lock:
        if act["do"] == "file":
            history.filings[play.case_id] = play.title
        elif act["do"] == "complete" and act["node"] in ("verify_lead", "assign_officers"):
            history.acts.append((play.case_id, act["node"]))


def guarded(history: History, work: Callable[[], None]) -> None:
    """A client that fails is a failure of the run, not a silent end of its thread."""
    try:
        work()
    except StormOverError:
        return
    except Exception as error:  # noqa: BLE001 handed to the test
        with history.lock:
            history.failures.append(f"{type(error).__name__}: {error}")


def write_while(history: History, play: Play, body: Callable[[], None]) -> None:
    """Clients write until `body` has returned."""
    stop = threading.Event()
    ready = [filed_before(history, play, n) for n in range(WALKERS)]
    works = [partial(walk, history, play, ready[n], stop, n) for n in range(WALKERS)]
    works += [partial(lead, history, play, stop, WALKERS + n, far=False) for n in range(FILERS)]
    threads = [threading.Thread(target=guarded, args=(history, work)) for work in works]
    for thread in threads:
        thread.start()
    try:
        body()
    finally:
        stop.set()
        history.over.set()
        for thread in threads:
            thread.join()


def staged(stage: Stage, history: History) -> Play:
    """The example's people, each a patient one; its tree stands on the day of the appointment."""
    folder = procedures_dir() / PACK
    pack = stage.publish(folder)
    example = next(e for name, e in pack.examples.items() if EXAMPLE in name)
    cast = Cast.of("storm", short(example))
    stage.bring_in(cast, pack.kind)

    def voice(sign_in: str, password: str, body_id: str) -> Voice:
        return Patient(stage.http, sign_in, password, body_id, history=history)

    return Play(pack, cast, stage.operator, voice, with_materials=False, patience=FOLLOW_SECONDS)


def settling(platform: Platform, stage: Stage, books: checker.Books) -> str:
    """Why the books do not come to rest, given up when nothing moves any more; empty when they do."""
    moved, why = -1, ""
    for _ in range(SLICES):
        try:
            settle(platform.settings.rpc, stage.operator.token(), timeout=SLICE_SECONDS)
        except NotSettledError as error:
            why, before, moved = str(error), moved, checker.progress(books)
            if moved == before:
                return why
        else:
            return ""
    return why


def test_nothing_acknowledged_is_lost(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    history = History()
    platform = Platform(stage.installation)
    play = staged(stage, history)
    storm = Storm(platform, history, SEED, FAULTS)
    write_while(history, play, storm.rage)
    platform.await_ready()
    books = checker.Books(platform.settings, tuple(platform.settings.rpc))
    unsettled = settling(platform, stage, books)
    suppressed = checker.duplicates(books)
    with capsys.disabled():
        print(f"\nseed {SEED}: {sum(storm.done.values())} faults {dict(storm.done)}")
        print(f"{len(history.filings)} filings, {len(history.acts)} acts acknowledged, {history.retries} tries again, "
              f"median in flight {storm.median_in_flight():g}, duplicates suppressed {suppressed}")  # fmt: skip
    found = checker.faults(books, history)
    # what still moves is late, not lost: the run must wait for it
    assert not found, "\n".join([f"not at rest: {unsettled}" if unsettled else "at rest", *found[:50]])
    assert not unsettled
    assert not history.failures
    assert storm.done.keys() == storm.kinds().keys()
    assert min(storm.done.values()) >= storm.least
    assert not complaints(platform), "\n".join(complaints(platform)[:20])
    assert history.filings
    assert history.acts
    assert storm.median_in_flight() >= 8
    assert suppressed >= 20
