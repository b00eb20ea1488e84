"""Files of a pack -> Pack: schemas, BPMN, CEL and docx are all checked before anything is used."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from lxml import etree
from referencing import Registry, Resource

from services.kit.procedure import bpmn, conditions
from services.kit.procedure.forms import CHECKER, said
from services.kit.procedure.model import Finding, Pack, PackError, pack_of
from services.kit.procedure.source import Source, SourceError, read

SCHEMAS = Path(__file__).parent / "schemas"
PARTS = {
    "pack.yaml": "pack", "nodes.yaml": "nodes", "time_limits.yaml": "time_limits", "checklist.yaml": "checklist",
    "instruments.yaml": "instruments", "volumes.yaml": "volumes", "indicators.yaml": "indicators",
    "labels.zh-CN.yaml": "labels",
}  # fmt: skip
NEEDED = ("pack.yaml", "process.bpmn", "nodes.yaml", "time_limits.yaml", "checklist.yaml", "labels.zh-CN.yaml")
FROZEN = ("deadlines", "documents", "catalogues")
KNOWN = re.compile(
    r"pack\.yaml|process\.bpmn|(nodes|time_limits|checklist|instruments|volumes|indicators|labels\.zh-CN)\.yaml|README\.md"
    r"|forms/[a-z][a-z0-9_]*\.schema\.json|templates/[a-z0-9-]+\.docx|examples/[a-z0-9-]+\.case\.yaml"
    r"|frozen/(deadlines|documents|catalogues)\.json"
)
_CEL = frozenset({"match", "day", "key", "when", "of", "amount"})
_SLOW = re.compile(r"\([^()]*[+*{][^()]*\)[+*{]")
DOCX_SIZE, DOCX_PARTS = 20_000_000, 500


@cache
def schema(name: str) -> Draft202012Validator:
    """A validator of one of our schemas."""
    texts = {p.name.removesuffix(".schema.json"): json.loads(p.read_text("utf-8")) for p in SCHEMAS.glob("*.json")}
    registry: Any = Registry().with_resources((s["$id"], Resource.from_contents(s)) for s in texts.values())
    return Draft202012Validator(texts[name], registry=registry, format_checker=CHECKER)


def sources_of(files: Mapping[str, bytes]) -> tuple[dict[str, Source], list[Finding]]:
    """Every YAML and JSON file, and what is wrong with it by its schema."""
    found = [
        Finding(f, 0, "不认识的文件", "删去或改名，文件名见文档", "schema") for f in files if not KNOWN.fullmatch(f)
    ]
    found += [Finding(f, 0, "缺少这个文件", "补上", "schema") for f in NEEDED if f not in files]
    sources: dict[str, Source] = {}
    for file in sorted(f for f in files if _schema_of(f)):
        try:
            sources[file] = read(file, files[file])
            found += _faults(sources[file], _schema_of(file))
        except SourceError as error:
            found.append(error.finding)
    return sources, found


def _schema_of(file: str) -> str:
    if file.startswith("forms/"):
        return "form"
    return "example" if file.startswith("examples/") else PARTS.get(file, "")


def _faults(source: Source, name: str) -> Iterator[Finding]:
    for error in schema(name).iter_errors(source.data):
        deepest = min([error, *_leaves(error)], key=lambda e: -len(e.absolute_path)) if error.context else error
        path = list(deepest.absolute_path)
        if deepest.validator == "additionalProperties":
            path += [k for k in deepest.instance if k not in deepest.schema["properties"]][:1]
        where = ".".join(map(str, path)) or "文件"
        mend = (deepest.schema if isinstance(deepest.schema, dict) else {}).get("description", "对照文档改正")
        yield source.fault(f"{where} {said(deepest, {})}", mend, *path, kind="schema")
    if name == "form":
        yield from _form_faults(source)


def _leaves(error: Any) -> Iterator[Any]:
    for inner in error.context:
        yield from _leaves(inner) if inner.context else [inner]


def _form_faults(source: Source) -> Iterator[Finding]:
    try:
        Draft202012Validator.check_schema(source.data)
    except Exception as error:  # noqa: BLE001 (whatever the library finds wrong with a schema)
        yield source.fault(f"不是有效的 JSON Schema：{str(error).splitlines()[0]}", "对照 2020-12 改正", kind="schema")
    for path, value in walk(source.data):
        if path and path[-1] in ("$ref", "$dynamicRef") and not str(value).startswith("#"):
            yield source.fault(f"引用了外部的 {value}", "只引用本文件，写成 #/$defs/…", *path, kind="safety")
        if path and path[-1] == "pattern" and _SLOW.search(str(value)):
            yield source.fault(f"正则 {value} 可能算不完", "重复的括号里不再写重复", *path, kind="safety")


def walk(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every part of plain data with its path."""
    yield path, value
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from walk(inner, (*path, key))


def cel_texts(source: Source) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every CEL expression of a file with its path."""
    if source.file.startswith("examples/"):
        return
    for path, value in walk(source.data):
        if not isinstance(value, str) or not path or source.file in ("pack.yaml", "labels.zh-CN.yaml"):
            continue
        if conditions.is_expression(value):
            yield path, value[1:]
        elif path[-1] in _CEL and not source.file.startswith("forms/") and "cards" not in path and "with" not in path:
            yield path, value


def _cel_faults(source: Source) -> Iterator[Finding]:
    for path, text in cel_texts(source):
        try:
            conditions.program(text)
        except ValueError as error:
            yield source.fault(f"{text}：{error}", "改成 CEL，变量见文档", *path, kind="safety")


def load_files(files: Mapping[str, bytes], sha256: str = "") -> Pack:
    """The pack of a bundle's files.

    Raises:
        PackError: every fault of form, safety and structure.
    """
    sources, found = sources_of(files)
    for source in sources.values():
        found += _cel_faults(source)
    for file in (f for f in files if f.endswith(".docx")):
        found += docx_faults(file, files[file])
    try:
        bpmn.read(files.get("process.bpmn", b""))
    except PackError as error:
        found += [f for f in error.findings if "process.bpmn" in files]
    if found:
        raise PackError(found)
    return pack_of({**_parts(sources), **_frozen(files), "files": dict(files), "sha256": sha256})


def _parts(sources: Mapping[str, Source]) -> dict[str, Any]:
    data = {PARTS[f]: s.data for f, s in sources.items() if f in PARTS}
    lists = {"time_limits": "limits", "checklist": "items", "instruments": "instruments", "volumes": "volumes",
             "indicators": "indicators"}  # fmt: skip
    return {
        **data["pack"], **data["nodes"], "labels": data["labels"],
        **{name: data[name][key] for name, key in lists.items() if name in data},
        "forms": {Path(f).name.split(".")[0]: s.data for f, s in sources.items() if f.startswith("forms/")},
        "examples": {Path(f).name: s.data for f, s in sources.items() if f.startswith("examples/")},
    }  # fmt: skip


def _frozen(files: Mapping[str, bytes]) -> dict[str, Any]:
    return {name: json.loads(files.get(f"frozen/{name}.json", b"{}")) for name in FROZEN}


@lru_cache(maxsize=256)
def docx_faults(file: str, data: bytes) -> tuple[Finding, ...]:
    """What makes a template unsafe: macros, external links, DTD, a zip bomb."""
    return tuple(_docx_faults(file, data))


def _docx_faults(file: str, data: bytes) -> Iterator[Finding]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        parts = archive.infolist()
        if len(parts) > DOCX_PARTS or sum(p.file_size for p in parts) > DOCX_SIZE:
            yield Finding(file, 0, "解开后过大", "去掉大图", "safety")
            return
        names = {p.filename for p in parts}
        if "word/document.xml" not in names or any("vbaproject" in n.lower() or n.endswith(".bin") for n in names):
            yield Finding(file, 0, "不是 Word 文档，或含有宏、嵌入对象", "另存为不含宏的 .docx", "safety")
        for name in names:
            if name.endswith((".xml", ".rels")):
                yield from _xml_faults(file, name, archive.read(name))
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, OSError) as error:
        yield Finding(file, 0, f"不是有效的 .docx：{error}", "用 Word 或 WPS 重新保存", "safety")


def _xml_faults(file: str, name: str, data: bytes) -> Iterator[Finding]:
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        yield Finding(file, 0, f"{name} 含有 DTD", "用 Word 或 WPS 重新保存", "safety")
        return
    try:
        root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    except etree.XMLSyntaxError as error:
        yield Finding(file, 0, f"{name} 不是有效的 XML：{error.msg}", "用 Word 或 WPS 重新保存", "safety")
        return
    links = [str(e.get("Target", "")) for e in root.iter() if e.get("TargetMode") == "External"]
    if links and name.endswith(".rels"):
        yield Finding(file, 0, f"{name} 引用外部地址 {links[0]}", "去掉超链接和外部图片", "safety")
