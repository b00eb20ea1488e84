"""Searching: the question in the caller's scope, and the hits as the caller may see them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cache

from sqlalchemy import ARRAY, Text, cast, select

from anjuan.search.v1 import search_pb2 as pb
from services.kit import access, paging, schema
from services.kit.errors import InvalidInputError, UnavailableError
from services.kit.identity import Actor
from services.search.index import Index
from services.search.model import words
from services.search.model.documents import KINDS, SERIALS, Entry, first_order, shown
from services.search.model.filters import EMPTY, FACETS, NONE, Among, Every, Except, Filter, reach
from services.search.model.query import MOST, NOBODY, TIERS, Found, Query, Row
from services.search.settings import KNOBS
from services.search.store import SearchUnit

SORTS = ("relevance", "newest", "oldest")
LONGEST_FIELD = 300
_PLACES = ("", *TIERS)


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
        query = Query(asked, Every((scope, *_filters(request), *_shut(uow))), since=since, until=until,
                      oldest_first=sort == "oldest")  # fmt: skip
        found, rows = _found(uow, index, query, limit + 1, sort, _place(request, sort))
        entries, gone = _open(uow, [row for _, row in rows[:limit]])
        more = paging.cursor(_digest(request, sort), *_key(rows[limit - 1])) if len(rows) > limit else ""
        hits, facets = _hits(uow, entries, asked), _facets(uow, found, gone)
        total = max(found.total - len(gone), len(hits))
        return pb.SearchAnswer(hits=hits, total=total, facets=facets, next_cursor=more)


def _shut(uow: SearchUnit) -> list[Filter]:
    """Documents that the index does not have as they are now, and that are not this caller's any more."""
    late = uow.ledger.due(KNOBS.most_late)
    seen = _seen(uow, uow.cause.actor, {entry.case_id for entry in late}) if late else {}
    shut = tuple(entry.document_id for entry in late if not _may_find(entry, uow.cause.actor, seen))
    return [Except(Among("document_id", shut))] if shut else []


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


def _place(request: pb.SearchRequest, sort: str) -> tuple[str, int | None]:
    """Where the page before has ended: tier and order."""
    key = paging.after(request.cursor, 3)
    if key is None:
        return "", None
    digest, tier, order = key
    if digest != _digest(request, sort) or tier not in _PLACES or not (order.isascii() and order.isdigit()):
        raise _wrong("cursor", "翻页标记不属于这次检索，请从第一页重新检索")
    return tier, min(int(order), MOST)


def _key(found: tuple[str, Row]) -> tuple[str, int]:
    return found[0], found[1].order


Rows = list[tuple[str, Row]]


def _found(
    uow: SearchUnit, index: Index, query: Query, limit: int, sort: str, place: tuple[str, int | None]
) -> tuple[Found, Rows]:
    """Totals and facets of all, and the rows behind a place, with the tier of each."""
    if not index.current():
        if uow.ledger.is_empty():
            return NOBODY, []
        raise UnavailableError("检索索引已丢失，请运维人员执行 anjuan rebuild-search")
    if sort != "relevance":
        found = index.search(query.rows("", place[1], limit, counted=True))
        return found, [("", row) for row in found.rows]
    found, rows = index.search(query), list[tuple[str, Row]]()
    first = TIERS.index(place[0]) if place[0] else 0
    for tier in TIERS[first:]:
        after = place[1] if tier == place[0] else None
        if len(rows) < limit:
            rows += [(tier, row) for row in index.search(query.rows(tier, after, limit - len(rows))).rows]
    return found, rows


def _open(uow: SearchUnit, rows: Sequence[Row]) -> tuple[list[Entry], list[Entry | None]]:
    """Rows that the caller may see, and those it may not: the copies of the cards here decide once more.

    What the index is behind is left out of the question already: this is for what changed while it was asked.
    """
    kept = uow.ledger.some(row.document_id for row in rows)
    seen = _seen(uow, uow.cause.actor, {entry.case_id for entry in kept.values()})
    entries = [kept.get(row.document_id) for row in rows]
    mine = [entry for entry in entries if entry is not None and _may_find(entry, uow.cause.actor, seen)]
    return mine, [entry for entry in entries if entry not in mine]


def _hits(uow: SearchUnit, entries: Sequence[Entry], asked: Sequence[words.Phrase]) -> list[pb.Hit]:
    names = _names(uow, {entry.register["body_id"] for entry in entries if entry.register})
    _record(uow, entries)
    return [_hit(entry, asked, names) for entry in entries]


ACTIONS = ("list_cases", "view_case", "view_dossier", "view_internal")


def _seen(uow: SearchUnit, actor: Actor, case_ids: set[str]) -> dict[str, set[str]]:
    """For each action, on which of these cases the actor may do it."""
    card = schema.case_card
    columns = (access.case_filter(actor, action).label(action) for action in ACTIONS)
    rows = uow.connection.execute(select(card.c.case_id, *columns).where(card.c.case_id.in_(case_ids))).mappings().all()
    return {action: {row["case_id"] for row in rows if row[action]} for action in ACTIONS}


def _may_find(entry: Entry, actor: Actor, seen: Mapping[str, set[str]]) -> bool:
    if entry.content is None or entry.register is None:
        return False
    if entry.kind in ("case", "party"):
        return entry.case_id in seen["list_cases"]
    if entry.kind == "page":
        return entry.case_id in seen["view_dossier"] and not entry.content["internal"]
    viewed = entry.case_id in seen["view_case"] | seen["view_dossier"]
    internal = bool(entry.content["internal"])
    if actor.kind == "party":
        served = any(actor.account_id in accounts for accounts in entry.content["served"].values())
        return viewed and served and not internal
    return viewed and (not internal or entry.case_id in seen["view_internal"])


def _record(uow: SearchUnit, entries: Sequence[Entry]) -> None:
    """Pieces of a dossier were read (design rule 8)."""
    for case_id in sorted({entry.case_id for entry in entries if entry.kind == "page"}):
        pages = [entry.document_id for entry in entries if entry.kind == "page" and entry.case_id == case_id]
        uow.record("find_pages", case_id, case_id=case_id, detail={"pages": pages})


def _names(uow: SearchUnit, body_ids: Iterable[str]) -> dict[str, str]:
    tree = schema.body_tree
    query = select(tree.c.body_id, tree.c.name).where(tree.c.body_id.in_(list(body_ids)))
    return {row.body_id: row.name for row in uow.connection.execute(query)}


def _hit(entry: Entry, asked: Sequence[words.Phrase], names: Mapping[str, str]) -> pb.Hit:
    content, register = entry.content or {}, entry.register or {}
    said = shown(entry.kind, content, register)
    looked_through = (said.title if entry.kind != "page" else "", *said.heading, said.text)
    pieces = [piece for text in looked_through for piece in words.highlights(text, asked)]
    return pb.Hit(
        document_id=entry.document_id, kind=entry.kind, case_id=entry.case_id, case_number=register["case_number"],
        title=said.title, highlights=pieces[: KNOBS.fragments], on=said.on, page_id=content.get("page_id", ""),
        page_number=content.get("page_number", 0), instrument_id=content.get("instrument_id", ""),
        number=content.get("number", ""), body_id=register["body_id"], cause=register["cause"],
        body_name=names.get(register["body_id"], ""), case_title=register["title"], role=content.get("role", ""),
        volume=content.get("volume", ""),
    )  # fmt: skip


def _facets(uow: SearchUnit, found: Found, gone: Sequence[Entry | None]) -> list[pb.Facet]:
    """How many for each value, without those that this page may not show."""
    names = _names(uow, found.facets.get("body_id", {}))
    told, less = [], [{"kind": entry.kind, **(entry.register or {})} for entry in gone if entry is not None]
    for field in FACETS:
        left = Counter(found.facets[field])
        left.subtract(str(one.get(field, "")) for one in less)
        counts = sorted(left.items(), key=lambda pair: (-pair[1], pair[0]))
        ones = [(value, n) for value, n in counts if n > 0 and value not in (NONE, EMPTY)][: KNOBS.longest_facet]
        told += [pb.Facet(field=field, value=value, count=count, label=names.get(value, "")) for value, count in ones]
    return told
