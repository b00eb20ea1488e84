"""What every route uses: paging, day and id shapes, answers with ETag."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Path, Query
from fastapi.responses import JSONResponse
from google.protobuf.message import Message
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from gateway.shapes import plain

PREFIX = "/api/v1"
Id = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:-]+$")]
IdText = Annotated[str, StringConstraints(max_length=64, pattern=r"^[A-Za-z0-9_.:-]*$")]
Day = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
# PostgreSQL text holds no NUL
Words = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=r"^[^\x00]+$", strip_whitespace=True)]
Cursor = Annotated[str, Query(max_length=600, description="上一页返回的 next_cursor")]
Limit = Annotated[int, Query(ge=1, le=100, description="每页条数")]
IdQuery = Annotated[str, Query(max_length=64, pattern=r"^[A-Za-z0-9_.:-]*$")]
Reason = Annotated[Literal["", "appeal", "supervision", "transfer"], Query(description="上级调阅下级卷宗的事由")]
WordsQuery = Annotated[str, Query(max_length=300, pattern=r"^[^\x00]*$")]
DayQuery = Annotated[str, Query(pattern=r"^(\d{4}-\d{2}-\d{2})?$", max_length=10)]


class Body(BaseModel):
    """A request body: unknown fields are refused, not ignored."""

    # a NaN in free-form content is refused on its way to the room, not dropped
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, ser_json_inf_nan="constants")


Json = Annotated[dict[str, Any], Field(max_length=500)]


def reply(message: Message, status: int = 200, location: str = "") -> JSONResponse:
    """A message as JSON, with its version as ETag."""
    headers = {"Location": location} if location else {}
    version = getattr(message, "version", None)
    if isinstance(version, int) and version:
        headers["ETag"] = f'"{version}"'
    return JSONResponse(plain(message), status, headers)
