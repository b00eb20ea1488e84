"""Bodies are told ancestors first, twice is once, and a tree cannot bend into a circle."""

from __future__ import annotations

import csv
from datetime import date
from uuid import NAMESPACE_URL, uuid5

import pytest

from anjuan.identity.v1 import identity_pb2 as pb
from services.identity import views
from services.identity.tests.scene import LEGAL, TREE, Scene, bureau
from services.kit.errors import InvalidInputError, NotAllowedError, NotFoundError, RuleRefusedError
from services.kit.identity import Actor
from services.kit.settings import domain_dir


def _courts() -> list[pb.Body]:
    with (domain_dir() / "courts.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    ids = {row["code"]: str(uuid5(NAMESPACE_URL, row["code"])) for row in rows}
    return [
        pb.Body(body_id=ids[row["code"]], parent_id=ids.get(row["parent_code"], ""), name=row["name"], kind="court",
                tier=row["tier"], code=row["code"], region=row["region"]) for row in rows
    ]  # fmt: skip


def test_every_court_of_the_country_comes_in(empty: Scene) -> None:
    courts = _courts()
    first = empty.bring_bodies(*reversed(courts))
    assert (first.created, first.changed, first.unchanged) == (len(courts), 0, 0)
    again = empty.bring_bodies(*courts)
    assert (again.created, again.changed, again.unchanged) == (0, 0, len(courts))
    assert len(empty.told("BodyChanged")) == len(courts)
    below = empty.ask("select count(*) from body_tree where ancestor_ids @> array[:root]", root=courts[0].body_id)
    assert below[0].count == len(courts) - 1


def test_ancestors_are_told_first(empty: Scene) -> None:
    empty.bring_bodies(*TREE, departments=[LEGAL])
    told = empty.told("BodyChanged")
    assert [fact["body"]["body_id"] for fact in told] == ["province", "city", "county", "sister"]
    assert told[2]["ancestor_ids"] == ["city", "province"]
    legal = {"department_id": "legal", "body_id": "county", "name": "法规科", "kind": "legal"}
    assert told[2]["departments"] == [legal]


def test_twice_is_once(empty: Scene) -> None:
    empty.bring_bodies(*TREE, departments=[LEGAL])
    answer = empty.bring_bodies(*TREE, departments=[LEGAL])
    assert (answer.created, answer.changed, answer.unchanged) == (0, 0, 4)
    assert len(empty.told("BodyChanged")) == 4


def test_a_moved_body_takes_its_subtree_along(scene: Scene) -> None:
    twin = bureau("twin", "province", "city", "佛山市局", "佛")
    moved = bureau("county", "twin", "county", "某县局", "佛某")
    answer = scene.bring_bodies(twin, moved)
    assert (answer.created, answer.changed) == (1, 1)
    rows = scene.ask("select ancestor_ids, name from body_tree where body_id = 'county'")
    assert (list(rows[0].ancestor_ids), rows[0].name) == (["twin", "province"], "某县局")


def test_a_new_department_alone_changes_its_body(scene: Scene) -> None:
    before = len(scene.told("BodyChanged"))
    fresh = pb.Department(department_id="d", body_id="sister", name="执法科", kind="investigation")
    scene.bring_bodies(departments=[fresh])
    told = scene.told("BodyChanged")[before:]
    assert [(fact["body"]["body_id"], fact["body"]["version"]) for fact in told] == [("sister", "2")]


@pytest.mark.parametrize(("change", "pointer"), [
    ({"parent_id": "nowhere"}, "/bodies/0/parent_id"), ({"tier": "basic"}, "/bodies/0/tier"),
    ({"kind": "court", "tier": "basic", "parent_id": "city"}, "/bodies/0/parent_id"), ({"name": " "}, "/bodies/0/name"),
    ({"tier": "county", "body_id": "city", "parent_id": "county"}, "/bodies/0/parent_id"),
    ({"tier": "county", "body_id": "province"}, "/bodies/0/tier"), ({"body_id": "a b"}, "/bodies/0/body_id"),
    ({"legal_on": "2025-02-30"}, "/bodies/0/legal_on"), ({"legal_on": "2025-02-03", "parent_id": "city"},
                                                        "/bodies/0/legal_on"), ({"code": ""}, "/bodies/0/code"),
])  # fmt: skip
def test_faults_are_told_with_their_place(scene: Scene, change: dict[str, str], pointer: str) -> None:
    sent = {"body_id": "new", "name": "某局", "kind": "bureau", "tier": "county", "code": "某"} | change
    before = scene.ask("select count(*) from outbox")
    with pytest.raises(InvalidInputError) as refused:
        scene.bring_bodies(pb.Body(**sent))  # type: ignore[arg-type]
    assert pointer in [fault["pointer"] for fault in refused.value.fields]
    assert scene.ask("select count(*) from outbox") == before


def test_a_circle_is_refused(scene: Scene) -> None:
    upside_down = [bureau("province", "city", "county", "省局", "粤"), bureau("city", "", "city", "市局", "江")]
    scene.bring_bodies(*upside_down)  # city > province, counties stay under city
    with pytest.raises(InvalidInputError):
        scene.bring_bodies(bureau("city", "province", "city", "市局", "江"))
    assert scene.ask("select ancestor_ids from bodies where body_id = 'city'")[0].ancestor_ids == []


def test_only_the_operator_imports_bodies(scene: Scene) -> None:
    with pytest.raises(NotAllowedError):
        scene.bring_bodies(*TREE, actor=scene.actor("administrator"))


def test_a_scripted_root_has_a_legal_date(empty: Scene) -> None:
    root = bureau("r", "", "city", "某局", "某", legal_on="2025-03-03")
    below = bureau("b", "r", "county", "某分局", "某分")
    with pytest.raises(RuleRefusedError, match="演练环境"):
        empty.bring_bodies(root, scripted=False)
    for _ in range(2):
        empty.bring_bodies(below, root)
    assert empty.told("LegalDateAdvanced") == [{"root_body_id": "r", "legal_on": "2025-03-03"}]
    with empty.unit() as uow:
        assert uow.legal_on("b") == date(2025, 3, 3)
    day = "convert_from(body, 'UTF8')::jsonb ->> 'occurredon' as day"
    dated = empty.ask(f"select {day} from outbox where type = 'BodyChanged'")
    assert {row.day for row in dated} == {"2025-03-03"}
    root.legal_on = "2025-03-04"
    with pytest.raises(RuleRefusedError, match="推进"):
        empty.bring_bodies(root)


def test_lists_go_in_pages(scene: Scene) -> None:
    seen: list[str] = []
    cursor, officer = "", Actor("staff", "officer", "某", "county", frozenset({"case_officer"}))
    while cursor or not seen:
        with scene.unit(officer) as uow:
            page = views.list_bodies(uow, pb.ListBodiesRequest(limit=3, cursor=cursor, kind="bureau"))
        seen += [body.code for body in page.bodies]
        cursor = page.next_cursor
    assert seen == sorted(body.code for body in TREE)


def test_bodies_are_found(scene: Scene) -> None:
    with scene.unit() as uow:
        below = views.list_bodies(uow, pb.ListBodiesRequest(parent_id="city"))
        assert sorted(body.body_id for body in below.bodies) == ["county", "sister"]
        assert not views.list_bodies(uow, pb.ListBodiesRequest(name_contains="%")).bodies
        assert views.get_body(uow, pb.GetBodyRequest(code="江蓬")).body_id == "county"
        with pytest.raises(NotFoundError):
            views.get_body(uow, pb.GetBodyRequest(body_id="nowhere"))
    with scene.unit() as uow, pytest.raises(InvalidInputError):
        views.list_bodies(uow, pb.ListBodiesRequest(cursor="???"))
