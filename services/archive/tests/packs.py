"""A small pack, a real bundle: two volumes after the catalogues of the market regulators, two nodes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from services.kit.procedure.bundle import bundle_of

_ARTICLES = [{"law": "市场监督管理行政处罚程序规定", "article": "第七十八条"}]
_BPMN = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="urn:test">
  <process id="p" isExecutable="true"><startEvent id="begin"/><userTask id="docketing"/><userTask id="review"/>
    <endEvent id="done"/><sequenceFlow id="f1" sourceRef="begin" targetRef="docketing"/>
    <sequenceFlow id="f2" sourceRef="docketing" targetRef="review"/>
    <sequenceFlow id="f3" sourceRef="review" targetRef="done"/></process></definitions>"""
_ACTOR = {"actor": {"role": "case_officer"}}
_PACK = {
    "id": "penalty", "version": "1.0.0", "valid_from": "2025-01-01", "title": "测试程序", "kind": "bureau",
    "legal_basis": [{"law": "市场监督管理行政处罚程序规定"}], "roles": ["case_officer"], "stages": ["all"],
    "channels": {"party": {"who": ["party"]}}, "party_roles": {"respondent": {}},
    "docketing_number": {"pattern": "{机关代字}市监立〔{year}〕{serial}号", "series": "docket", "kind_code": "立案"},
}  # fmt: skip
_REVIEW = {"title": "案件审核", "stage": "all", "articles": _ARTICLES, "internal": True, **_ACTOR}
VOLUMES: dict[str, Any] = {"volumes": [
    {"id": "main", "kind": "main", "catalogue": "samr-penalty-main", "takes": [
        {"seq": 1, "nodes": ["docketing"]}, {"seq": 2, "instruments": ["samr-penalty-decision"]},
        {"seq": 4, "materials": ["evidence"]}, {"seq": 7, "rest": True}]},
    {"id": "internal", "kind": "internal", "catalogue": "samr-penalty-sub", "takes": [
        {"seq": 1, "materials": ["lead"]}, {"seq": 3, "nodes": ["review"]}, {"seq": 6, "rest": True}]},
]}  # fmt: skip
_FORM = {
    "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "title": "立案审批",
    "additionalProperties": False,
    "properties": {
        "facts": {"type": "string", "title": "主要案情"},
        "measures": {"type": "array", "title": "拟采取的措施", "items": {"type": "string"}},
        "is_urgent": {"type": "boolean", "title": "是否紧急"},
        "kind": {"type": "string", "title": "程序", "oneOf": [{"const": "ordinary", "title": "普通程序"}]},
    },
}  # fmt: skip
_LABELS = {"stages": {"all": "全程"}, "channels": {"party": "当事人"}, "roles": {"case_officer": "办案人员"},
           "party_roles": {"respondent": "当事人"}}  # fmt: skip


def nodes(**params: str) -> dict[str, Any]:
    """Two nodes; `params` of the binding beside its volume."""
    bind = {"id": "bind_main", "effect": "bind_volume", "with": {"volume": "main", **params}}
    docketing = {"title": "立案审批", "stage": "all", "articles": _ARTICLES, **_ACTOR}
    both = {"docketing": docketing, "review": {**_REVIEW, "effects": [bind]}}
    return {"nodes": both, "ends": {"done": {"title": "办结"}}}


def bundle(folder: Path, version: str = "1.0.0", **params: str) -> bytes:
    """Written out and bundled, with the referenced catalogues frozen inside; `params` as of nodes()."""
    law = [{"law": "市场监督管理行政处罚程序规定", "article": "第七十八条"}]
    parts = {
        "pack.yaml": _PACK | {"version": version}, "nodes.yaml": nodes(**params),
        "volumes.yaml": VOLUMES, "labels.zh-CN.yaml": _LABELS,
        "checklist.yaml": {"items": [{"id": i, "title": t, "basis": law} for i, t in
                                     (("evidence", "证据材料"), ("lead", "案源材料"))]},
        "time_limits.yaml": {"limits": []}, "forms/docketing.schema.json": _FORM,
    }  # fmt: skip
    (folder / "forms").mkdir(parents=True, exist_ok=True)
    for name, data in parts.items():  # every JSON is YAML
        (folder / name).write_text(json.dumps(data, ensure_ascii=False, indent=1), "utf-8")
    (folder / "process.bpmn").write_text(_BPMN, "utf-8")
    return bundle_of(folder)
