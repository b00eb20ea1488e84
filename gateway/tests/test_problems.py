"""What is wrong with a field is said in Chinese, with what it should be."""

from __future__ import annotations

import asyncio
import re
from typing import Annotated, Any, Literal

import httpx
import pytest
from fastapi import FastAPI
from pydantic import AwareDatetime, BaseModel, Field

from gateway import problems


class Asked(BaseModel):
    """One field of each kind that routes have."""

    text: Annotated[str, Field(min_length=2, max_length=4, pattern=r"^[a-z{}]*$")] = "ab"
    number: Annotated[int, Field(ge=1, le=9)] = 1
    share: float = 0.5
    when: AwareDatetime | None = None
    choice: Literal["party", "report"] = "party"
    several: Annotated[list[int], Field(min_length=1, max_length=2)] = [1]
    plain: dict[str, Any] = {}
    sure: bool = True


def told(content: bytes) -> list[dict[str, str]]:
    app = FastAPI()
    problems.install(app)

    @app.post("/")
    async def take(_: Asked) -> None:
        return None

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
            return await client.post("/", content=content, headers={"Content-Type": "application/json"})

    answer = asyncio.run(ask())
    assert answer.status_code == 422
    errors: list[dict[str, str]] = answer.json()["errors"]
    return errors


@pytest.mark.parametrize(("field", "value", "said"), [
    ("text", '"a"', "不能少于2个字"), ("text", '"abcde"', "不能超过4个字"), ("text", '"A{}"', "^[a-z{}]*$"),
    ("text", "1", "应为文字"), ("number", "0", "不能小于 1"), ("number", "10", "不能大于 9"),
    ("number", '"x"', "应为整数"), ("number", "1.5", "应为整数"), ("number", "null", "应为整数"),
    ("share", '"x"', "应为数值"), ("when", '"2025-03-03T09:00"', "带时区"), ("when", '"昨天"', "带时区"),
    ("when", "[]", "带时区"), ("choice", '"x"', "'party'、'report'"), ("several", "[]", "不能少于1项"),
    ("several", "[1, 2, 3]", "不能超过2项"), ("several", "1", "应为列表"), ("plain", "1", "应为对象"),
    ("sure", '"x"', "true 或 false"), ("sure", "[]", "true 或 false"),
])  # fmt: skip
def test_each_kind_of_fault_has_its_words(field: str, value: str, said: str) -> None:
    (error,) = told(f'{{"{field}": {value}}}'.encode())
    assert error["pointer"] == f"/{field}"
    assert said in error["detail"]
    assert not re.search(r"should|must|valid|Input", error["detail"])


def test_json_that_cannot_be_read_is_told_by_its_place() -> None:
    assert told(b'{"text": ') == [{"pointer": "", "detail": "不是合法的 JSON（第10个字符处）"}]
