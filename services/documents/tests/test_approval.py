"""Who signs: seats from the pack's rules over people and the case. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from services.documents.model.approval import Person, Seat, seats, signers_text
from services.documents.model.case import Body, Case
from services.documents.tests.packs import DECISION, JUDGMENT, bundle
from services.kit.procedure.bundle import load_bundle
from services.kit.procedure.model import ActorRule, ApprovalRule, Level

ON = date(2025, 3, 3)
BODY = Body("b", "某局", "bureau", "江", "upper", {"d1": "legal", "d2": "enforcement"})
CARD: dict[str, Any] = {"officer_ids": ["p1"], "panel_ids": [], "department_id": "d2", "case_number": ""}
CASE = Case("c", BODY, ("p", "1"), CARD, actors={"verify": ["p9"]})


def person(person_id: str, *roles: str, body: str = "b", departments: tuple[str, ...] = (), **more: Any) -> Person:
    return Person(person_id, person_id, body, frozenset(roles), frozenset(departments), **more)


def fits(rule: ActorRule, who: Person) -> bool:
    return Seat("签批人", rules=(rule,)).fits(who, CASE, ON)


def test_role_body_and_department() -> None:
    leader = ActorRule(role="body_leader")
    assert fits(leader, person("p2", "body_leader"))
    assert not fits(leader, person("p2", "case_officer"))
    assert not fits(leader, person("p2", "body_leader", body="elsewhere"))
    above = ActorRule(role="body_leader", in_="superior_body")
    assert fits(above, person("p2", "body_leader", body="upper"))
    assert not fits(above, person("p2", "body_leader"))
    legal = ActorRule(role="legal_reviewer", department_kind="legal")
    assert fits(legal, person("p2", "legal_reviewer", departments=("d1",)))
    assert not fits(legal, person("p2", "legal_reviewer", departments=("d2",)))
    own = ActorRule(role="division_head", in_="department")
    assert fits(own, person("p2", "division_head", departments=("d2",)))
    assert not fits(own, person("p2", "division_head", departments=("d1",)))


def test_relations_bars_and_qualifications() -> None:
    officer = ActorRule(relation="case_officer")
    assert fits(officer, person("p1"))
    assert not fits(officer, person("p2"))
    reviewer = ActorRule(role="case_reviewer", not_relation=("case_officer",), not_actor_of=("verify",))
    assert fits(reviewer, person("p2", "case_reviewer"))
    assert not fits(reviewer, person("p1", "case_reviewer"))
    assert not fits(reviewer, person("p9", "case_reviewer"))
    again = ActorRule(actor_of="verify")
    assert fits(again, person("p9"))
    assert not fits(again, person("p1"))
    licensed = ActorRule(relation="case_officer", qualification="law_enforcement_certificate")
    held = ("law_enforcement_certificate", "2020-01-01", "2025-03-03")
    assert fits(licensed, person("p1", qualifications=(held,)))
    assert not fits(licensed, person("p1", qualifications=((*held[:2], "2025-03-02"),)))
    assert not fits(licensed, person("p1"))


def test_the_last_firm_level_of_the_node_approves() -> None:
    pack = load_bundle(bundle("bureau"))
    rule = next(r for r in pack.instruments if r.id == DECISION)
    levels = (
        Level("head", (ActorRule(role="division_head"),)), Level("leader", (ActorRule(role="body_leader"),)),
        Level("meeting", (ActorRule(role="court_president"),), when="true"),
    )  # fmt: skip
    node = replace(pack.nodes["decide"], approval=ApprovalRule("sequence", levels))
    (seat,) = seats(replace(pack, nodes={**pack.nodes, "decide": node}), rule, CASE)
    assert [r.role for r in seat.rules] == ["body_leader", "court_president"]
    bare = replace(node, approval=ApprovalRule("none"))
    (seat,) = seats(replace(pack, nodes={**pack.nodes, "decide": bare}), rule, CASE)
    assert [r.relation for r in seat.rules] == ["case_officer"]


@pytest.mark.parametrize(("panel", "titles"), [
    (["j1", "j2", "j3"], ["审判长 j1", "审判员 j2", "审判员 j3", "书记员 "]), ([], ["审判员 p1", "书记员 "]),
    (["j1"], ["审判员 j1", "书记员 "]),
])  # fmt: skip
def test_the_panel_sits_once_each(panel: list[str], titles: list[str]) -> None:
    pack = load_bundle(bundle("court"))
    rule = next(r for r in pack.instruments if r.id == JUDGMENT)
    found = seats(pack, rule, replace(CASE, card=CARD | {"panel_ids": panel}))
    assert [f"{s.title} {s.person_id}" for s in found] == titles


def test_without_signature_the_body_stands_there() -> None:
    assert signers_text([], "某某法院") == "某某法院"
