"""The key in a cursor, its first part read as what it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from services.kit import paging
from services.kit.errors import InvalidInputError


def after(text: str, kind: Callable[[str], Any] = str) -> tuple[Any, str] | None:
    """First part by `kind`, then the id; None without a cursor.

    Raises:
        InvalidInputError: not a cursor of ours.
    """
    found = paging.after(text, 2)
    if found is None:
        return None
    try:
        return kind(found[0]), found[1]
    except ValueError as error:
        said = "翻页标记无效，请从第一页重新查询"
        raise InvalidInputError(said, [{"pointer": "/cursor", "detail": said}]) from error
