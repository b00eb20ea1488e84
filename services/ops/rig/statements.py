"""What a room asks of its database, for tests that hold how often it does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """The SQL texts that an engine sends while the block runs, in order."""
    seen: list[str] = []

    def note(*args: Any) -> None:
        seen.append(str(args[2]).strip())

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)
