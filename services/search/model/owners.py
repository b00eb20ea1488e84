"""Whose exports the index is built from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

OWNERS = ("intake", "documents", "archive")


class Owners(Protocol):
    """The rooms that own what is searched."""

    def read(self, owner: str, after_id: str) -> tuple[Sequence[Any], str]:
        """The owner's next rows, and behind which id it goes on; empty: these were the last.

        Raises:
            UnavailableError: the room is down. NotAllowedError: the caller is no operator.
        """
