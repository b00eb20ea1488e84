"""process.bpmn as a graph: read without DTD, entities or network; only the elements below exist.

What a modeler adds for the eye (diagram, lanes, notes) is skipped; anything that could run is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from services.kit.procedure.graph import FILE, Element, Flow, Graph
from services.kit.procedure.model import Finding, PackError
from services.kit.procedure.shape import faults

SIZE = 2_000_000
BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
NODES = frozenset({
    "startEvent", "endEvent", "userTask", "receiveTask", "exclusiveGateway", "parallelGateway", "eventBasedGateway",
    "intermediateCatchEvent", "boundaryEvent", "subProcess",
})  # fmt: skip
_PARTS = frozenset({
    "definitions", "process", "sequenceFlow", "incoming", "outgoing", "conditionExpression", "message",
    "messageEventDefinition", "terminateEventDefinition", "documentation", "laneSet", "lane", "flowNodeRef",
    "collaboration", "participant", "textAnnotation", "text", "association", "group", "category", "categoryValue",
})  # fmt: skip
_EYE = (
    "http://www.omg.org/spec/BPMN/20100524/DI",
    "http://www.omg.org/spec/DD/",
    "http://bpmn.io/schema/bpmn/biocolor",
)
_ID = re.compile(r"[a-z][a-z0-9_]{0,59}")
_INSTEAD = {
    "scriptTask": "程序包里没有脚本；改用 userTask，后果写在 nodes.yaml 的 effects",
    "serviceTask": "后果写在 nodes.yaml 的 effects，不画成 serviceTask",
    "businessRuleTask": "判断写成网关上的 CEL 条件",
    "timerEventDefinition": "法定期限写在 time_limits.yaml，用消息事件等待 TimeLimitExpired",
    "callActivity": "改用 subProcess，或用 ask_superior 打开另一程序",
    "multiInstanceLoopCharacteristics": "多人共同办理写 min_people，逐人送达写 quorum: all",
    "inclusiveGateway": "改用 parallelGateway 加 exclusiveGateway",
    "task": "改用 userTask",
    "extensionElements": "去掉厂商扩展",
}


@dataclass
class _Reading:
    elements: dict[str, Element] = field(default_factory=dict)
    flows: dict[str, Flow] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def fault(self, line: int | None, message: str, mend: str, kind: str = "safety") -> None:
        self.findings.append(Finding(FILE, line or 0, message, mend, kind))


def read(data: bytes) -> Graph:
    """The graph of a BPMN file.

    Raises:
        PackError: DTD, foreign or executable elements, broken structure; every fault with its line.
    """
    reading = _Reading()
    root = _xml(data)
    for node in root.iter():
        _allowed(node, reading)
    processes = [p for p in root.iter(f"{BPMN}process") if p.get("isExecutable", "true") == "true"]
    if len(processes) != 1:
        reading.fault(
            root.sourceline, f"应有一个可执行的 process，现有 {len(processes)} 个", "只留一个，isExecutable=true"
        )
    if reading.findings:
        raise PackError(reading.findings)
    _scope(processes[0], processes[0].get("id", ""), reading)
    graph = Graph(processes[0].get("id", ""), reading.elements, reading.flows)
    if found := [*reading.findings, *([] if reading.findings else faults(graph))]:
        raise PackError(found)
    return graph


def _xml(data: bytes) -> etree._Element:
    if len(data) > SIZE:
        raise PackError([Finding(FILE, 0, f"文件超过 {SIZE} 字节", "拆小或去掉嵌入的图片", "safety")])
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise PackError([Finding(FILE, 1, "含有 DTD 或实体声明", "删去 <!DOCTYPE …>", "safety")])
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise PackError(
            [Finding(FILE, error.lineno or 0, f"不是有效的 XML：{error.msg}", "用建模工具重新保存")]
        ) from error
    if root.getroottree().docinfo.doctype:
        raise PackError([Finding(FILE, 1, "含有 DTD 或实体声明", "删去 <!DOCTYPE …>", "safety")])
    return root


def _allowed(node: etree._Element, reading: _Reading) -> None:
    if not isinstance(node.tag, str):
        if not isinstance(node, etree._Comment):
            reading.fault(node.sourceline, "含有处理指令或实体", "删去")
        return
    name = etree.QName(node)
    if (name.namespace or "").startswith(_EYE):
        return
    if name.namespace != BPMN[1:-1] or name.localname not in _PARTS | NODES:
        mend = _INSTEAD.get(name.localname, "只用文档列出的元素")
        reading.fault(node.sourceline, f"不允许的元素 {name.localname}", mend)


def _scope(parent: etree._Element, scope: str, reading: _Reading) -> None:
    for node in _children(parent):
        tag = etree.QName(node).localname
        if tag in NODES:
            _element(node, tag, scope, reading)
        elif tag == "sequenceFlow":
            _flow(node, reading)
        if tag == "subProcess":
            _scope(node, node.get("id", ""), reading)


def _children(node: etree._Element) -> Iterator[etree._Element]:
    return (child for child in node if isinstance(child.tag, str) and child.tag.startswith(BPMN))


def _element(node: etree._Element, tag: str, scope: str, reading: _Reading) -> None:
    ident, line = node.get("id", ""), node.sourceline or 0
    if not _ID.fullmatch(ident):
        reading.fault(line, f"元素 id “{ident}” 不合写法", "用小写字母、数字、下划线，如 verify_lead", "schema")
    if ident in reading.elements:
        reading.fault(line, f"元素 id {ident} 重复", "改成不同的 id", "schema")
    kinds = {etree.QName(child).localname for child in _children(node)}
    # An event subprocess's start says whether it interrupts; a boundary event says it itself.
    cancels = node.get("cancelActivity" if tag == "boundaryEvent" else "isInterrupting", "true")
    reading.elements[ident] = Element(
        ident, tag, node.get("name", ""), line, scope, attached_to=node.get("attachedToRef", ""),
        interrupting=cancels == "true", terminate="terminateEventDefinition" in kinds,
        by_event=node.get("triggeredByEvent") == "true", default=node.get("default", ""),
    )  # fmt: skip
    if tag in ("intermediateCatchEvent", "boundaryEvent") and "messageEventDefinition" not in kinds:
        reading.fault(line, f"事件 {ident} 不是消息事件", "改成消息事件，等什么写在 nodes.yaml 的 waits_for", "schema")


def _flow(node: etree._Element, reading: _Reading) -> None:
    condition = node.find(f"{BPMN}conditionExpression")
    text = "" if condition is None else "".join(condition.itertext()).strip()
    ident = node.get("id", "")
    if not ident or ident in reading.flows:
        reading.fault(node.sourceline, f"顺序流 id “{ident}” 缺失或重复", "给每条顺序流一个不同的 id", "schema")
    reading.flows[ident] = Flow(
        ident, node.get("sourceRef", ""), node.get("targetRef", ""), node.sourceline or 0, text
    )  # fmt: skip
