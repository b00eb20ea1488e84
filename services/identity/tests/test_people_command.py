"""`anjuan people import` against the served room: twice is once, and what is wrong has a file and a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.identity.tests.house import House, opened
from services.kit.settings import domain_dir
from services.ops.people import app
from services.ops.rig.environment import port_names
from services.ops.rig.place import Place, write_json
from services.ops.rig.session import Rig

pytestmark = pytest.mark.integration
BUREAUS = domain_dir() / "bureaus.csv"
PEOPLE = """# 名册
sign_in,name,body,department,roles,certificate,certificate_from,certificate_to,password
pengjiang.zhang,张三,江蓬,investigation,case_officer;registrar,44070300123,2022-01-01,2026-12-31,first-password
pengjiang.li,李四,bureau:江蓬,,body_leader,,,,first-password
"""
MORE = """
departments:
  - {body: 江蓬, kind: investigation, name: 执法办案科}
people:
  - sign_in: jiangmen.wang
    name: 王五
    body: 江
    appointments:
      - {role: supervisor}
      - {role: case_reviewer, body: 江蓬, department: investigation}
    qualifications:
      - {kind: legal_qualification, number: A1, from: 2020-01-01}
"""


@pytest.fixture(scope="module")
def house(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with opened(rig, tmp_path_factory.mktemp("house")) as one:
        place, identity = Place.at(one.settings.data), int(one.settings.rpc["identity"].rpartition(":")[2])
        ports = dict.fromkeys(port_names(["identity"]), 1) | {"rpc_identity": identity}
        write_json(place.data / "ports.json", ports)
        known = {"profile": "embedded", "scripted": True, "rooms": ["identity"]}
        write_json(place.data / "environment.json", known)
        yield one


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    for name, text in (("people.csv", PEOPLE), ("more.yaml", MORE)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return [str(BUREAUS), str(tmp_path / "people.csv"), str(tmp_path / "more.yaml")]


def run(house: House, *files: str) -> tuple[int, dict[str, object]]:
    done = CliRunner().invoke(app, ["import", *files, "--data", str(house.settings.data), "--json"])
    return done.exit_code, json.loads(done.stdout)


def test_twice_is_once(house: House, files: list[str]) -> None:
    code, told = run(house, *files)
    assert (code, told) == (0, {"ok": True, "problems": [], "imported": {
        "bodies": {"created": 5, "changed": 0, "unchanged": 0},
        "departments": {"created": 0, "changed": 1, "unchanged": 0},
        "people": {"created": 3, "changed": 0, "unchanged": 0},
    }})  # fmt: skip
    before = house.scene.ask("select count(*) from outbox")
    code, told = run(house, *files)
    assert told["imported"] == {
        "bodies": {"created": 0, "changed": 0, "unchanged": 5},
        "departments": {"created": 0, "changed": 0, "unchanged": 0},
        "people": {"created": 0, "changed": 0, "unchanged": 3},
    }
    assert house.scene.ask("select count(*) from outbox") == before
    actor = house.scene.read(house.scene.sign_in("pengjiang.zhang", "first-password").token)
    assert sorted(actor.roles) == ["case_officer", "registrar"]
    assert len(actor.department_ids) == 1
    people = {fact["person"]["name"]: fact["person"] for fact in house.scene.told("PersonChanged")}
    assert people["张三"]["qualifications"] == [{"kind": "law_enforcement_certificate", "number": "44070300123",
                                               "valid_from": "2022-01-01", "valid_to": "2026-12-31"}]  # fmt: skip
    assert sorted(a["role"] for a in people["王五"]["appointments"]) == ["case_reviewer", "supervisor"]


def test_people_alone_find_their_body_on_the_platform(house: House, files: list[str], tmp_path: Path) -> None:
    run(house, *files)
    late = tmp_path / "late.csv"
    late.write_text("sign_in,name,body,roles\nlate.one,赵六,江新,scanner\nlate.two,钱七,bureau:江新,scanner\n")
    code, told = run(house, str(late))
    assert (code, told["imported"]) == (0, {"people": {"created": 2, "changed": 0, "unchanged": 0}})


@pytest.mark.parametrize(("name", "text", "line", "word"), [
    ("a.csv", "sign_in,name,body,roles\n\nsomeone,某,没有,scanner\n", 3, "找不到机关：没有"),
    ("a.csv", "# 说明\nsign_in,name,body,roles\nsomeone,某,江蓬,emperor\n", 3, "没有这个岗位：emperor"),
    ("a.csv", "sign_in,name,body,shoes\nsomeone,某,江蓬,42\n", 2, "没有这样的栏目：shoes"),
    ("a.csv", "sign_in,name,body\nsomeone,,江蓬\n", 2, "缺少 name"),
    ("a.csv", "sign_in,name,body,password\nfirst,某,江蓬,\nsecond,某,江蓬,short\n", 3, "密码应为10至200个字符"),
    ("a.csv", "foo,bar\n1,2\n", 1, "表头认不出"),
    ("a.csv", "code,name,tier,parent_code\n某,某局,county,无\n", 2, "找不到机关：bureau:无"),
    ("a.csv", "code,name,tier,parent_code\n某,某局,village,江\n", 2, "层级应为"),
    ("a.yaml", "people:\n  - sign_in: x.y\n    name: 某\n    body: 江蓬\n    appointments: judge\n", 2,
     "appointments 应为列表"),
    ("a.yaml", "people:\n  - {sign_in: x.y, name: 某\n", 3, "文件格式有误"),
    ("a.yaml", "persons: []\n", 1, "应为 bodies"), ("a.yaml", "- 1\n", 1, "最上层应为"),
    ("a.yaml", "people:\n  - 某人\n", 2, "每一项应为"),
])  # fmt: skip
def test_what_is_wrong_has_a_place(
    house: House, files: list[str], tmp_path: Path, name: str, text: str, line: int, word: str
) -> None:
    run(house, *files)
    wrong = tmp_path / name
    wrong.write_text(text, encoding="utf-8")
    before = house.scene.ask("select count(*) from outbox")
    done = CliRunner().invoke(app, ["import", str(wrong), "--data", str(house.settings.data)])
    assert done.exit_code == 1
    assert f"{wrong}:{line}: " in done.stderr.replace("\n", "")
    assert word in done.stderr.replace("\n", "")
    assert house.scene.ask("select count(*) from outbox") == before


def test_a_court_and_a_bureau_of_one_code_are_told_apart(house: House, tmp_path: Path) -> None:
    court = tmp_path / "court.csv"
    court.write_text("code,name,tier,parent_code\n粤,广东省高级人民法院,high,\n", encoding="utf-8")
    someone = tmp_path / "someone.csv"
    someone.write_text("sign_in,name,body,roles\nsome.one,某,粤,judge\n", encoding="utf-8")
    code, told = run(house, str(court), str(BUREAUS), str(someone))
    assert code == 1
    assert "court:粤" in str(told["problems"])
    someone.write_text("sign_in,name,body,roles\nsome.one,某,court:粤,judge\n", encoding="utf-8")
    assert run(house, str(court), str(BUREAUS), str(someone))[0] == 0


def test_without_a_platform(tmp_path: Path, files: list[str]) -> None:
    done = CliRunner().invoke(app, ["import", *files, "--data", str(tmp_path), "--json"])
    assert done.exit_code == 1
    assert "anjuan up" in done.stdout
