"""Proof that the list filter and the policy decision are one: random people and cases on real PostgreSQL.

Every mutation of a rule of the filter (dropped, one need dropped, sealed flipped, roles or reason forgotten)
must make the same proof fail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, insert, literal, select

from services.kit import schema
from services.kit.access import case_filter
from services.kit.access import rules as rules_module
from services.kit.access.decide import Facts, case_entities, decide
from services.kit.access.rules import RULES, Need, Rule
from services.kit.identity import Actor
from services.kit.settings import Settings

# province -> two cities -> counties; "lost" is a body whose tree has not arrived here
ANCESTORS = {
    "province": [], "city": ["province"], "twin": ["province"],
    "county": ["city", "province"], "sister": ["city", "province"], "cousin": ["twin", "province"],
}  # fmt: skip
ACTIONS = sorted({action for rule in RULES for action in rule.actions})
PEOPLE, ACCOUNTS, DEPARTMENTS = ["p1", "p2", "p3"], ["a1", "a2"], ["d1", "d2"]
STATES = ["received", "accepted", "docketed", "declined", "not_docketed", "closed"]
WIDTHS = [(False, 0, False)] * 3 + [(False, 1, False), (True, 0, False), (False, 2, False), (False, 0, True)] * 2 + [
    (True, 2, True), (False, 2, True), (True, 0, True),
]  # sealed, secrecy, minor
NAMED_ROLES = sorted(frozenset[str]().union(*(rule.roles for rule in RULES)) | {"body_administrator"})


@dataclass(frozen=True)
class World:
    actor: Actor
    reason: str
    cases: list[dict[str, Any]]
    candidates: frozenset[str]
    filers: frozenset[str] = frozenset()


@pytest.fixture(scope="module")
def connection(rig: Any) -> Iterator[Connection]:
    at: Settings = rig.fresh_database("access_scope")
    engine = create_engine(at.database_url("access_scope", "psycopg"))
    with engine.begin() as setting_up:
        schema.upgrade_1(setting_up)
        setting_up.execute(insert(schema.body_tree), [
            {"body_id": body, "parent_id": up[0] if up else None, "root_id": "province", "ancestor_ids": up,
             "name": body, "kind": "court", "tier": "basic"} for body, up in ANCESTORS.items()
        ])  # fmt: skip
    with engine.connect() as opened:
        yield opened
    engine.dispose()


def _some(draw: Random, values: Sequence[str], most: int = 2) -> list[str]:
    return draw.sample(list(values), draw.randint(0, most))


def _actor(draw: Random, aim: Rule) -> Actor:
    kind = draw.choice([aim.kind] * 20 + ["staff", "party", "station", "operator", "system"])
    aimed = draw.choice(sorted(aim.roles) or [""]) if draw.randrange(4) else ""
    stray = draw.choice([*[""] * 20, *NAMED_ROLES])
    body = draw.choice(["city"] * 8 + ["province", "county", "twin", "lost", ""])
    return Actor(
        kind=kind, person_id=draw.choice(PEOPLE), name="某人",
        account_id=draw.choice([*ACCOUNTS * 3, ""]) if kind == "party" else "",
        roles=frozenset({aimed, stray} - {""}) if kind == "staff" else frozenset(),
        body_id="" if kind == "party" else body,
        department_ids=frozenset(draw.choice([("d1",)] * 4 + [(), ("d1", "d2")])),
        rule=draw.choice(["", "clock"]) if kind == "system" else "",
    )  # fmt: skip


def _random_case(draw: Random, case_id: str) -> dict[str, Any]:
    sealed, secrecy, minor = draw.choice(WIDTHS)
    return {
        "case_id": case_id, "body_id": draw.choice(["city"] * 4 + [*ANCESTORS, "county", "lost", ""]),
        "state": draw.choice(STATES), "department_id": draw.choice(["", *DEPARTMENTS]),
        "secrecy_level": secrecy, "sealed": sealed, "involves_minor": minor,
        "officer_ids": _some(draw, PEOPLE), "panel_ids": _some(draw, PEOPLE),
        "party_account_ids": _some(draw, [*ACCOUNTS, ""]), "reporter_account_id": draw.choice(["", *ACCOUNTS]),
    }  # fmt: skip


def _met(draw: Random, need: Need) -> Any:
    """A value of the need's field that meets it."""
    match need.op:
        case "is":
            return need.value
        case "isnt":
            return ""
        case "below":
            return draw.randrange(need.value)
        case "among":
            return draw.choice(need.value or ("",))
        case "has":
            return [need.value]
        case "empty":
            return []
    return draw.choice([body for body, above in ANCESTORS.items() if need.value in above] or [need.value])


def _near_miss(draw: Random, case_id: str, needs: Sequence[Need]) -> tuple[dict[str, Any], set[str]]:
    """A random case that meets all needs of a rule but (perhaps) one; and what rooms tell of the actor in it."""
    case, missed = _random_case(draw, case_id), draw.randint(-1, len(needs) - 1)
    facts = {name for name in ("candidate", "filer") if not draw.randrange(8)}
    for need in (need for index, need in enumerate(needs) if index != missed):
        if need.op == "fact":
            facts.add(need.field)
        else:
            case[need.field] = _met(draw, need)
    return case, facts


def _world(draw: Random, rules: Sequence[Rule]) -> World:
    aim = draw.choice(list(rules))
    actor = _actor(draw, aim)
    drawn = [_near_miss(draw, f"c{index}", aim.needs(actor)) for index in range(8)]
    reason = draw.choice(["", "curiosity", "appeal", "supervision", "transfer"])
    told = {fact: frozenset(c["case_id"] for c, facts in drawn if fact in facts) for fact in ("candidate", "filer")}
    return World(actor, reason, [case for case, _ in drawn], told["candidate"], told["filer"])


def listed(connection: Connection, world: World, action: str) -> set[str]:
    card = schema.case_card
    candidates = card.c.case_id.in_(world.candidates) if world.candidates else literal(False)
    filers = card.c.case_id.in_(world.filers) if world.filers else literal(False)
    wanted = case_filter(world.actor, action, candidates=candidates, filers=filers, reason=world.reason)
    return set(connection.execute(select(card.c.case_id).where(wanted)).scalars())


def decided(world: World, action: str, entities: dict[str, Any]) -> set[str]:
    facts = {i: Facts(i in world.candidates, i in world.filers, reason=world.reason) for i in entities}
    return {case_id for case_id, found in entities.items() if decide(world.actor, action, found, facts[case_id])}


def prove(connection: Connection, rules: Sequence[Rule], examples: int) -> None:
    """The proof itself: for `examples` random worlds the filter lists what the policy permits, no more, no less."""

    @settings(max_examples=examples, database=None, derandomize=True, deadline=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(st.randoms(use_true_random=True))
    def filter_equals_policy(draw: Random) -> None:
        world = _world(draw, rules)
        with connection.begin() as made:
            connection.execute(insert(schema.case_card), world.cases)
            entities = {case["case_id"]: case_entities(connection, case["case_id"]) for case in world.cases}
            for action in sorted({action for rule in rules for action in rule.actions}):
                assert listed(connection, world, action) == decided(world, action, entities), (action, world)
            made.rollback()

    filter_equals_policy()


def test_filter_equals_policy(connection: Connection) -> None:
    prove(connection, RULES, 150)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_rule_alone(connection: Connection, rule: Rule) -> None:
    prove(connection, [rule], 12)


SAMPLE = Actor(kind="staff", person_id="p1", name="某人", body_id="city", account_id="a1")


def _without(rule: Rule, index: int) -> Rule:
    return replace(rule, needs=lambda actor: tuple(n for i, n in enumerate(rule.needs(actor)) if i != index))


def _flip(need: Need) -> Need:
    return replace(need, value=True) if need.field == "sealed" else need


def _mutants(rule: Rule) -> dict[str, Rule | None]:
    needs = rule.needs(SAMPLE)
    found: dict[str, Rule | None] = {"dropped": None}
    found |= {f"no-{need.field}-{need.op}": _without(rule, index) for index, need in enumerate(needs)}
    if any(need.field == "sealed" for need in needs):
        found["sealed-flipped"] = replace(rule, needs=lambda actor: tuple(map(_flip, rule.needs(actor))))
    if rule.roles:
        found["any-role"] = replace(rule, roles=frozenset())
    if rule.with_reason:
        found["any-reason"] = replace(rule, with_reason=False)
    return found


MUTANTS = [(index, name) for index, rule in enumerate(RULES) for name in _mutants(rule)]


@pytest.mark.parametrize(("index", "name"), MUTANTS, ids=[f"{RULES[i].name}-{i}-{name}" for i, name in MUTANTS])
def test_the_proof_fails_for_a_mutated_filter(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, index: int, name: str
) -> None:
    mutant = _mutants(RULES[index])[name]
    changed = (*RULES[:index], *([mutant] if mutant else []), *RULES[index + 1 :])
    monkeypatch.setattr(rules_module, "RULES", changed)
    with pytest.raises(AssertionError):
        prove(connection, [RULES[index]], 1500)


@pytest.mark.parametrize("kind", ["anonymous", "operator", "system"])
def test_who_acts_for_no_body_lists_nothing(connection: Connection, kind: str) -> None:
    nobody: Callable[[str], set[str]] = lambda action: listed(  # noqa: E731
        connection, World(Actor(kind=kind, person_id="x", name="x", body_id="city"), "appeal", [], frozenset()), action
    )
    with connection.begin() as made:
        connection.execute(insert(schema.case_card).values(case_id="c", body_id="city", officer_ids=["x"]))
        assert [action for action in ACTIONS if nobody(action)] == []
        made.rollback()
