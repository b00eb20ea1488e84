"""Forms: every fault at once, in Chinese, with the field's title and a JSON pointer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from services.kit.errors import InvalidInputError
from services.kit.procedure import bpmn
from services.kit.procedure.bundle import load_folder
from services.kit.procedure.forms import faults_of_form, require_form
from services.kit.procedure.load import SCHEMAS, schema
from services.kit.procedure.tests.conftest import Copy
from services.kit.settings import procedures_dir
from services.ops.pack import app, drawn

FORMS = load_folder(procedures_dir() / "admin-penalty-general").forms


def _approval(**other: Any) -> dict[str, Any]:
    good = {"evidence": True, "punishable": True, "competent": True, "within_limitation": True, "decision": "docket"}
    return good | {"reason": "涉嫌违法"} | other


@pytest.mark.parametrize(
    ("form", "data", "said"),
    [
        ("docketing_approval", _approval(), []),
        ("docketing_approval", _approval(reason="x", evidence=1), [("/evidence", "是或否"), ("/reason", "至少 2")]),
        ("docketing_approval", _approval(decision="refuse"), [("/ground", "请填写“不予立案的情形”")]),
        ("docketing_approval", _approval(ground="other"), [("/ground", "这里不应填写")]),
        ("docketing_approval", _approval(decision="maybe"), [("/decision", "“处理意见”与任何一种写法都不符")]),
        (
            "docketing_approval",
            {},
            [("/evidence", "请填写“有证据初步证明"), ("/punishable", "请填写“"), ("/competent", "请填写“"),
             ("/within_limitation", "请填写“"), ("/decision", "请填写“"), ("/reason", "请填写“")],
        ),
        ("assign_officers", {"officers": ["a", "a"]}, [("/officers", "有重复的项")]),
        ("assign_officers", {"officers": ["a"], "x": 1}, [("", "不认识的项 x"), ("/officers", "至少 2 项")]),
        ("test_result", {"to_on": "2025-02-30", "result": "合格", "party_told": True}, [("/to_on", "应为日期")]),
        ("verify_lead", [], [("", "应为对象")]),
    ],
)  # fmt: skip
def test_faults_are_told_at_once(form: str, data: Any, said: list[tuple[str, str]]) -> None:
    faults = faults_of_form(FORMS[form], data)
    told = [(f["pointer"], f["detail"]) for f in faults]
    assert len({pointer for pointer, _ in told}) == len({pointer for pointer, _ in said})
    for pointer, words in said:
        assert any(at == pointer and words in detail for at, detail in told), told


def test_a_node_without_a_form_asks_nothing() -> None:
    require_form(None, {})
    with pytest.raises(InvalidInputError):
        require_form(None, {"x": 1})
    with pytest.raises(InvalidInputError) as caught:
        require_form(FORMS["assign_officers"], {})
    assert caught.value.fields == [{"pointer": "/officers", "detail": "请填写“办案人员（两名以上，具有行政执法资格）”"}]


def test_instants_need_their_zone() -> None:
    form = {"type": "object", "properties": {"at": {"title": "时刻", "type": "string", "format": "date-time"}}}
    assert faults_of_form(form, {"at": "2025-03-03T09:00:00+08:00"}) == []
    for wrong in ("2025-03-03T09:00:00", "2025-03-03", "九点"):
        assert "应为时刻" in faults_of_form(form, {"at": wrong})[0]["detail"]


def test_our_schemas_are_schemas() -> None:
    names = [p.name.removesuffix(".schema.json") for p in SCHEMAS.glob("*.json")]
    assert len(names) >= 10
    for name in names:
        schema(name).check_schema(schema(name).schema)


def test_the_command_tells_people_and_machines(penalty: Copy) -> None:
    run = CliRunner().invoke
    clean = run(app, ["check", str(procedures_dir() / "superior-approval"), "--json"])
    assert (clean.exit_code, json.loads(clean.stdout)["ok"]) == (0, True)
    penalty.edit("nodes.yaml", "effect: docket\n", "effect: dockets\n")
    spoilt = run(app, ["check", str(penalty.folder), "--json"])
    found = json.loads(spoilt.stdout)["packs"][0]["findings"]
    assert (spoilt.exit_code, found[0]["file"], found[0]["line"]) == (1, "nodes.yaml", 28)
    assert "nodes.yaml:28" in run(app, ["check", str(penalty.folder)]).output


def test_drawing_changes_the_diagram_only(penalty: Copy) -> None:
    path: Path = penalty.folder / "process.bpmn"
    before = bpmn.read(path.read_bytes())
    assert drawn(path.read_bytes()) == path.read_bytes()
    bare = path.read_text("utf-8").split("<bpmndi:BPMNDiagram")[0] + "</definitions>"
    path.write_text(bare, "utf-8")
    assert penalty.says("图上没有画")
    assert CliRunner().invoke(app, ["draw", str(penalty.folder)]).exit_code == 0
    after = bpmn.read(path.read_bytes())
    assert [e.id for e in after.elements.values()] == [e.id for e in before.elements.values()]
    assert {finding.kind for finding in penalty.found()} <= {"coverage"}  # the copy keeps few of the examples
    path.write_text("<definitions/>", "utf-8")
    assert CliRunner().invoke(app, ["draw", str(penalty.folder)]).exit_code == 1
