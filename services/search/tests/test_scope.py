"""Proof that what the index finds is what access.case_filter lists, for random people and cases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection, delete, insert, select

from services.kit import run, schema
from services.kit.access import case_filter
from services.kit.access.rules import RULES
from services.kit.identity import Actor
from services.kit.tests.test_access_scope import ANCESTORS, World, _world
from services.search.index import Index
from services.search.index.embedded import TantivyIndex
from services.search.model import filters
from services.search.model.documents import Entry, document_of
from services.search.model.filters import Among, Every, Filter
from services.search.model.query import Query

WORLDS = 150
REGISTER = {"title": "案", "case_number": "", "cause": "", "procedure_id": "", "received_on": "2025-01-01",
            "docketed_on": "", "parties": []}  # fmt: skip
CIRCLE = ("department_id", "officer_ids", "panel_ids")
PAPER = {"title": "文书", "number": "", "text": "", "issued_on": "", "served": {"s": ["a1"]}}
PAGE = {"title": "", "text": "页", "received_on": "", "internal": False}


def documents(case: Mapping[str, Any]) -> Iterator[Entry]:
    """One of each kind for a case; the instruments are served on account a1."""
    circle = {name: case[name] for name in CIRCLE}
    register = {name: value for name, value in case.items() if name not in CIRCLE} | REGISTER
    contents: dict[str, dict[str, Any]] = {"case": {}, "instrument": PAPER | {"internal": False}, "page": PAGE,
                "internal": PAPER | {"internal": True}}  # fmt: skip
    for name, content in contents.items():
        kind = "instrument" if name == "internal" else name
        serial = next(_serials)
        yield Entry(f"{name}:{case['case_id']}", kind, case["case_id"], 1, serial, 1, content, register, circle)


_serials = iter(range(1, 10**9))


@pytest.fixture(scope="module")
def worlds(migrated: run.Host) -> Iterator[tuple[Connection, list[World]]]:
    """Random worlds, their cases in one table."""
    draw, made = Random(20250303), []
    for number in range(WORLDS):
        world = _world(draw, RULES)
        for case in world.cases:
            case["case_id"] = f"w{number}-{case['case_id']}"
        made.append(world)
    with migrated.engine.connect() as connection:
        for table in (schema.case_card, schema.body_tree):
            connection.execute(delete(table))
        connection.execute(insert(schema.body_tree), [
            {"body_id": body, "parent_id": up[0] if up else None, "root_id": "province", "ancestor_ids": up,
             "name": body, "kind": "court", "tier": "basic"} for body, up in ANCESTORS.items()
        ])  # fmt: skip
        connection.execute(insert(schema.case_card), [case for world in made for case in world.cases])
        yield connection, made
        connection.rollback()


@pytest.fixture(scope="module")
def index(worlds: tuple[Connection, list[World]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """All documents of all worlds."""
    opened = TantivyIndex(Path(tmp_path_factory.mktemp("scope")))
    opened.switch(opened.create())
    opened.write([document_of(entry) for world in worlds[1] for case in world.cases for entry in documents(case)])
    yield opened
    opened.close()


def below(body_id: str) -> list[str]:
    return [body for body, above in ANCESTORS.items() if body_id in above]


def found(index: Index, actor: Actor, ids: list[str]) -> dict[str, set[str]]:
    """Cases by the kind of what the index finds of them."""
    within: Filter = Every((filters.reach(actor, below), Among("case_id", tuple(ids))))
    rows = index.search(Query((), within, limit=100)).rows
    told: dict[str, set[str]] = {"case": set(), "instrument": set(), "page": set(), "internal": set()}
    for row in rows:
        kind, _, case_id = row.document_id.partition(":")
        told[kind].add(case_id)
    return told


def listed(connection: Connection, actor: Actor, ids: list[str]) -> dict[str, set[str]]:
    """The same by SQL."""
    def by(action: str) -> set[str]:
        card = schema.case_card
        query = select(card.c.case_id).where(case_filter(actor, action), card.c.case_id.in_(ids))
        return set(connection.execute(query).scalars())

    viewed = by("view_case") | by("view_dossier")
    if actor.kind == "party":
        viewed = viewed if actor.account_id == "a1" else set()
    internal = set() if actor.kind == "party" else viewed & by("view_internal")
    return {"case": by("list_cases"), "instrument": viewed, "page": by("view_dossier"), "internal": internal}


def prove(index: Index, worlds: tuple[Connection, list[World]]) -> int:
    """How many documents were found in all worlds; each world agrees."""
    connection, made = worlds
    total = 0
    for world in made:
        ids = [case["case_id"] for case in world.cases]
        seen = found(index, world.actor, ids)
        assert seen == listed(connection, world.actor, ids), world
        total += sum(map(len, seen.values()))
    return total


def test_the_index_finds_what_the_filter_lists(index: Index, worlds: tuple[Connection, list[World]]) -> None:
    assert prove(index, worlds) > WORLDS


@pytest.mark.parametrize("op", ["is", "below", "among", "has", "empty", "under", "fact"])
def test_the_proof_fails_when_a_need_is_forgotten(
    index: Index, worlds: tuple[Connection, list[World]], monkeypatch: pytest.MonkeyPatch, op: str
) -> None:
    real = filters._need
    monkeypatch.setattr(filters, "_need", lambda need, below: Every(()) if need.op == op else real(need, below))
    with pytest.raises(AssertionError):
        prove(index, worlds)


@pytest.mark.parametrize(("role", "bodies"), [("judge", []), ("archivist", []), ("supervisor", ["here"])])
def test_bodies_below_are_asked_for_once_and_only_for_one_whom_they_serve(role: str, bodies: list[str]) -> None:
    asked: list[str] = []

    def under(body_id: str) -> list[str]:
        asked.append(body_id)
        return ["there"]

    filters.reach(Actor("staff", "p1", "", "here", frozenset({role}), frozenset({"d1"})), cache(under))
    assert asked == bodies
