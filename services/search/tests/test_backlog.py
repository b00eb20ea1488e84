"""What the index is behind with: nothing of it tells of what is not the caller's any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from services.search.index import Index
from services.search.model.documents import Entry
from services.search.model.query import Found, Query
from services.search.settings import KNOBS
from services.search.store.ledger import Ledger, Told
from services.search.tests.scene import ABOVE, HERE, JUDGE, PARTY, THERE, Scene, page
from services.search.tests.test_search import SEEN, WORD, _check_routes, furnished
from services.search.usecases import indexing
from services.search.views import sight


def backlog(scene: Scene, case_id: str, count: int) -> None:
    """Pages that no index has yet."""
    content = {"page_id": "", "title": "", "volume": "main", "text": "积压", "internal": False, "page_number": 1,
               "received_on": ""}  # fmt: skip
    with scene.host.begin_as_system("test") as uow:
        uow.ledger.put([Told(f"page:late-{n}", "page", case_id, 1, content) for n in range(count)])


def test_a_long_backlog_hides_no_sealed_case_and_is_not_read(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    furnished(scene)
    backlog(scene, "c1", 1100)
    scene.case("c3", f"邻院{WORD}案", body_id=THERE, cause="运输合同纠纷", sealed=True, version=2)
    read: list[str] = []
    real = Ledger.read

    def counted(ledger: Ledger, query: Any, **asked: Any) -> list[tuple[Entry, Sequence[Any]]]:
        rows = real(ledger, query, **asked)
        read.extend(entry.document_id for entry, _ in rows)
        return rows

    monkeypatch.setattr(Ledger, "read", counted)
    told = scene.search(ABOVE, WORD, limit=1, case_id="c3")
    assert (told.HasField("total"), told.total, list(told.facets), told.next_cursor) == (True, 0, [], "")
    assert read == []
    _check_routes(scene, ABOVE, [one for one in SEEN["above"] if one != "case:c3"])


def test_too_far_behind_nothing_is_counted_and_pages_are_whole(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    furnished(scene)
    monkeypatch.setattr(sight, "KNOBS", replace(KNOBS, most_late=1))
    backlog(scene, "c1", 1)
    scene.case("c3", f"邻院{WORD}案", body_id=THERE, cause="运输合同纠纷", sealed=True, version=2)
    told = scene.search(ABOVE, WORD, limit=2, sort="newest")
    assert (told.HasField("total"), list(told.facets)) == (False, [])
    left = [one for one in SEEN["above"] if one != "case:c3"]
    rest = scene.search(ABOVE, WORD, limit=2, sort="newest", cursor=told.next_cursor)
    assert sorted(hit.document_id for hit in (*told.hits, *rest.hits)) == sorted(left)
    assert rest.next_cursor == ""
    for sort in ("newest", "oldest", "relevance"):
        assert scene.search(ABOVE, WORD, limit=3, sort=sort).next_cursor == ""
    alone = scene.search(ABOVE, WORD, case_id="c3")  # one case can always be told of
    assert (alone.HasField("total"), alone.total, list(alone.hits)) == (True, 0, [])


def test_what_is_closed_while_the_engine_answers_counts_nowhere(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not on the page that is shown; each answer of the engine may be the one that came too early."""
    furnished(scene)
    assert [hit.document_id for hit in scene.search(ABOVE, WORD, limit=1, sort="newest").hits] == ["instrument:i1"]
    ask = type(scene.index).search

    def ask_and_seal(index: Index, query: Query) -> Found:
        found: Found = ask(index, query)
        monkeypatch.setattr(type(scene.index), "search", ask)
        scene.case("c3", f"邻院{WORD}案", body_id=THERE, cause="运输合同纠纷", sealed=True, version=2)
        return found

    monkeypatch.setattr(type(scene.index), "search", ask_and_seal)
    told = scene.search(ABOVE, WORD, limit=1, sort="newest")
    assert ([hit.document_id for hit in told.hits], told.total) == (["instrument:i1"], 3)
    assert {facet.value for facet in told.facets if facet.field == "body_id"} == {HERE}


def test_a_page_that_was_hidden_a_second_ago_counts_nowhere(scene: Scene) -> None:
    furnished(scene)
    scene.change_page("c1", page("g1", 2, shown=False), WORD)
    left = ["instrument:i1", "instrument:i2", "case:c1", "party:c1-0"]
    assert sorted(scene.found(JUDGE, WORD)) == sorted(left)
    _check_routes(scene, JUDGE, left)
    scene.serve("c1", "i1", "a-qian")  # late, but still the first party's
    assert scene.found(PARTY, WORD, kinds=["instrument"]) == ["instrument:i1"]


def test_what_comes_while_many_are_written_goes_with_the_next_write(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write costs the same for one document as for hundreds; a few documents wait for nobody."""
    furnished(scene)
    written: list[int] = []
    write = type(scene.index).write

    def counted(self: Index, documents: Sequence[Any], name: str = "") -> None:
        written.append(len(documents))
        write(self, documents, name)

    class Meanwhile:
        def wait(self, seconds: float) -> None:
            assert seconds == KNOBS.gather_seconds
            scene.page("c1", page("late-a"), "后到")
            scene.page("c1", page("late-b"), "后到")

    monkeypatch.setattr(type(scene.index), "write", counted)
    monkeypatch.setattr(indexing, "Event", Meanwhile)
    backlog(scene, "c1", KNOBS.busy)
    scene.catch_up()
    assert written == [KNOBS.busy, 2]
