"""The one way to wait: ask until the answer is true or the deadline has passed."""

from __future__ import annotations

import threading
from collections.abc import Callable


class TooLateError(TimeoutError):
    """What was waited for did not come; the message is for people."""


def until(check: Callable[[], object], seconds: float, what: str, every: float = 0.05) -> None:
    """Ask `check` every `every` seconds.

    Raises:
        TooLateError: it was not true within `seconds`.
    """
    late, pause = threading.Event(), threading.Event()
    timer = threading.Timer(seconds, late.set)
    timer.daemon = True
    timer.start()
    try:
        while not check():
            if late.is_set():
                raise TooLateError(f"等待 {seconds:g} 秒仍未就绪：{what}")
            pause.wait(every)
    finally:
        timer.cancel()
