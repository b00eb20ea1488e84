"""Packs that mean harm, or are broken: each is refused with file, line and mend, and nothing runs."""

from __future__ import annotations

import io
import operator
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from services.kit.procedure import bpmn
from services.kit.procedure.bundle import bundle_of, files_of, load_bundle, pack_files
from services.kit.procedure.conditions import ConditionError, Scope, evaluate, holds, program
from services.kit.procedure.engine import Engine
from services.kit.procedure.load import docx_faults
from services.kit.procedure.model import PackError
from services.kit.procedure.tests.conftest import Copy
from services.kit.procedure.tests.drawing import draw, pack

SMALL = "start s\ntask a\nend e\ns -> a -> e"


@pytest.mark.parametrize(
    ("inside", "word"),
    [
        ('<scriptTask id="x"><script>import os</script></scriptTask>', "scriptTask"),
        ('<serviceTask id="x"/>', "serviceTask"),
        ('<businessRuleTask id="x"/>', "businessRuleTask"),
        ('<userTask id="x"><multiInstanceLoopCharacteristics/></userTask>', "multiInstanceLoopCharacteristics"),
        ('<intermediateCatchEvent id="x"><timerEventDefinition/></intermediateCatchEvent>', "timerEventDefinition"),
        (
            '<userTask id="x"><extensionElements><run xmlns="http://example.org/x"/></extensionElements></userTask>',
            "run",
        ),
        ('<callActivity id="x" calledElement="y"/>', "callActivity"),
        ('<dataObject id="x"/>', "dataObject"),
    ],
)
def test_what_could_run_is_refused(inside: str, word: str) -> None:
    data = draw(SMALL).replace(b'<userTask id="a">', b"\n" + inside.encode() + b'<userTask id="a">')
    with pytest.raises(PackError) as caught:
        bpmn.read(data)
    finding = next(f for f in caught.value.findings if word in f.message)
    assert (finding.file, finding.line, finding.kind) == ("process.bpmn", 2, "safety")
    assert finding.mend


@pytest.mark.parametrize(
    "prologue",
    [
        '<!DOCTYPE definitions [<!ENTITY x "y">]>',
        '<!DOCTYPE definitions SYSTEM "http://example.org/x.dtd">',
        '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_dtd_is_refused_in_any_encoding(prologue: str, encoding: str) -> None:
    text = (
        draw(SMALL).decode().replace('<?xml version="1.0"?>', f'<?xml version="1.0" encoding="{encoding}"?>{prologue}')
    )
    with pytest.raises(PackError, match="DTD"):
        bpmn.read(text.encode(encoding))


@pytest.mark.parametrize("data", [b"", b"<definitions", b"PK\x03\x04", b"<a/>" * 600_000, b"<a>" * 100_000])
def test_what_is_no_bpmn_is_refused(data: bytes) -> None:
    with pytest.raises(PackError):
        bpmn.read(data)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("start s\ntask a b\nxor g\nend e\ns -> g\ng -> a : true\ng -> e : false\na -> b -> a", "没有分支网关"),
        ("start s\ntask a b\npar p\nend e\ns -> a -> p -> b -> a\np -> e", "没有分支网关"),
        ("start s\ntask a b\nend e\ns -> a -> e", "b"),
        ("start s\ntask a\nend e f\ns -> a -> e\na -> f", "流出"),
        ("start s\ntask a\nxor g\nend e f\ns -> a -> g\ng -> e : forms.a.x\ng -> f", "没有条件"),
        ("start s\ntask a\nend e\ns -> a -> e\na -> nowhere", "nowhere"),
        ("start s\ntask a\nrace r\nend e\ns -> r -> a -> e", "事件网关"),
        ("start s\ntask a\nend e\ns -> a -> e\nedge! x on s", "没有附着"),
        ("start s\ntask A\nend e\ns -> A -> e", "不合写法"),
        ("start s\ntask a\nxor g\nend e f\ns -> a -> g\ng -> e : launch(forms)\ng -> f : !launch(forms)", "launch"),
        ("start s\ntask a\nxor g\nend e f\ns -> a -> g\ng -> e : __import__('os')\ng -> f : true", "__import__"),
        ("start s\ntask a\nend e\ns -> a -> e : forms.a.x", "不在分支网关之后"),
    ],
)
def test_unsound_processes_are_refused_with_a_line(text: str, words: str) -> None:
    with pytest.raises(PackError, match=re.escape(words)) as caught:
        bpmn.read(draw(text))
    assert all(f.line for f in caught.value.findings)


@pytest.mark.parametrize(
    "text",
    [
        "1 +", "unknown == 1", "open('x')", "().__class__", "forms['a'].x == 1", "1 == 1 && " * 200 + "true",
        "[1].map(a, [1].map(b, [1].map(c, c)))", "case.x.exists(p, launch(p))", "form.x.y.launch()",
    ],
)  # fmt: skip
def test_cel_beyond_the_language_is_refused_at_load(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        program(text)


def test_cel_cannot_reach_python() -> None:
    class Trap:
        def __init__(self) -> None:
            self.reached = False

    for text in ("case.__class__.__mro__", "case.reached", "string(case)"):
        with pytest.raises((ConditionError, ValueError)):
            evaluate(text, {"case": Trap()})
    with pytest.raises(ConditionError, match="真假"):
        holds("1 + 1", {})


def test_script_in_a_pack_never_runs(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    script = f"<scriptTask id='x'><script>open('{mark}','w')</script></scriptTask>"
    broken = pack(SMALL)
    broken.files["process.bpmn"] = draw(SMALL).replace(b'<userTask id="a">', script.encode() + b'<userTask id="a">')
    with pytest.raises(PackError):
        Engine(broken)
    assert not mark.exists()


def test_bundle_is_the_same_bytes_and_reads_back(penalty: Copy) -> None:
    data = bundle_of(penalty.folder)
    (penalty.folder / "nodes.yaml").touch()
    assert bundle_of(penalty.folder) == data
    loaded = load_bundle(data)
    assert (loaded.id, loaded.key[2]) == ("admin-penalty-general", loaded.sha256)
    assert loaded.deadlines["samr-verify-clue"]["amount"] == 15
    penalty.edit("pack.yaml", "version: 0.", "version: 1.")
    assert load_bundle(bundle_of(penalty.folder)).sha256 != loaded.sha256


def _zip(names: dict[str, bytes], how: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        for name, data in names.items():
            archive.writestr(name, data)
    return out.getvalue()


def test_zip_bombs_and_strange_archives_are_refused(penalty: Copy) -> None:
    files = files_of(penalty.folder)
    for data, words in (
        (_zip(files, zipfile.ZIP_DEFLATED), "压缩"),
        (_zip({"pack.yaml": b"0" * 10_000_000}, zipfile.ZIP_DEFLATED), "压缩"),
        (_zip({"../pack.yaml": b""}), "不认识"),
        (_zip({f"forms/f{i}.schema.json": b"" for i in range(600)}), "过多"),
        (b"PK\x03\x04 no zip", "不是程序包"),
        (bundle_of(penalty.folder)[:-10], "不是程序包"),
        (b"0" * 60_000_000, "超过"),
    ):
        with pytest.raises(PackError, match=words):
            load_bundle(data)
    twice = io.BytesIO(pack_files(files))
    with zipfile.ZipFile(twice, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("pack.yaml", files["pack.yaml"])
    with pytest.raises(PackError, match="重名"):
        load_bundle(twice.getvalue())


def test_templates_with_macros_links_or_bombs_are_refused() -> None:
    body = b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"/>'
    rels = (b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            b'<Relationship Id="r" Type="x" TargetMode="External" Target="http://example.org/x"/>'
            b"</Relationships>")  # fmt: skip
    good = {"word/document.xml": body}
    assert list(docx_faults("t", _zip(good))) == []
    for bad in (
        good | {"word/vbaProject.bin": b"x"}, good | {"word/_rels/document.xml.rels": rels}, {"x.xml": body},
        {"word/document.xml": b"<!DOCTYPE a><a/>"}, {"word/document.xml": b"<a"},
        {"word/document.xml": b" " * 30_000_000}, good | {f"word/{i}.xml": body for i in range(600)},
    ):  # fmt: skip
        assert list(docx_faults("t", _zip(bad, zipfile.ZIP_DEFLATED)))
    assert list(docx_faults("t", b"no zip"))


YAML = [
    ("a: &x 1\nb: *x", "锚点"), ("a: 1\na: 2", "两次"), ("a: !!python/object:os.system x", "标签"), ("a: [", "读不懂"),
    ("[" * 5000, "嵌套过深"), ("a: \x01", "读不懂"), ("- 1", "应为对象"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words"), YAML)
def test_hostile_yaml_is_refused(penalty: Copy, text: str, words: str) -> None:
    (penalty.folder / "checklist.yaml").write_text(text, "utf-8")
    found = penalty.says(words)
    assert found.file == "checklist.yaml"


def test_yaml_means_what_it_says(penalty: Copy) -> None:
    data = load_bundle(bundle_of(penalty.folder)).examples["inspection-not-docketed.case.yaml"]
    assert data["acts"][0]["on"] == "2025-06-06"
    assert data["acts"][4]["at"] == "10:00"


def test_files_that_do_not_belong_are_named(penalty: Copy) -> None:
    (penalty.folder / "run.py").write_text("import os")
    (penalty.folder / "labels.zh-CN.yaml").unlink()
    assert penalty.says("不认识的文件").file == "run.py"
    assert penalty.says("缺少这个文件").file == "labels.zh-CN.yaml"
    (penalty.folder / "pack.yaml").unlink()
    assert penalty.says("没有 pack.yaml")


def test_form_whose_pattern_never_ends_is_refused(penalty: Copy) -> None:
    penalty.edit("forms/tell_reporter.schema.json", '"minLength": 2,', '"minLength": 2, "pattern": "^(a+)+$",')
    assert penalty.says("可能算不完").kind == "safety"


def test_what_a_modeler_adds_for_the_eye_is_kept_and_ignored() -> None:
    text = """<?xml version="1.0" encoding="UTF-8"?>
    <bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:modeler="http://example.org/modeler"
        xmlns:bioc="http://bpmn.io/schema/bpmn/biocolor/1.0" modeler:executionPlatform="any" exporter="x">
      <bpmn:collaboration id="c"><bpmn:participant id="p" processRef="main"/></bpmn:collaboration>
      <bpmn:message id="m" name="n"/>
      <bpmn:process id="main" isExecutable="true">
        <!-- a note -->
        <bpmn:laneSet id="l"><bpmn:lane id="l1"><bpmn:flowNodeRef>a</bpmn:flowNodeRef></bpmn:lane></bpmn:laneSet>
        <bpmn:startEvent id="s"><bpmn:outgoing>f1</bpmn:outgoing></bpmn:startEvent>
        <bpmn:userTask id="a" name="甲" bioc:fill="#fff"><bpmn:documentation>说明</bpmn:documentation></bpmn:userTask>
        <bpmn:receiveTask id="w" messageRef="m"/>
        <bpmn:endEvent id="e"/>
        <bpmn:sequenceFlow id="f1" sourceRef="s" targetRef="a"/>
        <bpmn:sequenceFlow id="f2" sourceRef="a" targetRef="w"/>
        <bpmn:sequenceFlow id="f3" sourceRef="w" targetRef="e"/>
        <bpmn:textAnnotation id="t"><bpmn:text>注</bpmn:text></bpmn:textAnnotation>
        <bpmn:association id="x" sourceRef="a" targetRef="t"/>
      </bpmn:process>
    </bpmn:definitions>"""
    graph = bpmn.read(text.encode())
    assert list(graph.elements) == ["s", "a", "w", "e"]
    assert [e.id for e in graph.ruled()] == ["a", "w"]


def test_form_that_fetches_is_refused(penalty: Copy) -> None:
    penalty.edit("forms/assign_officers.schema.json", '"minItems": 2,', '"$ref": "http://example.org/x.json",')
    found = penalty.says("外部")
    assert (found.file, found.kind) == ("forms/assign_officers.schema.json", "safety")
    assert found.line > 1


def test_a_scope_that_cel_has_taken_over_cannot_be_written() -> None:
    scope = Scope(case={"state": "docketed"})
    assert holds("case.state == 'docketed'", scope)
    writes: list[Callable[[], object]] = [
        lambda: operator.setitem(scope, "case", {}), lambda: operator.delitem(scope, "case"),
        lambda: scope.__ior__({"case": {}}), lambda: scope.update(case={}), lambda: scope.setdefault("form", {}),
        lambda: scope.pop("case"), scope.popitem, scope.clear,
    ]  # fmt: skip
    for write in writes:
        with pytest.raises(TypeError):
            write()
    more = scope | {"form": {}}
    assert (type(more), more) == (dict, {"case": {"state": "docketed"}, "form": {}})
    assert scope == {"case": {"state": "docketed"}}
