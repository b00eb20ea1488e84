"""Who finds what: every route (hits, totals, facets, highlights, cursors) for every width of person and kind."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from anjuan.archive.v1.events_pb2 import PageFacts
from anjuan.identity.v1.events_pb2 import PersonChanged
from anjuan.identity.v1.identity_pb2 import Appointment, Person
from services.kit import schema
from services.kit.errors import InvalidInputError
from services.kit.identity import Actor
from services.search.index import Index
from services.search.index.elastic import ElasticIndex
from services.search.model.query import Found, Query
from services.search.tests.scene import (
    ABOVE,
    CLERK,
    EVERYBODY,
    HERE,
    JUDGE,
    NEIGHBOUR,
    OPERATOR,
    OTHER_PARTY,
    PARTY,
    PRESIDENT,
    REGISTRAR,
    THERE,
    Scene,
    page,
)

WORD = "青花瓷瓶"  # stands in everything
INTERNAL = "评议秘密"
OPEN = ["case:c1", "party:c1-0", "instrument:i1", "page:g1"]
MINOR = ["case:c2", "instrument:i3"]
ELSEWHERE = ["case:c3", "page:g5"]
# who finds which documents by a word that stands in all of them
SEEN: dict[str, list[str]] = {
    "judge": [*OPEN, "instrument:i2"], "president": [*OPEN, "instrument:i2", *MINOR], "clerk": OPEN,
    "registrar": [*OPEN, *MINOR], "scanner": ["case:c1", "party:c1-0"], "neighbour": ELSEWHERE,
    "above": ["case:c1", "party:c1-0", "instrument:i1", "case:c3"],
    "above-head": ["case:c1", "party:c1-0", "instrument:i1", *MINOR, "case:c3"],
    "administrator": [], "赵一": ["case:c1", "party:c1-0", "instrument:i1"], "钱二": ["case:c1", "party:c1-0"],
    "欧阳举报": [],
}  # fmt: skip


def furnished(scene: Scene) -> Scene:
    """A case here with everything, a minor's, a sealed and a secret one here, and one at the neighbour's."""
    parties = [(f"{WORD}店", "a-zhao"), ("钱二", "a-qian")]
    scene.case("c1", f"赵一诉钱二{WORD}案", parties=parties, case_number="（2025）粤0703民初1号",
               reporter_account_id="a-whistle")  # fmt: skip
    scene.assign("c1", JUDGE, department="d-civil")
    scene.instrument("c1", "i1", f"{WORD}判决书", f"本院认为，{WORD}应当返还。", number="（2025）粤0703民初1号")
    scene.serve("c1", "i1", "a-zhao")
    scene.instrument("c1", "i2", f"{WORD}合议笔录", f"{INTERNAL}{WORD}", internal=True)
    scene.page("c1", page("g1"), f"证据一：\n{WORD}照片")
    for page_id, facts in (("g2", {"internal": True, "volume_kind": "internal"}), ("g3", {"shown": False}),
                           ("g4", {"volume_kind": "", "volume": ""})):  # fmt: skip
        scene.page("c1", page(page_id, **facts), f"{INTERNAL}{WORD}欧阳举报")
    scene.case("c2", f"少年{WORD}案", involves_minor=True)
    scene.instrument("c2", "i3", f"{WORD}裁定书", WORD)
    scene.case("c3", f"邻院{WORD}案", body_id=THERE, cause="运输合同纠纷")
    scene.page("c3", page("g5"), WORD)
    scene.case("c4", f"封存{WORD}案", sealed=True)
    scene.case("c5", f"涉密{WORD}案", secrecy_level=2)
    scene.catch_up()
    return scene


def test_everybody_finds_what_the_policy_lets_him_and_nothing_else(scene: Scene) -> None:
    furnished(scene)
    for actor in EVERYBODY:
        expected = list(SEEN[actor.name])
        if actor is PRESIDENT:
            expected += ["case:c4", "case:c5"]
        assert sorted(scene.found(actor, WORD)) == sorted(expected), actor.name
        for sort in ("newest", "oldest"):
            assert sorted(scene.found(actor, WORD, sort=sort)) == sorted(expected), (actor.name, sort)
        _check_routes(scene, actor, expected)
    assert scene.found(OPERATOR, WORD) == []


def _check_routes(scene: Scene, actor: Actor, expected: list[str]) -> None:
    """Totals, facets, filters and highlights tell no more than the hits."""
    whole = scene.search(actor, WORD, limit=50)
    assert whole.total == len(whole.hits) == len(expected)
    told: dict[str, Counter[str]] = {"kind": Counter(), "body_id": Counter(), "cause": Counter()}
    for hit in whole.hits:
        told["kind"][hit.kind] += 1
        told["body_id"][hit.body_id] += 1
        told["cause"][hit.cause] += 1
        assert all(f"\u0002{WORD}\u0003" in piece for piece in hit.highlights), hit
        assert hit.highlights or hit.kind == "party"
        assert INTERNAL not in "".join(hit.highlights)
    facets = {name: Counter({f.value: f.count for f in whole.facets if f.field == name}) for name in told}
    assert facets == told, actor.name
    assert scene.search(actor, INTERNAL).total == 0
    assert scene.search(actor, "欧阳举报").total == 0
    for kind in ("case", "party", "instrument", "page"):
        mine = sorted(one for one in expected if one.startswith(f"{kind}:"))
        assert sorted(scene.found(actor, WORD, kinds=[kind])) == mine
    for case_id in ("c1", "c2", "c3", "c4", "c5"):
        assert scene.search(actor, WORD, case_id=case_id).total <= len(expected)
    bodies = {body: scene.search(actor, WORD, body_id=body).total for body in (HERE, THERE)}
    assert sum(bodies.values()) == len(expected)


def test_a_page_is_one_question_to_the_engine(elastic_scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    furnished(elastic_scene)
    for actor in (JUDGE, PARTY, ABOVE):
        _check_routes(elastic_scene, actor, SEEN[actor.name])
        assert sorted(elastic_scene.found(actor, WORD)) == sorted(SEEN[actor.name])
    assert isinstance(elastic_scene.index, ElasticIndex)
    transport, asked = elastic_scene.index.client.transport, list[str]()
    real = transport.perform_request

    def noted(method: str, target: str, **more: Any) -> Any:
        asked.append(target)
        return real(method, target, **more)

    monkeypatch.setattr(transport, "perform_request", noted)
    first = elastic_scene.search(JUDGE, WORD, limit=2)
    second = elastic_scene.search(JUDGE, WORD, limit=2, cursor=first.next_cursor)
    assert (len(first.hits), len(second.hits), first.total, second.total) == (2, 2, 5, 5)
    assert asked == ["/anjuan-search/_search"] * 2


def test_nothing_of_the_internal_volume_or_a_reporter_lies_in_the_index(scene: Scene) -> None:
    furnished(scene)
    scene.index.close()
    folder = Path(scene.host.settings.search.removeprefix("file://"))
    with scene.host.engine.begin() as connection:
        kept = str(connection.exec_driver_sql("select content from documents").all())
        register = str(connection.exec_driver_sql("select register from cases").all())
    assert WORD in kept
    for secret in ("评议秘", "欧阳举", "评_议", "欧_阳", "a-whistle"):
        assert secret not in kept + register
        assert not [path for path in folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]


def test_a_served_instrument_appears_for_the_one_it_is_served_on(scene: Scene) -> None:
    furnished(scene)
    assert scene.found(OTHER_PARTY, WORD, kinds=["instrument"]) == []
    scene.serve("c1", "i1", "a-qian")
    scene.catch_up()
    assert scene.found(OTHER_PARTY, WORD, kinds=["instrument"]) == ["instrument:i1"]


def test_who_leaves_a_case_and_a_case_that_is_sealed_are_followed(scene: Scene) -> None:
    furnished(scene)
    scene.assign("c1", CLERK, department="d-civil")
    scene.catch_up()
    assert scene.found(JUDGE, WORD) == []
    assert sorted(scene.found(CLERK, WORD)) == sorted([*OPEN, "instrument:i2"])
    scene.case("c1", f"赵一诉钱二{WORD}案", sealed=True, version=2)
    hits = scene.search(CLERK, WORD, limit=50).hits  # the index lags; the cards here do not
    left = {"case:c1", "instrument:i1", "instrument:i2", "page:g1"}  # c1-0 and c1-1 are parties no more
    assert {hit.document_id for hit in hits} == left
    assert scene.search(REGISTRAR, WORD, limit=50, case_id="c1").hits == []
    scene.catch_up()
    assert scene.search(REGISTRAR, WORD, case_id="c1").total == 0
    assert set(scene.found(CLERK, WORD, case_id="c1")) == left


def test_what_changed_a_second_ago_counts_nowhere(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two bodies below: a case that is sealed before the index knows, and one while the question is asked."""
    furnished(scene)
    both = SEEN["above"]
    _check_routes(scene, ABOVE, both)
    scene.case("c3", f"邻院{WORD}案", body_id=THERE, cause="运输合同纠纷", sealed=True, version=2)
    left = [one for one in both if one != "case:c3"]
    assert sorted(scene.found(ABOVE, WORD)) == sorted(left)
    _check_routes(scene, ABOVE, left)
    assert "case:c3" in scene.found(NEIGHBOUR, WORD)
    ask = type(scene.index).search

    def ask_and_seal(index: Index, query: Query) -> Found:
        found: Found = ask(index, query)
        monkeypatch.setattr(type(scene.index), "search", ask)
        scene.case("c1", f"赵一诉钱二{WORD}案", sealed=True, version=2)
        return found

    monkeypatch.setattr(type(scene.index), "search", ask_and_seal)
    told = scene.search(ABOVE, WORD, limit=50)
    assert (told.total, list(told.hits), list(told.facets)) == (0, [], [])


def test_a_post_that_was_taken_away_finds_nothing_though_the_token_lives(scene: Scene) -> None:
    furnished(scene)
    post = Appointment(body_id=ABOVE.body_id, role="supervisor")
    for posts, found in (([post], SEEN["above"]), ([], [])):
        someone = Person(person_id=ABOVE.person_id, name=ABOVE.name, state="active", appointments=posts)
        scene.hears("identity", PersonChanged(person=someone), ABOVE.person_id)
        assert sorted(scene.found(ABOVE, WORD)) == sorted(found)
    assert not scene.search(ABOVE, WORD).facets


def test_pages_that_are_hidden_moved_and_read_anew(scene: Scene) -> None:
    furnished(scene)

    def seen(facts: PageFacts, text: str = WORD, read: bool = True) -> list[str]:
        scene.change_page("c1", facts, text, read)
        scene.catch_up()
        return scene.found(JUDGE, text, kinds=["page"])

    assert seen(page("g1", 2, shown=False)) == []
    assert seen(page("g1", 3)) == ["page:g1"]
    assert seen(page("g1", 4), read=False) == []
    assert seen(page("g1", 5, internal=True, volume_kind="internal")) == []
    assert seen(page("g1", 6, page_number=9), "重新识别") == ["page:g1"]
    (hit,) = scene.search(JUDGE, "重新识别").hits
    assert (hit.page_id, hit.page_number, hit.on, hit.case_number) == ("g1", 9, "2025-03-06", "（2025）粤0703民初1号")
    assert hit.title == "扫描件.pdf"
    assert seen(page("g1", 7, received_on="2025-02-10"), "重新识别") == ["page:g1"]
    assert scene.search(JUDGE, "重新识别").hits[0].on == "2025-02-10"  # its body's legal date, which may be moved


def test_relevance_puts_the_number_first_then_headings_then_the_newest(scene: Scene) -> None:
    furnished(scene)
    assert scene.found(JUDGE, "（2025）粤0703民初1号")[:2] == ["case:c1", "instrument:i1"]
    assert scene.found(JUDGE, WORD) == ["instrument:i2", "instrument:i1", "party:c1-0", "case:c1", "page:g1"]
    assert scene.found(JUDGE, WORD, sort="oldest")[:2] == ["case:c1", "party:c1-0"]
    assert scene.found(JUDGE, WORD, to="2025-03-05") == ["party:c1-0", "case:c1"]
    assert scene.found(JUDGE, WORD, **{"from": "2025-03-06", "to": "2025-03-06"}) == ["page:g1"]


def test_pages_of_a_dossier_that_were_shown_are_on_the_record(scene: Scene) -> None:
    furnished(scene)
    scene.search(CLERK, WORD, limit=50)
    with scene.host.engine.begin() as connection:
        rows = connection.execute(select(schema.audit).where(schema.audit.c.action == "find_pages")).all()
    assert [(row.actor["id"], row.case_id, row.detail) for row in rows] == [("p-clerk", "c1", {"pages": ["page:g1"]})]


@pytest.mark.parametrize(("field", "wrong"), [
    ("text", "“青花"), ("kinds", ["person"]), ("sort", "best"), ("from", "2025-13-01"), ("to", "昨天"),
    ("cursor", "!"), ("limit", -1), ("cause", "案" * 301),
])  # fmt: skip
def test_bad_questions_are_told(scene: Scene, field: str, wrong: object) -> None:
    with pytest.raises(InvalidInputError):
        scene.search(JUDGE, **{"text": WORD} | {field: wrong})  # type: ignore[arg-type]


def test_a_cursor_belongs_to_its_question(scene: Scene) -> None:
    furnished(scene)
    cursor = scene.search(JUDGE, WORD, limit=1).next_cursor
    assert scene.search(JUDGE, WORD, limit=3, cursor=cursor).hits
    for other in ({"text": "照片"}, {"sort": "oldest"}, {"kinds": ["case"]}):
        with pytest.raises(InvalidInputError, match="第一页"):
            scene.search(JUDGE, **{"text": WORD, "cursor": cursor} | other)
    with pytest.raises(InvalidInputError, match="晚于"):
        scene.search(JUDGE, WORD, **{"from": "2025-02-02", "to": "2025-02-01"})
