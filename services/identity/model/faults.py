"""What is wrong with a request, each with the place it stands at."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from services.kit.errors import InvalidInputError

Fault = dict[str, str]
LARGEST_ID = 64


def fault(pointer: str, detail: str) -> Fault:
    """A JSON pointer and a Chinese sentence."""
    return {"pointer": pointer, "detail": detail}


def refuse(faults: Iterable[Fault], detail: str) -> None:
    """All faults at once.

    Raises:
        InvalidInputError: there is at least one.
    """
    if found := list(faults):
        raise InvalidInputError(detail, found)


def is_id(text: str) -> bool:
    """Whether it can be an id: short, visible characters only."""
    return 0 < len(text) <= LARGEST_ID and text.isprintable() and not any(c.isspace() for c in text)


def day(text: str) -> date | None:
    """A date written YYYY-MM-DD; None when it is not one."""
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
