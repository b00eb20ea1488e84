"""The only two ways to wait in a test: until the house is at rest, and until a condition holds."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from anjuan.kit.v1 import operations_pb2 as pb
from anjuan.kit.v1.operations_pb2_grpc import OperationsStub
from services.kit import clock, rpc
from services.kit.balance import open_items
from services.kit.errors import UnavailableError

EVERY_SECONDS, AT_MOST_SECONDS = 0.05, 0.2  # whoever asks all rooms often slows what it waits for: the waits grow
Found = TypeVar("Found")


class NotSettledError(AssertionError):
    """What is not at rest when the time is up, or what is parked."""


def until(condition: Callable[[], Found], timeout: float, what: str) -> Found:
    """Ask until the answer is true, and return it.

    Raises:
        TimeoutError: `what` did not come within so many seconds.
    """
    deadline = clock.monotonic() + timeout
    while not (found := condition()):
        if clock.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout:g} s: {what}")
        time.sleep(EVERY_SECONDS)
    return found


def balances(rooms: Mapping[str, OperationsStub | str], token: str) -> dict[str, pb.Balance]:
    """The books of each room, by name.

    Raises:
        UnavailableError: a room does not answer.
    """
    found = {}
    for name, door in rooms.items():
        if isinstance(door, str):
            with rpc.channel(door) as channel:
                found[name] = rpc.invoke(OperationsStub(channel).GetBalance, pb.GetBalanceRequest(), token=token)
        else:
            found[name] = rpc.invoke(door.GetBalance, pb.GetBalanceRequest(), token=token)
    return found


def settle(rooms: Mapping[str, OperationsStub | str], token: str, timeout: float = 60.0) -> None:
    """Return when every fact has had all its consequences in these rooms (design rule 5), seen twice in a row.

    `rooms` maps names to stubs or addresses; `token` is an operator's.

    Raises:
        NotSettledError: something is parked (with its name), or the time is up.
    """
    deadline, before, pause = clock.monotonic() + timeout, None, EVERY_SECONDS
    while True:
        try:
            books = balances(rooms, token)
            reasons = open_items(books.values())
        except UnavailableError as error:
            books, reasons = {}, [error.detail]
        for name, book in books.items():
            for parked in book.parked:
                where = f"{parked.source} {parked.aggregate_id}/{parked.seq}" if parked.source else parked.parked_id
                raise NotSettledError(f"{name}: {parked.kind} {parked.type} is parked ({where}): {parked.error}")
        now = {name: book.SerializeToString(deterministic=True) for name, book in books.items()}
        if not reasons and now == before:
            return
        before = None if reasons else now
        if clock.monotonic() > deadline:
            raise NotSettledError(f"not settled within {timeout:g} s: {'; '.join(reasons)}")
        time.sleep(EVERY_SECONDS if before else pause)
        pause = min(pause * 1.2, AT_MOST_SECONDS)
