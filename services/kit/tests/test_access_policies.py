"""The policies as people read them: the table of the README is what the engine answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cedarpy
import pytest
from sqlalchemy import Connection, create_engine, insert

from services.kit import access, schema
from services.kit.access import rules
from services.kit.access.decide import Facts, decide, entities_of
from services.kit.errors import CaseNotKnownError, NotAllowedError, UnavailableError
from services.kit.identity import Actor, system

FOLDER = Path(rules.__file__).parent
WIDTHS: dict[str, dict[str, Any]] = {
    "普": {}, "未": {"involves_minor": True}, "密": {"secrecy_level": 2}, "封": {"sealed": True},
}  # fmt: skip
COLUMNS = ["list_cases", "view_case", "view_dossier", "view_internal", "work_case", "supervise", "upload", "seal_case"]
CARD = {
    "case_id": "c", "body_id": "city", "ancestor_ids": ["province"], "state": "docketed", "department_id": "d1",
    "secrecy_level": 0, "sealed": False, "involves_minor": False, "officer_ids": ["officer"], "panel_ids": [],
    "party_account_ids": ["party"], "reporter_account_id": "reporter",
}  # fmt: skip


def staff(*roles: str, body: str = "city", person: str = "somebody", departments: str = "d1") -> Actor:
    return Actor(kind="staff", person_id=person, name="某人", body_id=body, roles=frozenset(roles),
                 department_ids=frozenset(departments.split()))  # fmt: skip


def party(account: str) -> Actor:
    return Actor(kind="party", person_id=account, name="某人", account_id=account)


def station(body: str) -> Actor:
    return Actor(kind="station", person_id="s", name="扫描站", body_id=body)


# label -> (actor, changes of the card, reason, what a room tells)
ROWS: dict[str, tuple[Actor, dict[str, Any], str, str]] = {
    "承办人、合议庭成员": (staff(person="officer"), {}, "", ""),
    "court_president / body_leader": (staff("body_leader"), {}, "", ""),
    "vice_president": (staff("vice_president"), {}, "", ""),
    "division_head（本部门）": (staff("division_head"), {}, "", ""),
    "division_head（他部门）": (staff("division_head", departments="d2"), {}, "", ""),
    "docketing_clerk / registrar": (staff("registrar"), {}, "", ""),
    "archivist": (staff("archivist"), {}, "", ""),
    "archivist（已结案）": (staff("archivist"), {"state": "closed"}, "", ""),
    "legal_reviewer / case_reviewer / review_head / hearing_host": (staff("hearing_host"), {}, "", ""),
    "court_clerk / judges_assistant（本部门）": (staff("court_clerk"), {}, "", ""),
    "judge / case_officer（已分案，非承办）": (staff("judge"), {}, "", ""),
    "judge / case_officer（未分案）": (staff("case_officer"), {"officer_ids": []}, "", ""),
    "登记人（他人承办，未立案而终结）": (staff("case_officer"), {"state": "not_docketed"}, "", "filer"),
    "登记人（他人承办，已立案）": (staff("case_officer"), {}, "", "filer"),
    "scanner": (staff("scanner"), {}, "", ""),
    "supervisor（本机关）": (staff("supervisor"), {}, "", ""),
    "待办候选人（本机关）": (staff(), {}, "", "candidate"),
    "上级 supervisor": (staff("supervisor", body="province"), {}, "", ""),
    "上级 supervisor，有事由": (staff("supervisor", body="province"), {}, "appeal", ""),
    "上级院长、负责人": (staff("court_president", body="province"), {}, "", ""),
    "上级院长、负责人，有事由": (staff("court_president", body="province"), {}, "supervision", ""),
    "上级待办候选人": (staff(body="province"), {}, "", "candidate"),
    "平级任何岗位": (staff(*sorted(rules._set(rules._HEADS)), "supervisor", body="twin"), {}, "appeal", "candidate"),
    "body_administrator": (staff("body_administrator"), {}, "", ""),
    "当事人（受理后）": (party("party"), {}, "", ""),
    "当事人（受理前）": (party("party"), {"state": "received"}, "", ""),
    "当事人（受理前，本人提交）": (party("party"), {"state": "received"}, "", "filer"),
    "举报人": (party("reporter"), {}, "", "filer"),
    "扫描站（本机关）": (station("city"), {}, "", ""),
    "扫描站（他机关）": (station("twin"), {}, "", ""),
    "operator": (Actor(kind="operator", person_id="op", name="运维"), {}, "appeal", "candidate"),
}


def cell(label: str, action: str) -> str:
    """For which widths of a case the action is permitted."""
    actor, changes, reason, told = ROWS[label]
    facts = Facts(candidate=told == "candidate", filer=told == "filer", reason=reason)
    widths = {w: SimpleNamespace(**(CARD | changes | values)) for w, values in WIDTHS.items()}
    return "".join(w for w, card in widths.items() if decide(actor, action, entities_of(card), facts)) or "–"


def table() -> str:
    head = f"| | {' | '.join(COLUMNS)} |\n|---|{'---|' * len(COLUMNS)}\n"
    return head + "\n".join(f"| {label} | {' | '.join(cell(label, a) for a in COLUMNS)} |" for label in ROWS)


def test_the_readme_shows_what_the_policies_answer() -> None:
    assert table() in (FOLDER / "README.md").read_text(encoding="utf-8"), f"\n{table()}"


def test_policies_fit_their_schema() -> None:
    texts = [(FOLDER / name).read_text(encoding="utf-8") for name in ("policies.cedar", "schema.cedarschema")]
    assert [str(error) for error in cedarpy.validate_policies(*texts).errors] == []


def test_every_rule_of_the_filter_is_a_policy_of_that_name() -> None:
    named = set(re.findall(r'@id\("(\w+)"\)', (FOLDER / "policies.cedar").read_text(encoding="utf-8")))
    assert {rule.name for rule in rules.RULES} <= named


@pytest.fixture(scope="module")
def connection(rig: Any) -> Iterator[Connection]:
    engine = create_engine(rig.fresh_database("access_policies").database_url("access_policies", "psycopg"))
    with engine.begin() as opened:
        schema.upgrade_1(opened)
        card = {name: value for name, value in CARD.items() if name != "ancestor_ids"}
        opened.execute(insert(schema.case_card), [card, card | {"case_id": "half-known", "body_id": ""}])
        opened.execute(insert(schema.body_tree), [
            {"body_id": body, "root_id": "province", "ancestor_ids": up, "name": body, "kind": "court", "tier": "basic"}
            for body, up in {"province": [], "city": ["province"], "twin": ["province"]}.items()
        ])  # fmt: skip
        roles = ("body_leader", "registrar", "division_head")
        posts = [{"body_id": "city", "department_id": "d1", "role": role} for role in roles]
        known = {"name": "某人", "body_id": "city", "appointments": posts, "qualifications": []}
        opened.execute(insert(schema.person_card), [
            known | {"person_id": "somebody", "state": "active"}, known | {"person_id": "gone", "state": "left"},
        ])  # fmt: skip
    with engine.connect() as opened:
        yield opened
    engine.dispose()


def test_unknown_and_forbidden_look_alike(connection: Connection) -> None:
    said = []
    for case_id in ("c", "nowhere", "half-known"):
        with pytest.raises(CaseNotKnownError) as refused:
            access.require(connection, staff("judge", body="twin"), "view_case", case_id=case_id)
        said.append((refused.value.detail, refused.value.context))
    assert said[0] == said[1] == said[2]


def test_who_sees_a_case_is_told_what_he_may_not_do(connection: Connection) -> None:
    with pytest.raises(NotAllowedError, match="您无权查看该案副卷"):
        access.require(connection, staff("registrar"), "view_internal", case_id="c")
    access.require(connection, staff("body_leader"), "view_internal", case_id="c")


def test_what_is_shut_opens_only_by_roles_that_are_still_held(connection: Connection) -> None:
    """A token outlives a post; whether it still stands is not guessed while the person's card is on its way."""
    for action in ("seal_case", "view_internal"):
        assert access.allowed(connection, staff("body_leader"), action, case_id="c")
        assert not access.allowed(connection, staff("body_leader", person="gone"), action, case_id="c")
        with pytest.raises(UnavailableError, match="尚未同步到此处"):
            access.allowed(connection, staff("body_leader", person="fresh"), action, case_id="c")
        assert not access.allowed(connection, staff("scanner", person="fresh"), action, case_id="c")
    above = staff("court_president", body="province", person="fresh")
    with pytest.raises(UnavailableError):
        access.require(connection, above, "view_dossier", case_id="c", reason="appeal")


@pytest.mark.parametrize("actor", [staff("judge", body=""), station(""), party("")])
def test_a_card_without_body_belongs_to_nobody(connection: Connection, actor: Actor) -> None:
    assert not any(access.allowed(connection, actor, action, case_id="half-known") for action in COLUMNS)


@pytest.mark.parametrize(("actor", "action", "body_id", "expected"), [
    (party("a"), "file", "city", True), (party("a"), "file", "nowhere", False), (party(""), "file", "city", False),
    (staff("case_officer"), "file", "twin", True), (staff("archivist"), "file", "city", False),
    (staff("body_administrator", body="province"), "administer_body", "city", True),
    (staff("body_administrator"), "administer_body", "province", False),
    (staff("body_administrator"), "administer_body", "twin", False),
    (staff("court_president"), "administer_body", "city", False),
    (staff("judge"), "list_people", "city", True), (staff("judge"), "list_people", "twin", False),
    (staff("supervisor", body="province"), "supervise", "city", True),
    (staff("supervisor"), "supervise", "twin", False), (staff("judge"), "supervise", "city", False),
    (station("city"), "upload", "city", True), (station("city"), "upload", "twin", False),
    (Actor(kind="operator", person_id="o", name="o"), "administer_body", "city", True),
    (Actor(kind="operator", person_id="o", name="o"), "list_cases", "city", False),
])  # fmt: skip
def test_acts_on_a_body(connection: Connection, actor: Actor, action: str, body_id: str, expected: bool) -> None:
    assert access.allowed(connection, actor, action, body_id=body_id) is expected


def test_a_division_head_supervises_his_own_department(connection: Connection) -> None:
    head = staff("division_head")
    assert access.allowed(connection, head, "supervise", body_id="city", department_id="d1")
    assert not access.allowed(connection, head, "supervise", body_id="city", department_id="d2")
    assert not access.allowed(connection, head, "supervise", body_id="city")


def test_packs_and_operations(connection: Connection) -> None:
    operator = Actor(kind="operator", person_id="o", name="o")
    wanted = ("publish_pack", "confirm_pack", "operate")
    assert [access.allowed(connection, operator, a) for a in wanted] == [True, False, True]
    assert [access.allowed(connection, staff("pack_publisher"), a) for a in wanted] == [True, True, False]
    assert [access.allowed(connection, staff("judge"), a) for a in wanted] == [False, False, False]


def test_the_platform_must_name_its_rule(connection: Connection) -> None:
    assert access.allowed(connection, system("tick"), "seal_case", case_id="c")
    assert not access.allowed(connection, system(""), "view_case", case_id="c")


def test_reporters_and_filers_see_their_own(connection: Connection) -> None:
    assert access.allowed(connection, party("reporter"), "view_own_report", case_id="c")
    assert not access.allowed(connection, party("party"), "view_own_report", case_id="c")
    assert access.allowed(connection, party("x"), "view_own_filing", case_id="c", owner_id="x")
    assert not access.allowed(connection, party("party"), "view_own_filing", case_id="c", owner_id="x")


def test_a_party_answers_only_its_own_task(connection: Connection) -> None:
    assert access.allowed(connection, party("party"), "work_case", case_id="c", candidate=True)
    assert not access.allowed(connection, party("other"), "work_case", case_id="c", candidate=True)


def test_an_unknown_action_is_a_fault_of_ours(connection: Connection) -> None:
    with pytest.raises(ValueError, match="no such action"):
        access.allowed(connection, staff("judge"), "peek", case_id="c")
