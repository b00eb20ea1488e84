"""Keyset paging: an opaque cursor holds the last row's key."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from services.kit.errors import InvalidInputError
from services.workflow.settings import KNOBS


def size(limit: int) -> int:
    """Rows of a page: the default when none is asked, never more than the longest."""
    return min(limit, KNOBS.longest_page) if limit > 0 else KNOBS.page


def cursor(*key: Any) -> str:
    """The key of a page's last row, made opaque."""
    return base64.urlsafe_b64encode(json.dumps([str(part) for part in key]).encode()).decode().rstrip("=")


def after(text: str, *kinds: Callable[[str], Any]) -> list[Any] | None:
    """The key in a cursor, each part read by its kind; None without one.

    Raises:
        InvalidInputError: not a cursor of ours.
    """
    if not text:
        return None
    try:
        found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return [kind(part) for kind, part in zip(kinds, found, strict=True)]
    except (ValueError, TypeError) as error:
        said = "翻页标记无效，请从第一页重新查询"
        raise InvalidInputError(said, [{"pointer": "/cursor", "detail": said}]) from error
