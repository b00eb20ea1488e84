"""Keyset paging: an opaque cursor holds the last row's key."""

from __future__ import annotations

import base64
import json
from typing import Any

from services.kit.errors import InvalidInputError

PAGE, LONGEST_PAGE = 20, 100


def size(limit: int) -> int:
    """Rows of a page: PAGE when none is asked, never more than LONGEST_PAGE.

    Raises:
        InvalidInputError: below zero.
    """
    if limit < 0:
        raise InvalidInputError("每页条数不能为负数", [{"pointer": "/limit", "detail": "不能为负数"}])
    return min(limit or PAGE, LONGEST_PAGE)


def cursor(*key: Any) -> str:
    """The key of a page's last row, made opaque."""
    return base64.urlsafe_b64encode(json.dumps([str(part) for part in key]).encode()).decode().rstrip("=")


def after(text: str, parts: int = 1) -> list[str] | None:
    """The key in a cursor; None without one.

    Raises:
        InvalidInputError: not a cursor of ours.
    """
    if not text:
        return None
    try:
        found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, RecursionError) as error:
        raise _strange() from error
    if not isinstance(found, list) or len(found) != parts or not all(_is_key(p) for p in found):
        raise _strange()
    return found


def _is_key(part: Any) -> bool:
    """What PostgreSQL can compare a text with: no NUL, no half of a surrogate pair."""
    return isinstance(part, str) and "\0" not in part and not any("\ud800" <= sign <= "\udfff" for sign in part)


def _strange() -> InvalidInputError:
    return InvalidInputError("翻页标记无效，请从第一页重新查询", [{"pointer": "/cursor", "detail": "翻页标记无效"}])
