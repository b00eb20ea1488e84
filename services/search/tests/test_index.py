"""The contract of the index, which both engines keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from services.kit.errors import UnavailableError
from services.search.index import Index, Written
from services.search.model.documents import Document, first_order
from services.search.model.filters import NOTHING, Among, Either, Every, Except, Filter
from services.search.model.query import Place, Query
from services.search.model.words import phrases

ALL = Every(())
LAWS = {
    "d1": ("过期牛奶案", "当事人销售超过保质期的牛奶两箱，货值１２０元。"),
    "d2": ("牛奶过期案", "现场查获保质期已过的酸奶。第12条"),
    "d3": ("ABC公司合同案", "双方订立买卖合同，abc 公司\n未付款。"),
    "d4": ("", "罪与非罪的界限；十二箱"),
}


def document(name: str, write: int = 1, *, day: int = 1, serial: int = 0, **terms: str) -> Document:
    told: Mapping[str, Any] = {"kind": "case", "body_id": "b1", "cause": "食品"} | terms
    heading, text = LAWS.get(name, ("", f"文字{name}"))
    order = first_order(date(2025, 1, day)) + (serial or int(name[1:]))
    found = {field: tuple(value.split("|")) for field, value in told.items()}
    return Document(name, write, write, order, found, (heading,) if heading else (), (text,))


def put(index: Index, *documents: Document) -> None:
    if not index.current():
        index.switch(index.create())
    index.write(documents)


def ids(index: Index, text: str, condition: Filter = ALL, **how: Any) -> list[str]:
    query = Query(phrases(text) if text else (), condition, limit=50, **how)
    return [row.document_id for row in index.search(query).rows]


def ranked(index: Index, text: str, condition: Filter = ALL, **how: Any) -> list[tuple[str, str]]:
    query = Query(phrases(text), condition, ranked=True, limit=50, **how)
    return [(row.tier, row.document_id) for row in index.search(query).rows]


def test_phrases_words_single_signs_and_width(index: Index) -> None:
    put(index, *(document(name) for name in LAWS))
    assert ids(index, "过期牛奶") == ["d1"]
    assert ids(index, "牛奶 过期") == ["d2", "d1"]
    assert ids(index, "奶过") == ["d2"]
    assert ids(index, "罪") == ["d4"]
    assert ids(index, "非罪的界限") == ["d4"]
    assert ids(index, "120元") == ids(index, "１２０元") == ["d1"]
    assert ids(index, "12") == ["d2"]  # not the 120 of another
    assert ids(index, "ａｂｃ公司未付款") == ids(index, "ABC公司") == ["d3"]
    assert ids(index, "案当事人") == []  # heading and text are not one row
    assert ids(index, "界限十二箱") == ["d4"]  # punctuation does not count
    assert ids(index, "") == ["d4", "d3", "d2", "d1"]


def test_tiers_are_the_number_then_the_heading_then_the_text(index: Index) -> None:
    numbered = [document(f"d{n}", number="2025粤0703民初1号", kind=kind) for n, kind in ((7, "case"), (8, "page"))]
    texts = [replace(one, text=("（2025）粤0703民初1号",)) for one in numbered]
    put(index, *texts, *(document(name) for name in LAWS))
    put(index, replace(document("d9"), heading=("答辩（2025）粤0703民初1号",)))
    number = "(2025)粤0703民初1号"
    assert ranked(index, number) == [("number", "d7"), ("heading", "d9"), ("text", "d8")]
    assert ids(index, number) == ["d9", "d8", "d7"]
    assert ranked(index, "2025 粤0703民初1") == ranked(index, number)  # 号 left out, blanks in it
    assert ranked(index, "〔２０２５〕粤0703民初 1 号") == ranked(index, number)
    assert ranked(index, number, oldest_first=True) == ranked(index, number)
    assert ranked(index, "过期") == [("heading", "d2"), ("heading", "d1")]
    assert ranked(index, "牛奶 货值") == [("text", "d1")]
    assert ranked(index, "牛奶", Among("document_id", ("d2",))) == [("heading", "d2")]


def test_a_ranked_page_goes_on_behind_its_last_row_in_whichever_tier_that_is(index: Index) -> None:
    made = [replace(document(f"d{n}", serial=n), heading=("米酒",) if n % 3 == 0 else (), text=("米酒",))
            for n in range(10, 25)]  # fmt: skip
    put(index, *made)
    whole = ranked(index, "米酒")
    assert whole == [("heading", f"d{n}") for n in (24, 21, 18, 15, 12)] + [
        ("text", f"d{n}") for n in range(24, 9, -1) if n % 3]  # fmt: skip
    for size in (1, 4, 5, 7):
        seen, query = list[tuple[str, str]](), Query(phrases("米酒"), ALL, ranked=True, limit=size)
        found = index.search(query)
        assert (found.total, found.facets["kind"]) == (15, {"case": 15})
        while found.rows:
            seen += [(row.tier, row.document_id) for row in found.rows]
            found = index.search(query.behind(found.rows[-1].place, size))
            assert (found.total, found.facets) == (0, {})
        assert seen == whole


def test_filters(index: Index) -> None:
    put(index, document("d1", body_id="b1", officer_ids="p1|p2"), document("d2", body_id="b2", officer_ids="[]"),
        document("d3", body_id="b3", officer_ids="p2"))  # fmt: skip
    mine, second = Among("officer_ids", ("p1", "p3")), Among("body_id", ("b2",))
    assert ids(index, "", mine) == ["d1"]
    assert ids(index, "", Either((mine, second))) == ["d2", "d1"]
    assert ids(index, "", Every((mine, second))) == []
    assert ids(index, "", Every((Either((mine, second)), Among("body_id", ("b1", "b3"))))) == ["d1"]
    assert ids(index, "", NOTHING) == ids(index, "", Among("body_id", ())) == []
    assert ids(index, "", Among("body_id", (*(f"x{n}" for n in range(70_000)), "b3"))) == ["d3"]
    assert ids(index, "", Among("officer_ids", ("[]",))) == ["d2"]
    assert ids(index, "", Except(mine)) == ["d3", "d2"]
    assert ids(index, "", Every((mine, Except(Among("document_id", ("d1", "d3")))))) == []


def test_rows_follow_each_other_in_both_directions_and_within_days(index: Index) -> None:
    put(index, *(document(f"d{n}", day=1 + n % 3, serial=n) for n in range(10, 40)))
    newest = ids(index, "")
    assert newest == [f"d{n}" for day in (2, 1, 0) for n in range(39, 9, -1) if n % 3 == day]
    seen: list[str] = []
    after: Place | None = None
    while rows := index.search(Query((), ALL, limit=7, after=after, counted=False)).rows:
        seen += [row.document_id for row in rows]
        after = rows[-1].place
        put(index, document(f"d{100 + len(seen)}", day=9))  # what comes before does not move what follows
    assert seen == newest
    assert ids(index, "", oldest_first=True)[:30] == newest[::-1]
    second: dict[str, Any] = {"since": first_order(date(2025, 1, 2)), "until": first_order(date(2025, 1, 3)) - 1}
    assert set(ids(index, "", **second)) == {f"d{n}" for n in range(10, 40) if n % 3 == 1}


def test_totals_and_facets_count_what_is_found_and_nothing_else(index: Index) -> None:
    put(index, document("d1", cause="食品"), document("d2", cause="食品", body_id="b2"),
        document("d3", cause="合同", kind="page"), document("d4"))  # fmt: skip
    found = index.search(Query(phrases("奶"), ALL, limit=1))
    assert (len(found.rows), found.total) == (1, 2)
    assert found.facets == {"kind": {"case": 2}, "body_id": {"b1": 1, "b2": 1}, "procedure_id": {},
                            "cause": {"食品": 2}}  # fmt: skip
    assert index.search(Query(phrases("奶"), Among("body_id", ("b2",)))).facets["cause"] == {"食品": 1}


def test_an_older_write_never_replaces_a_newer_one(index: Index) -> None:
    put(index, document("d1", write=5))
    put(index, replace(document("d1", write=4), text=("旧的",)))
    assert ids(index, "旧的") == []
    put(index, replace(document("d1", write=6), heading=(), text=("新的",)), replace(document("d1", write=5)))
    assert (ids(index, "新的"), ids(index, "牛奶")) == (["d1"], [])
    put(index, Document("d1", 7, 7, 1, {"kind": ("-",)}))
    put(index, document("d1", write=6))
    assert ids(index, "", Among("kind", ("case",))) == []
    assert list(index.entries(index.current())) == [Written("d1", 7, 7, False)]


def test_a_new_index_is_seen_at_once_and_whole(index: Index) -> None:
    assert index.current() == ""
    with pytest.raises(UnavailableError, match="rebuild-search"):
        index.write([document("d1")])
    put(index, document("d1"), document("d2"))
    first, second = index.current(), index.create()
    index.write([document("d3")], second)
    assert ids(index, "") == ["d2", "d1"]
    index.refresh(second)
    assert [entry.document_id for entry in index.entries(second)] == ["d3"]
    index.switch(second)
    assert (index.current(), ids(index, "")) == (second, ["d3"])
    put(index, document("d4"))
    assert ids(index, "") == ["d4", "d3"]
    third = index.create()
    index.drop(third)
    with pytest.raises(UnavailableError):
        index.refresh(first)


def test_every_entry_is_told(index: Index) -> None:
    many = [document(f"d{n}", write=n) for n in range(1, 1203)]
    put(index, *many)
    told = {entry.document_id: (entry.version, entry.write) for entry in index.entries(index.current())}
    assert told == {one.document_id: (one.version, one.write) for one in many}


def test_what_is_written_is_there_for_another_process(index: Index) -> None:
    put(index, document("d1"))
    index.close()
    assert _reopened(index) == ["d1"]


def _reopened(index: Index) -> Sequence[str]:
    from services.search.index.elastic import ElasticIndex

    if isinstance(index, ElasticIndex):
        other: Index = ElasticIndex(index.url, index.alias)
    else:
        other = type(index)(index.folder)  # type: ignore[attr-defined, call-arg]
    found = ids(other, "")
    other.close()
    return found
