"""Cursors: ours come back whole, anything else is refused before it reaches the database."""

from __future__ import annotations

import base64
import json

import pytest

from services.kit import paging
from services.kit.errors import InvalidInputError


def test_a_cursor_of_ours_comes_back() -> None:
    assert paging.after(paging.cursor("张　三\t", 7), 2) == ["张　三\t", "7"]
    assert paging.after("") is None


@pytest.mark.parametrize("key", [["a\0"], ["\ud800"], [1], ["a", "b"], "a", {"a": "b"}])
def test_what_no_table_can_be_asked_for_is_refused(key: object) -> None:
    with pytest.raises(InvalidInputError, match="翻页标记无效"):
        paging.after(base64.urlsafe_b64encode(json.dumps(key).encode()).decode())


@pytest.mark.parametrize("text", ["%%%", "中文", base64.urlsafe_b64encode(b"[" * 200_000).decode()])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="翻页标记无效"):
        paging.after(text)
