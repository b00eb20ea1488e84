"""Checks side by side, each with a deadline: what hangs is named, and nothing waits for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from threading import Thread

from services.ops.doctor.finding import Finding

SECONDS = 8.0  # for all together; whom a check asks gets less, so that it can name who is silent


@dataclass(frozen=True)
class Check:
    """A look at something that may not answer, and how to mend that."""

    title: str
    look: Callable[[], Finding]
    mend: str


def side_by_side(checks: Sequence[Check], seconds: float = SECONDS) -> Iterator[Finding]:
    """What they found, in their order; a look that hangs is left behind and ends with the process."""
    looks = [_begun(check.look) for check in checks]
    wait(looks, timeout=seconds)
    for check, look in zip(checks, looks, strict=True):
        late = Finding(check.title, False, f"{seconds:g} 秒内没有应答", check.mend)
        yield look.result() if look.done() else late


def _begun(look: Callable[[], Finding]) -> Future[Finding]:
    answer: Future[Finding] = Future()

    def run() -> None:
        try:
            answer.set_result(look())
        except BaseException as error:  # noqa: BLE001 - raised again by who asks for the answer
            answer.set_exception(error)

    Thread(target=run, name="doctor", daemon=True).start()
    return answer
