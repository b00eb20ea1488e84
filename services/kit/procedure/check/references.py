"""Does every name mean something? Nodes, forms, effects, roles, labels, limits, volumes, the diagram."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from services.kit.legal_calendar import TimeLimit
from services.kit.numbers import court_numbers
from services.kit.procedure import registry
from services.kit.procedure.bundle import domain
from services.kit.procedure.conditions import is_expression
from services.kit.procedure.graph import FILE, WAITS, Element, Graph
from services.kit.procedure.load import walk
from services.kit.procedure.model import EffectRule, Finding, NodeRule, Pack
from services.kit.procedure.source import Source

Sources = Mapping[str, Source]


def findings(pack: Pack, graph: Graph, sources: Sources) -> Iterator[Finding]:
    """Every dangling or missing name."""
    yield from _elements(pack, graph, sources["nodes.yaml"])
    for node_id, rule in pack.nodes.items():
        yield from _node(pack, graph, sources["nodes.yaml"], node_id, rule)
    yield from _people(pack, sources)
    yield from _labels(pack, sources)
    yield from _limits(pack, sources["time_limits.yaml"])
    yield from _records(pack, sources)
    yield from _diagram(pack, graph)
    if pack.case_type_code and pack.case_type_code not in court_numbers().types:
        yield sources["pack.yaml"].fault(
            f"没有案件类型代字 {pack.case_type_code}", "见 domain/case-number.yaml", "case_type_code"
        )


def _elements(pack: Pack, graph: Graph, nodes: Source) -> Iterator[Finding]:
    ruled = {e.id: e for e in graph.ruled()}
    ends = {e.id for e in graph.elements.values() if e.tag == "endEvent"
            and graph.elements.get(e.scope, Element("", "", "", 0, "", by_event=True)).by_event}  # fmt: skip
    for element in ruled.values():
        if element.id not in pack.nodes:
            yield Finding(FILE, element.line, f"环节 {element.id} 在 nodes.yaml 里没有规则", "补上", "reference")
    for name in pack.nodes.keys() - ruled.keys():
        yield nodes.fault(f"流程图里没有环节 {name}", "改名或删去", "nodes", name)
    for name in ends - pack.ends.keys():
        yield Finding(FILE, graph.elements[name].line, f"结束事件 {name} 不在 nodes.yaml 的 ends", "补上", "reference")
    for name in pack.ends.keys() - ends:
        yield nodes.fault(f"流程图里没有结束事件 {name}", "改名或删去", "ends", name)


def _node(pack: Pack, graph: Graph, nodes: Source, node_id: str, rule: NodeRule) -> Iterator[Finding]:
    element = graph.elements.get(node_id)
    at: tuple[str, ...] = ("nodes", node_id)
    if element is None:
        return
    waits = element.tag in WAITS
    if graph.is_entry(element):
        if (rule.waits_for is None) == (rule.request is None):
            yield nodes.fault("事件子流程的开始应写 waits_for 或 request 之一", "补上或删去一个", *at)
    elif (rule.waits_for is not None) != waits or rule.request:
        yield nodes.fault("waits_for 只用于接收任务和消息事件，request 只用于事件子流程的开始", "对照流程图改正", *at)
    if element.tag == "userTask" and not rule.actor:
        yield nodes.fault("没有写谁来办", "补上 actor", *at)
    if element.tag == "userTask" and pack.form_of(node_id) is None:
        yield nodes.fault(f"没有表单 forms/{rule.form or node_id}.schema.json", "补上", *at)
    if element.tag != "userTask" and (rule.effects or rule.approval.levels or rule.refuses or rule.form):
        yield nodes.fault("只有 userTask 才能有表单、审批和效果", "移到前面或后面的 userTask", *at)
    if rule.stage not in pack.stages:
        yield nodes.fault(f"没有阶段 {rule.stage}", "见 pack.yaml 的 stages", *at, "stage")
    if rule.waits_for:
        yield from _event(nodes, rule.waits_for.event, *at, "waits_for", "event")
        if rule.waits_for.event in ("NodeOpened", "NodeCompleted", "NodeCancelled"):
            yield nodes.fault("本程序自己的环节不必等待事实", "改用顺序流", *at, "waits_for")
    for part, names in {
        "send_back_to": rule.send_back_to,
        "while_open": rule.request.while_open if rule.request else (),
    }.items():
        yield from _unknown(nodes, names, pack.nodes, "环节", *at, *(["request"] if part == "while_open" else []), part)
    yield from _effects(pack, nodes, rule, *at)


def _effects(pack: Pack, nodes: Source, rule: NodeRule, *at: str) -> Iterator[Finding]:
    own = [e.id for e in rule.effects]
    yield from _unknown(nodes, rule.awaits or (), own, "本环节的效果", *at, "awaits")
    for index, effect in enumerate(rule.effects):
        here: tuple[str | int, ...] = (*at, "effects", index)
        if pack.effects[effect.id][1] is not effect:
            yield nodes.fault(f"效果 id {effect.id} 用了两次", "全包唯一，改名", *here, "id")
        kind = registry.effects().get(effect.effect)
        if kind is None:
            yield nodes.fault(
                f"没有部门办理的效果 {effect.effect}", f"可用：{'、'.join(registry.effects())}", *here, "effect"
            )
            continue
        yield from _unknown(nodes, effect.after, own, "本环节的效果", *here, "after")
        yield from _params(pack, nodes, effect, kind.params, *here)
    if _cyclic(rule.effects):
        yield nodes.fault("effects 的 after 互相等待", "去掉一个", *at, "effects")


def _params(
    pack: Pack, nodes: Source, effect: EffectRule, params: Mapping[str, str], *here: str | int
) -> Iterator[Finding]:
    known = {name.rstrip("?"): kind for name, kind in params.items()}
    for name in [n for n in params if n[-1] != "?" and n not in effect.with_]:
        yield nodes.fault(f"效果 {effect.effect} 缺少参数 {name}", "写在 with 里", *here)
    for name, value in effect.with_.items():
        if (effect.effect, name) == ("extend_clock", "granted_on") and "occurred_on" in str(value):
            said = "延长期限的批准日期不能取 act.occurred_on：补录的日期会使已届满的期限复活"
            yield nodes.fault(said, "改用 =act.legal_on", *here, "with", name)
        if name not in known:
            yield nodes.fault(f"效果 {effect.effect} 没有参数 {name}", f"可用：{'、'.join(known)}", *here, "with", name)
        elif not is_expression(value):
            meant = {"limit_id": [r.limit for r in pack.time_limits], "instrument": [i.id for i in pack.instruments],
                     "volume": [v.id for v in pack.volumes]}.get(name, [value])  # fmt: skip
            yield from _unknown(nodes, [value], meant, "", *here, "with", name)


def _cyclic(effects: Iterable[EffectRule]) -> bool:
    left = {e.id: set(e.after) for e in effects}
    while free := [k for k, after in left.items() if not after & left.keys()]:
        for key in free:
            del left[key]
    return bool(left)


def _unknown(
    source: Source, names: Iterable[Any], known: Iterable[Any], what: str, *at: str | int
) -> Iterator[Finding]:
    known = list(known)
    for name in names:
        if name not in known:
            yield source.fault(f"没有{what} {name}", f"可用：{'、'.join(map(str, known[:12]))}", *at)


def _event(source: Source, event: str, *at: str | int) -> Iterator[Finding]:
    yield from _unknown(source, [event] if event else [], registry.facts(), "事件", *at)


def _people(pack: Pack, sources: Sources) -> Iterator[Finding]:
    lists: dict[str, tuple[str, Iterable[str]]] = {
        "role": ("角色", pack.roles), "actor_of": ("环节", pack.nodes), "not_actor_of": ("环节", pack.nodes),
        "who": ("角色", [*pack.roles, "party", "reporter"]), "approved_in": ("环节", pack.nodes),
    }  # fmt: skip
    for source in (
        sources[f] for f in ("pack.yaml", "nodes.yaml", "instruments.yaml", "time_limits.yaml") if f in sources
    ):
        for path, value in walk(source.data):
            if path and path[-1] in lists and not {"with", "fields"} & set(path):
                what, known = lists[str(path[-1])]
                yield from _unknown(source, value if isinstance(value, list) else [value], known, what, *path)


def _labels(pack: Pack, sources: Sources) -> Iterator[Finding]:
    wanted = {"stages": pack.stages, "roles": pack.roles, "channels": pack.channels, "party_roles": pack.party_roles}
    parts = dict(walk(sources["nodes.yaml"].data))
    wanted["departments"] = tuple(v for p, v in parts.items() if p and p[-1] == "department_kind")
    wanted["qualifications"] = tuple(v for p, v in parts.items() if p and p[-1] == "qualification")
    for part, names in wanted.items():
        for name in dict.fromkeys(names):
            if name not in pack.labels.get(part, {}):
                yield sources["labels.zh-CN.yaml"].fault(f"{part} 里没有 {name} 的中文", "补上", part)
    for name, channel in pack.channels.items():
        if channel.form != "filing" and channel.form not in pack.forms:
            yield sources["pack.yaml"].fault(f"没有表单 {channel.form}", "补上 forms/", "channels", name)


def _limits(pack: Pack, source: Source) -> Iterator[Finding]:
    for index, rule in enumerate(pack.time_limits):
        at = ("limits", index)
        law = pack.deadlines.get(rule.limit)
        if law is None or [r.limit for r in pack.time_limits].count(rule.limit) > 1:
            yield source.fault(f"期限 {rule.limit} 不在 domain/deadlines.yaml，或写了两次", "改正 limit", *at, "limit")
            continue
        limit = TimeLimit.from_data(law)
        for part in ("excludes", "suspends"):
            for n, span in enumerate(getattr(rule, part)):
                yield from _unknown(source, [span.ground], limit.exclusions, "扣除事由", *at, part, n, "ground")
        for n, more in enumerate(rule.extends):
            if more.nth > len(limit.extensions) and all(e.times for e in limit.extensions):
                yield source.fault(f"法律没有第 {more.nth} 次延长", "对照 domain/deadlines.yaml", *at, "extends", n)
        for n, start in enumerate(rule.starts):
            yield from _unknown(
                source, start.after_expiry_of, [r.limit for r in pack.time_limits], "期限", *at, "starts", n
            )
    for path, value in walk(source.data):
        if path and path[-1] == "event":
            yield from _event(source, value, *path)
        if path and path[-1] == "rule":
            yield from _unknown(source, [value], domain("monitoring"), "监察规则", *path)


def _records(pack: Pack, sources: Sources) -> Iterator[Finding]:
    volumes = {(v.id, item.seq) for v in pack.volumes for item in v.takes}
    for index, made in enumerate(pack.instruments):
        source, at = sources["instruments.yaml"], ("instruments", index)
        document = pack.documents.get(made.id)
        if document is None:
            yield source.fault(f"文书 {made.id} 不在 domain/documents.yaml", "改正 id", *at, "id")
            continue
        for name in [n for n in document["required_fields"] if n not in made.fields and not registry.by_house(n)]:
            yield source.fault(f"缺少必备字段 {name}", "写在 fields 里", *at, "fields")
        if made.template not in pack.files:
            yield source.fault(f"没有模板 {made.template}", "放进 templates/", *at, "template")
        if (made.volume.id, made.volume.seq) not in volumes:
            yield source.fault("没有这一卷或这一目录项", "见 volumes.yaml", *at, "volume")
        yield from _unknown(source, made.serve_to, pack.party_roles, "当事人地位", *at, "serve_to")
    for index, volume in enumerate(pack.volumes):
        source, at = sources["volumes.yaml"], ("volumes", index)
        items = [i["seq"] for i in pack.catalogues.get(volume.catalogue, {}).get("items", [])]
        for n, item in enumerate(volume.takes):
            yield from _unknown(source, [item.seq], items, "目录项", *at, "takes", n, "seq")
            yield from _unknown(source, item.instruments, [i.id for i in pack.instruments], "文书", *at, "takes", n)
            yield from _unknown(source, item.nodes, pack.nodes, "环节", *at, "takes", n)
            yield from _unknown(source, item.materials, [i.id for i in pack.checklist], "清单项", *at, "takes", n)


def _diagram(pack: Pack, graph: Graph) -> Iterator[Finding]:
    text = pack.files[FILE]
    for element in graph.elements.values():
        if f'bpmnElement="{element.id}"'.encode() not in text:
            yield Finding(
                FILE, element.line, f"图上没有画 {element.id}", "用建模工具画出，或 anjuan pack draw", "reference"
            )
