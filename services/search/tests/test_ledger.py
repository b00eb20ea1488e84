"""The ledger: what is told again leaves the index alone; what has changed is due, and all that an upgrade touches."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import select, text

from anjuan.kit.v1.cards_pb2 import PartyCard
from services.kit import run, schema
from services.search.__main__ import ROOM
from services.search.index import embedded
from services.search.model.documents import register_of
from services.search.store.ledger import Told
from services.search.tables import documents
from services.search.tests.scene import PRESIDENT, Scene, card, page

REGISTER = register_of(card(title="甲案", parties=[PartyCard(party_id="c1-1", name="甲", role="plaintiff")]))
CIRCLE: dict[str, Any] = {"department_id": "d-civil", "officer_ids": ["p-judge"], "panel_ids": []}


OF_CASE = {case_id: [Told(f"case:{case_id}", "case", case_id, 3, {}),
                     Told(f"party:{case_id}-1", "party", case_id, 3, {"name": "甲"})] for case_id in ("c1", "c2")}


def written(scene: Scene) -> dict[str, int]:
    """The number of each document's last write."""
    with scene.host.engine.begin() as connection:
        return {row.document_id: row.write for row in connection.execute(select(documents))}


def waiting(scene: Scene) -> list[str]:
    with scene.host.engine.begin() as connection:
        return list(connection.execute(select(schema.jobs.c.kind).where(schema.jobs.c.done_at.is_(None))).scalars())


def told(scene: Scene) -> dict[str, int]:
    """Two cases of several documents, the index up to date; the writes."""
    with scene.host.begin_as_system("test") as uow:
        for case_id in ("c1", "c2"):
            uow.ledger.tell_register(case_id, 3, REGISTER, OF_CASE[case_id])
            uow.ledger.tell_circle(case_id, CIRCLE)
            uow.ledger.put([Told(f"party:{case_id}-2", "party", case_id, 3, None)])
    scene.catch_up()
    return written(scene)


def touched(scene: Scene, before: dict[str, int]) -> set[str]:
    return {name for name, write in written(scene).items() if write > before[name]}


def test_a_register_told_again_touches_nothing_and_a_changed_one_its_case(scene: Scene) -> None:
    before = told(scene)
    for version, again in ((3, REGISTER), (4, dict(reversed(REGISTER.items())))):
        with scene.host.begin_as_system("test") as uow:
            uow.ledger.tell_register("c1", version, again, OF_CASE["c1"])
    assert (touched(scene, before), waiting(scene)) == (set(), [])
    with scene.host.begin_as_system("test") as uow:
        uow.ledger.tell_register("c1", 3, REGISTER | {"title": "乙案"}, [])
    assert (touched(scene, before), waiting(scene)) == (set(), []), "version 4 is kept"
    with scene.host.begin_as_system("test") as uow:
        uow.ledger.tell_register("c1", 5, REGISTER | {"title": "乙案"}, OF_CASE["c1"])
    assert (touched(scene, before), waiting(scene)) == ({"case:c1", "party:c1-1", "party:c1-2"}, ["index_changes"])


def test_of_what_one_batch_tells_of_a_case_the_last_is_kept(scene: Scene) -> None:
    before = told(scene)
    with scene.host.begin_as_system("test") as uow:
        for version, title in ((5, "乙案"), (6, "丙案"), (6, "丁案"), (4, "戊案")):
            uow.ledger.tell_register("c1", version, REGISTER | {"title": title}, OF_CASE["c1"][:1])
        for department_id in ("d-one", "d-other"):
            uow.ledger.tell_circle("c1", CIRCLE | {"department_id": department_id})
    with scene.host.begin_as_system("test") as uow:
        found = {entry.document_id: entry for entry in uow.ledger.due(10)}
    assert touched(scene, before) == set(found) == {"case:c1", "party:c1-1", "party:c1-2"}
    assert found["party:c1-1"].content is None, "the register has dropped it"
    assert (found["case:c1"].register["title"], found["case:c1"].circle["department_id"]) == ("丁案", "d-other")


def test_what_is_told_while_an_index_is_built_stands_against_an_export_read_before(scene: Scene) -> None:
    """An account that was confirmed meanwhile changes the register and not its version."""
    told(scene)
    with scene.host.begin_as_system("test") as uow:
        begun = uow.connection.execute(text("select nextval('writes')")).scalar_one()
        uow.ledger.tell_register("c1", 3, REGISTER | {"title": "乙案"}, OF_CASE["c1"])
    with scene.host.begin_as_system("test") as uow:
        for case_id in ("c1", "c2"):
            uow.ledger.tell_register(case_id, 3, REGISTER | {"title": "导出"}, OF_CASE[case_id])
        uow.ledger.write(begun)
        titles = {entry.case_id: entry.register["title"] for entry in uow.ledger.after("", 10)}
    assert titles == {"c1": "乙案", "c2": "导出"}


def test_a_circle_told_again_touches_nothing_and_a_changed_one_its_case(scene: Scene) -> None:
    before = told(scene)
    with scene.host.begin_as_system("test") as uow:
        uow.ledger.tell_circle("c1", dict(reversed(CIRCLE.items())))
    assert (touched(scene, before), waiting(scene)) == (set(), [])
    with scene.host.begin_as_system("test") as uow:
        uow.ledger.tell_circle("c1", CIRCLE | {"department_id": "d-other"})
    assert (touched(scene, before), waiting(scene)) == ({"case:c1", "party:c1-1", "party:c1-2"}, ["index_changes"])


def as_of_before(scene: Scene) -> None:
    """The database as the release before left it, brought up to date."""
    with scene.host.engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '0002'"))
    run.migrate(ROOM, scene.host.settings)


def test_an_upgrade_cuts_the_index_anew_in_place(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    as_of_before(scene)
    assert waiting(scene) == [], "nothing is kept yet"
    with monkeypatch.context() as before:  # letters and digits were one word
        before.setattr(embedded, "cut", lambda told: tuple(re.findall(r"[a-z0-9]+|[^\W_0-9a-z]", told.lower())))
        scene.case("c1", "粤A12345号小型轿车案", parties=[("甲", "")])
        scene.case("c1", "粤A12345号小型轿车案", version=2)
        scene.page("c1", page("g1"), "粤A12345号小型轿车")
        scene.catch_up()
    index = scene.index.current()
    assert scene.found(PRESIDENT, "粤A12345") == []
    as_of_before(scene)
    with scene.host.begin_as_system("test") as uow:
        assert {one.document_id for one in uow.ledger.due(10)} == {"case:c1", "page:g1"}
    assert waiting(scene) == ["index_changes"]
    scene.catch_up()
    assert sorted(scene.found(PRESIDENT, "粤A12345")) == ["case:c1", "page:g1"]
    assert scene.index.current() == index
