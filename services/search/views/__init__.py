"""Searching: the question in the caller's scope, and the hits as the caller may see them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cache

from sqlalchemy import ARRAY, Text, cast, select

from anjuan.search.v1 import search_pb2 as pb
from services.kit import access, paging, schema
from services.kit.errors import InvalidInputError, UnavailableError
from services.search.index import Index, NoIndexError
from services.search.model import words
from services.search.model.documents import KINDS, SERIALS, Entry, first_order, shown
from services.search.model.filters import EMPTY, FACETS, NONE, Among, Every, Filter, reach
from services.search.model.query import MOST, TIERS, Found, Place, Query, Row
from services.search.settings import KNOBS
from services.search.store import SearchUnit
from services.search.views import sight

SORTS = ("relevance", "newest", "oldest")
LONGEST_FIELD = 300
TRIES, ROUNDS = 3, 12
_Hit = tuple[Row, sight.Sighted]


def search(uow: SearchUnit, index: Index, request: pb.SearchRequest) -> pb.SearchAnswer:
    """Documents with every word, within the caller's scope and the filters.

    Raises:
        InvalidInputError: the text, a filter or the cursor is none. UnavailableError: the engine is down.
    """
    limit, asked = paging.size(request.limit), words.phrases(request.text)
    sort = _one_of(request.sort or SORTS[0], SORTS, "sort")
    with uow:
        uow.acting(access.current(uow.connection, uow.cause.actor))  # a token's roles may be ten minutes old
        scope = reach(uow.cause.actor, cache(lambda body: _below(uow, body)))
        since, until = _days(request)
        query = Query(asked, Every((scope, *_filters(request))), since=since, until=until, limit=limit + 1,
                      ranked=sort == "relevance", oldest_first=sort == "oldest", after=_place(request, sort))
        try:
            found, rows = _asked(uow, index, query, request.case_id)
        except NoIndexError:
            if uow.ledger.is_empty():  # nothing was ever indexed
                return pb.SearchAnswer(total=0)
            raise
        more = paging.cursor(_digest(request, sort), *rows[limit - 1][0].place) if len(rows) > limit else ""
        return _answer(uow, [hit for _, hit in rows[:limit]], asked, found, more)


def _answer(
    uow: SearchUnit, shown: Sequence[sight.Sighted], asked: Sequence[words.Phrase], found: Found | None, more: str
) -> pb.SearchAnswer:
    _record(uow, [one.entry for one in shown])
    hits = [_hit(one.entry, asked, one.body_name) for one in shown]
    names = {hit.body_id: hit.body_name for hit in hits}
    facets, total = (_facets(uow, found, names), found.total) if found else ([], None)
    return pb.SearchAnswer(hits=hits, total=total, facets=facets, next_cursor=more)


def _one_of(value: str, known: Sequence[str], name: str) -> str:
    if value not in known:
        raise _wrong(name, f"应为 {'、'.join(known)} 之一")
    return value


def _wrong(name: str, detail: str) -> InvalidInputError:
    return InvalidInputError(f"检索条件有误：{detail}", [{"pointer": f"query:{name}", "detail": detail}])


def _below(uow: SearchUnit, body_id: str) -> Sequence[str]:
    tree = schema.body_tree
    under = tree.c.ancestor_ids.bool_op("@>")(cast([body_id], ARRAY(Text)))
    return uow.connection.execute(select(tree.c.body_id).where(under)).scalars().all()


def _filters(request: pb.SearchRequest) -> list[Filter]:
    wanted: list[Filter] = []
    if request.kinds:
        wanted.append(Among("kind", tuple({_one_of(kind, KINDS, "kind") for kind in request.kinds})))
    for name in ("body_id", "procedure_id", "cause", "case_id"):
        if value := getattr(request, name):
            if len(value) > LONGEST_FIELD:
                raise _wrong(name, f"请控制在 {LONGEST_FIELD} 字以内")
            wanted.append(Among(name, (value,)))
    return wanted


def _days(request: pb.SearchRequest) -> tuple[int, int]:
    """The first and the last `order` within the days asked for."""
    since, until = _day(getattr(request, "from"), "from"), _day(request.to, "to")
    if since and until and since > until:
        raise _wrong("from", "开始日期不能晚于结束日期")
    return first_order(since) if since else 0, first_order(until) + SERIALS - 1 if until else MOST


def _day(text: str, name: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise _wrong(name, "日期应写成 2025-01-31 的样子") from error


def _digest(request: pb.SearchRequest, sort: str) -> str:
    """What a cursor belongs to: the same question in the same order."""
    same = pb.SearchRequest()
    same.CopyFrom(request)
    same.sort, same.cursor, same.limit = sort, "", 0
    return hashlib.sha256(same.SerializeToString(deterministic=True)).hexdigest()[:16]


def _place(request: pb.SearchRequest, sort: str) -> Place | None:
    """Where the page before has ended: tier and order."""
    key = paging.after(request.cursor, 3)
    if key is None:
        return None
    digest, tier, order = key
    tiers = TIERS if sort == "relevance" else ("",)
    if digest != _digest(request, sort) or tier not in tiers or not (order.isascii() and order.isdigit()):
        raise _wrong("cursor", "翻页标记不属于这次检索，请从第一页重新检索")
    return tier, min(int(order), MOST)


def _asked(uow: SearchUnit, index: Index, query: Query, case_id: str) -> tuple[Found | None, list[_Hit]]:
    """Totals and facets, and the rows of the page; None: no numbers that tell only of what is the caller's.

    What is taken from the caller while the engine answers is noticed, and the question is asked once more.
    """
    hits = list[_Hit]()
    for _ in range(TRIES):
        shut = sight.shut(uow, case_id)
        limits = Every((query.filter, *sight.conditions(shut)))
        found, hits, gone = _page(uow, index, replace(query, filter=limits, counted=shut is not None))
        if shut is None:
            break
        if not gone and sight.covers(shut, sight.shut(uow, case_id)):
            return found, hits
    return None, hits


def _page(uow: SearchUnit, index: Index, query: Query) -> tuple[Found, list[_Hit], int]:
    """What the engine says, the rows that the caller may see, and how many it may not were passed over.

    A page is filled up from behind: neither its length nor its cursor tells of what was passed over.
    """
    hits, gone, want = list[_Hit](), 0, query.limit
    found = more = index.search(query)
    for _ in range(ROUNDS):
        mine = _open(uow, more.rows)
        hits, gone = hits + mine, gone + len(more.rows) - len(mine)
        if len(hits) >= want or len(more.rows) < query.limit:
            return found, hits[:want], gone
        query = query.behind(more.rows[-1].place, min(2 * query.limit, KNOBS.export))
        more = index.search(query)
    raise UnavailableError("检索索引正在更新，请稍后再检索")


def _open(uow: SearchUnit, rows: Sequence[Row]) -> list[_Hit]:
    """Rows that the caller may see: the copies of the cards here decide once more."""
    mine = sight.sighted(uow, [row.document_id for row in rows]) if rows else {}
    return [(row, mine[row.document_id]) for row in rows if row.document_id in mine]


def _record(uow: SearchUnit, entries: Sequence[Entry]) -> None:
    """Pieces of a dossier were read (design rule 8)."""
    for case_id in sorted({entry.case_id for entry in entries if entry.kind == "page"}):
        pages = [entry.document_id for entry in entries if entry.kind == "page" and entry.case_id == case_id]
        uow.record("find_pages", case_id, case_id=case_id, detail={"pages": pages})


def _names(uow: SearchUnit, body_ids: Iterable[str]) -> dict[str, str]:
    tree = schema.body_tree
    query = select(tree.c.body_id, tree.c.name).where(tree.c.body_id.in_(list(body_ids)))
    return {row.body_id: row.name for row in uow.connection.execute(query)}


def _hit(entry: Entry, asked: Sequence[words.Phrase], body_name: str) -> pb.Hit:
    content, register = entry.content or {}, entry.register or {}
    said = shown(entry.kind, content, register)
    looked_through = (said.title if entry.kind != "page" else "", *said.heading, said.text)
    pieces = [piece for text in looked_through for piece in words.highlights(text, asked)]
    return pb.Hit(
        document_id=entry.document_id, kind=entry.kind, case_id=entry.case_id, case_number=register["case_number"],
        title=said.title, highlights=pieces[: KNOBS.fragments], on=said.on, page_id=content.get("page_id", ""),
        page_number=content.get("page_number", 0), instrument_id=content.get("instrument_id", ""),
        number=content.get("number", ""), body_id=register["body_id"], cause=register["cause"],
        body_name=body_name, case_title=register["title"], role=content.get("role", ""),
        volume=content.get("volume", ""),
    )  # fmt: skip


def _facets(uow: SearchUnit, found: Found, known: Mapping[str, str]) -> list[pb.Facet]:
    """How many for each value; `known`: names of bodies."""
    told, others = list[pb.Facet](), found.facets["body_id"].keys() - known.keys()
    names = {**known, **(_names(uow, others) if others else {})}
    for field in FACETS:
        counts = sorted(found.facets[field].items(), key=lambda pair: (-pair[1], pair[0]))
        ones = [(value, n) for value, n in counts if value not in (NONE, EMPTY)][: KNOBS.longest_facet]
        told += [pb.Facet(field=field, value=value, count=count, label=names.get(value, "")) for value, count in ones]
    return told
