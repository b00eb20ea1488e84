"""Writers who do not give up: each act is sent again with the same key until it is acknowledged or refused."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from services.kit import clock
from services.kit.testing import until
from services.ops.demo.site import RefusedError, Voice

FAULTS = int(os.environ.get("ANJUAN_FAULTS", "60"))  # make test-long sends three hundred
LONGER = max(1, FAULTS // 60)  # a longer storm leaves more to catch up with
ANSWER_SECONDS, FOLLOW_SECONDS = 240.0, 240.0 * LONGER  # until an answer; until what follows from one
AGAIN_SECONDS = 0.3
# between two writes of one client, unless a fault is near: the listeners keep up, and acts find their tasks
REST_SECONDS = 2.0
LOOK_SECONDS = 0.3  # between two looks whether something has come
LEAD_SECONDS, VOLLEY_SECONDS = 0.5, 2.0


class StormOverError(Exception):
    """The storm is over: nobody waits any longer for what others were to bring."""


@dataclass
class History:
    """What clients were told, in the order they heard it. `flying` counts writes not yet answered, `answered` those
    that were, `worked` the ones of them that acted on a task."""

    filings: dict[str, str] = field(default_factory=dict)  # case_id -> title
    acts: list[tuple[str, str]] = field(default_factory=list)  # (case_id, node) acknowledged
    failures: list[str] = field(default_factory=list)
    flying: int = 0
    answered: int = 0
    worked: int = 0
    volleys: int = 0
    retries: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    near: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    def rest(self) -> None:
        """A client's pause before its next write; a fault that is near ends it."""
        self.near.wait(REST_SECONDS)

    @contextmanager
    def volley(self, wanted: int) -> Iterator[int]:
        """Nobody rests within: relays and listeners are busy when a fault strikes, and so many writes are in flight.

        Yields how many are; fewer when they do not come in time.
        """
        with self.lock:
            self.volleys += 1
            self.near.set()
        try:
            self.over.wait(LEAD_SECONDS)
            late = clock.monotonic() + VOLLEY_SECONDS
            until(lambda: self.flying >= wanted or clock.monotonic() > late, 2 * VOLLEY_SECONDS, "writes in flight")
            yield self.flying
        finally:
            with self.lock:
                self.volleys -= 1
                if not self.volleys:
                    self.near.clear()


@dataclass
class Patient(Voice):
    """A voice that outlives every fault: transport errors and 5xx are tried again with the same key."""

    history: History = field(default_factory=History)

    def ask(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        """See Voice.ask; raises RefusedError only for answers that repeating cannot change.

        Raises:
            StormOverError: the storm is over, and this only looks whether something has come.
        """
        headers = dict(more.pop("headers", None) or {})
        writes = int(method != "GET")
        if not writes and self.history.over.wait(LOOK_SECONDS):
            raise StormOverError
        if method == "POST":
            headers["Idempotency-Key"] = clock.new_id()
        with self.history.lock:
            self.history.flying += writes
        try:
            answer = self._until_answered(lambda: Voice.ask(self, method, path, body, headers=headers, **more))
            with self.history.lock:
                self.history.answered += writes
                self.history.worked += writes * path.startswith("/tasks/")
            return answer
        finally:
            with self.history.lock:
                self.history.flying -= writes

    def _until_answered(self, send: Callable[[], httpx.Response]) -> httpx.Response:
        found: list[httpx.Response] = []

        def answered() -> bool:
            try:
                found.append(send())
            except httpx.TransportError:
                return self._again()
            except RefusedError as refusal:
                if refusal.status < 500 and refusal.status != 429:
                    raise
                return self._again()
            return True

        until(answered, ANSWER_SECONDS, "an answer that is no fault")
        return found[0]

    def _again(self) -> bool:
        threading.Event().wait(AGAIN_SECONDS)
        with self.history.lock:
            self.history.retries += 1
        return False
