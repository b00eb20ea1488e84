"""Small packs for one idiom each, as bundles."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from services.kit.procedure.bundle import pack_files
from services.kit.procedure.tests.drawing import draw
from services.ops.pack import drawn

LAW = [{"law": "某法", "article": "第一条"}]
OFFICER = {"role": "case_officer"}
ROLES = {"case_officer": "办案人员", "division_head": "部门负责人", "body_leader": "机关负责人"}


def node(**rule: Any) -> dict[str, Any]:
    """A node's rule with what every node must have."""
    return {"title": "某环节", "stage": "work", "articles": LAW} | rule


def form(**fields: Any) -> dict[str, Any]:
    """A form; all fields may be left out."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "某表", "type": "object",
        "additionalProperties": False, "properties": {name: {"title": name} | f for name, f in fields.items()},
    }  # fmt: skip


def bundle(
    pack_id: str, drawing: str, nodes: Mapping[str, Any], *, version: str = "1.0.0",
    forms: Mapping[str, Any] | None = None, ends: tuple[str, ...] = ("e",), labels: Mapping[str, str] | None = None,
    more: Mapping[str, bytes] | None = None, **pack: Any,
) -> bytes:  # fmt: skip
    """A bundle of a small pack: `drawing` as kit's tests draw, one rule for each node; `more` files."""
    about = {
        "id": pack_id, "version": version, "valid_from": "2025-01-01", "title": "小程序", "kind": "any",
        "legal_basis": [{"law": "某法"}], "channels": {"ex_officio": {"who": ["case_officer"]}},
        "roles": list(ROLES), "stages": ["work"],
    }  # fmt: skip
    alone = {"waits_for", "request"}
    rules = {name: node(title=name, **{} if r.keys() & alone else {"actor": OFFICER}) | r for name, r in nodes.items()}
    parts = {
        "pack.yaml": about | pack, "time_limits.yaml": {"limits": []}, "checklist.yaml": {"items": []},
        "nodes.yaml": {"nodes": rules, "ends": {e: {"title": e} for e in ends}},
        "labels.zh-CN.yaml": {"stages": {"work": "办理"}, "roles": {**ROLES, **(labels or {})},
                              "channels": {"ex_officio": "依职权", "request": "下级报请"},
                              "qualifications": {"law_enforcement_certificate": "行政执法证"}},
    }  # fmt: skip
    files = {name: json.dumps(data, ensure_ascii=False).encode() for name, data in parts.items()}
    asked = {name: form() for name, rule in rules.items() if "actor" in rule} | dict(forms or {})
    files |= {f"forms/{name}.schema.json": json.dumps(f).encode() for name, f in asked.items()}
    return pack_files(files | dict(more or {}) | {"process.bpmn": drawn(draw(drawing))})
