"""Two small packs, real bundles: a bureau's with decision, form and notice, a court's with judgment and ruling."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from services.documents.tests import papers
from services.kit.procedure.bundle import domain, pack_files

DECISION, FORM, NOTICE = "samr-penalty-decision", "samr-closing-form", "samr-inquiry-notice"
JUDGMENT, RULING, SUMMONS = "court-judgment", "court-suspend-ruling", "court-summons"

_SAMR = [{"law": "市场监督管理行政处罚程序规定", "article": "第六十条"}]
_CIVIL = [{"law": "中华人民共和国民事诉讼法", "article": "第一百五十五条"}]
_BPMN = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="urn:test">
  <process id="p" isExecutable="true"><startEvent id="begin"/><userTask id="verify"/><userTask id="decide"/>
    <endEvent id="done"/><sequenceFlow id="f1" sourceRef="begin" targetRef="verify"/>
    <sequenceFlow id="f2" sourceRef="verify" targetRef="decide"/>
    <sequenceFlow id="f3" sourceRef="decide" targetRef="done"/></process></definitions>"""


def _nodes(articles: list[dict[str, str]], approver: str) -> dict[str, Any]:
    level = {"id": "leader", "title": "负责人审批", "actor": {"role": approver}}
    verify = {"title": "核查", "stage": "all", "articles": articles, "actor": {"role": "case_officer"}}
    approval = {"mode": "single", "levels": [level]}
    decide = {"title": "决定", "stage": "all", "articles": articles, "actor": {"relation": "case_officer"}}
    return {"nodes": {"verify": verify, "decide": decide | {"approval": approval}}, "ends": {"done": {"title": "办结"}}}


def _volumes(catalogue: str) -> dict[str, Any]:
    return {"volumes": [
        {"id": "main", "kind": "main", "catalogue": f"{catalogue}-main", "takes": [{"seq": 1, "rest": True}]},
        {"id": "sub", "kind": "internal", "catalogue": f"{catalogue}-sub", "takes": [{"seq": 1, "rest": True}]},
    ]}  # fmt: skip


_PATTERN = "{机关代字}市监{文种}〔{year}〕{serial}号"
BUREAU_INSTRUMENTS: list[dict[str, Any]] = [
    {"id": DECISION, "title": "行政处罚决定书", "template": "templates/decision.docx", "approved_in": "decide",
     "number": {"pattern": _PATTERN, "kind_code": "处罚", "series": "penalty"}, "serve_to": ["respondent"],
     "fields": {"事由": "=case.cause", "事实和证据": "=forms.verify.facts", "证据清单": []},
     "volume": {"id": "main", "seq": 1}},
    {"id": FORM, "title": "结案审批表", "template": "templates/form.docx", "approved_in": "decide", "sealed": False,
     "fields": {"承办人意见": "=forms.verify.facts"}, "volume": {"id": "sub", "seq": 1}},
    {"id": NOTICE, "title": "询问通知书", "template": "templates/notice.docx",
     "number": {"pattern": _PATTERN, "kind_code": "询通", "series": "inquiry"},
     "fields": {"事由": "=case.cause"}, "volume": {"id": "main", "seq": 2}},
]  # fmt: skip
COURT_INSTRUMENTS: list[dict[str, Any]] = [
    {"id": JUDGMENT, "title": "民事判决书", "template": "templates/judgment.docx",
     "signed_by": [{"relation": "presiding_judge"}, {"relation": "panel_member"}, {"relation": "court_clerk"}],
     "fields": {"正文": "略"}, "volume": {"id": "main", "seq": 1}, "serve_to": ["plaintiff", "defendant"],
     "methods": ["personal", "electronic", "postal", "leaving", "publication"]},
    {"id": RULING, "title": "中止诉讼裁定书", "template": "templates/ruling.docx",
     "number": {"pattern": "{case_number}之{serial}", "series": "ruling"}, "fields": {"正文": "中止诉讼。"},
     "volume": {"id": "main", "seq": 2}},
    {"id": SUMMONS, "title": "传票", "template": "templates/ruling.docx", "fields": {"正文": "到庭。"},
     "volume": {"id": "main", "seq": 3}},
]  # fmt: skip
_LABELS = {
    "stages": {"all": "全程"}, "channels": {"party": "当事人"},
    "roles": {"case_officer": "办案人员", "body_leader": "机关负责人", "judge": "法官"},
    "party_roles": {"respondent": "当事人", "plaintiff": "原告", "defendant": "被告",
                    "third_party": "第三人"},
}  # fmt: skip
TEMPLATES = {
    "templates/decision.docx": papers.decision(),
    "templates/form.docx": papers.plain(
        "结案审批表", "{{ 案件名称 }} {{ 当事人 }} {{ 案由 }}", "承办人意见：{{ 承办人意见 }}",
        "{{ 审核意见 }} {{ 批准意见 }}",
        "{{ 执行情况 }}，{{ 结案理由 }}", "{{ 日期 }}",
    ),
    "templates/notice.docx": papers.plain(
        "{{ 机关名称 }}询问通知书", "{{ 文号 }}",
        "{{ 当事人 }}：因{{ 事由 }}，依{{ 法律依据 }}，请于{{ 询问时间地点 }}接受询问，携带{{ 应携材料 }}。",
        "{{ 日期 }}{{ 机关印章 }}",
    ),
    "templates/judgment.docx": papers.judgment(),
    "templates/ruling.docx": papers.plain(
        "{{ 法院名称 }}", "{{ 案号 }}", "{{ 当事人 }} {{ 案由 }}",
        "{{ 正文 }}{{ 中止情形|default('') }}{{ 时间地点|default('') }}{{ 事由|default('') }}",
        "{{ 署名 }}{{ 院印 }}", "{{ 日期 }}",
    ),
}  # fmt: skip


def bundle(kind: str, *, templates: Mapping[str, bytes] = {}, **changed: Any) -> bytes:
    """A real bundle of a bureau's or a court's pack; `changed` replaces entries of pack.yaml."""
    court = kind == "court"
    rules = COURT_INSTRUMENTS if court else BUREAU_INSTRUMENTS
    law = "中华人民共和国民事诉讼法" if court else "市场监督管理行政处罚程序规定"
    pack: dict[str, Any] = {
        "id": "civil" if court else "penalty", "version": "1.0.0", "valid_from": "2025-01-01", "title": "测试程序",
        "kind": kind, "legal_basis": [{"law": law}], "roles": ["case_officer", "body_leader", "judge"],
        "stages": ["all"], "channels": {"party": {"who": ["party"]}},
        "party_roles": {r: {} for r in ("respondent", "plaintiff", "defendant", "third_party")},
    }  # fmt: skip
    docket = {"pattern": _PATTERN, "kind_code": "立案", "series": "docket"}
    number: dict[str, Any] = {"case_type_code": "民初"} if court else {"docketing_number": docket}
    parts = {
        "pack.yaml": pack | number | changed, "nodes.yaml": _nodes(_CIVIL if court else _SAMR, "body_leader"),
        "checklist.yaml": {"items": []}, "time_limits.yaml": {"limits": []}, "labels.zh-CN.yaml": _LABELS,
        "instruments.yaml": {"instruments": rules},
        "volumes.yaml": _volumes("civil-first" if court else "samr-penalty"),
    }  # fmt: skip
    # every JSON is YAML
    files = {name: json.dumps(data, ensure_ascii=False, indent=1).encode() for name, data in parts.items()}
    frozen = {rule["id"]: domain("documents")[rule["id"]] for rule in rules}
    used = {rule["template"] for rule in rules}
    files |= {name: data for name, data in (TEMPLATES | dict(templates)).items() if name in used}
    law_files = {"frozen/documents.json": json.dumps(frozen).encode(), "process.bpmn": _BPMN.encode()}
    return pack_files(files | law_files)


DECISION_FIELDS = {
    "法律依据": "《中华人民共和国食品安全法》第三十四条", "陈述申辩采纳情况": "未提出", "处罚内容和依据": "罚款10000元",
    "履行方式和期限": "收到本决定书之日起十五日内缴纳", "复议诉讼途径和期限": "可在六十日内申请行政复议",
    "证据清单": [{"名称": "现场笔录", "事项": "存放过期食品"}, {"名称": "进货单 A&B <1>", "事项": "货值"}],
}  # fmt: skip
JUDGMENT_FIELDS = {
    "诉讼请求、争议事实": "原告请求还款。", "认定事实和理由": "借款属实。", "判决结果": "被告十日内还款。",
    "上诉期间和法院": "十五日内上诉。",
}  # fmt: skip
