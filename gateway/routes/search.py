"""Full-text search over everything that the caller may see."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from anjuan.search.v1 import search_pb2 as pb
from gateway.auth import SignedIn
from gateway.routes.shared import PREFIX, Cursor, DayQuery, IdQuery, Limit, WordsQuery, reply
from gateway.shapes import answer

router = APIRouter(prefix=PREFIX, tags=["检索"])
Text = Annotated[str, Query(min_length=1, max_length=200, pattern=r"^[^\x00]*$",
                            description="检索词，以空格隔开的须全部命中；引号内的须连续命中")]  # fmt: skip
Kinds = Annotated[list[Literal["case", "party", "instrument", "page"]], Query(description="缺省为全部", max_length=4)]
Sort = Annotated[Literal["relevance", "newest", "oldest"], Query()]


@router.get("/search", response_model=answer(pb.SearchAnswer), summary="全文检索")
async def search(
    caller: SignedIn, text: Text, kind: Kinds = [], body_id: IdQuery = "", procedure_id: IdQuery = "",  # noqa: B006
    cause: WordsQuery = "", case_id: IdQuery = "", from_: Annotated[DayQuery, Query(alias="from")] = "",
    to: DayQuery = "", sort: Sort = "relevance", cursor: Cursor = "", limit: Limit = 20,
) -> Response:  # fmt: skip
    """Cases, parties, instruments and pages with every word; hits are marked by U+0002 and U+0003."""
    asked = pb.SearchRequest(text=text, kinds=kind, body_id=body_id, procedure_id=procedure_id, cause=cause,
                             case_id=case_id, to=to, sort=sort, cursor=cursor, limit=limit)  # fmt: skip
    setattr(asked, "from", from_)
    return reply(await caller.ask("search", "Search", asked))
