"""Is a process sound? Every fault with its line, before anything runs."""

from __future__ import annotations

from collections.abc import Iterator

from services.kit.procedure.conditions import program
from services.kit.procedure.graph import FILE, Element, Flow, Graph
from services.kit.procedure.model import Finding

_ONE_WAY = frozenset({"userTask", "receiveTask", "intermediateCatchEvent", "boundaryEvent", "subProcess", "startEvent"})


def faults(graph: Graph) -> list[Finding]:
    """Every structural fault of a graph."""
    dangling = list(_dangling(graph))
    if dangling:
        return dangling
    found = [finding for element in graph.elements.values() for finding in _element(graph, element)]
    found += [finding for flow in graph.flows.values() for finding in _flow(graph, flow)]
    for scope in [graph.root, *(e.id for e in graph.elements.values() if e.tag == "subProcess")]:
        found += _scope(graph, scope)
    return found or list(_endless(graph)) or list(_unreached(graph))


def _fault(line: int, message: str, mend: str) -> Finding:
    return Finding(FILE, line, message, mend, "schema")


def _dangling(graph: Graph) -> Iterator[Finding]:
    pairs: set[tuple[str, str]] = set()
    for flow in graph.flows.values():
        for end in (flow.source, flow.target):
            if end not in graph.elements:
                yield _fault(flow.line, f"顺序流 {flow.id} 指向不存在的元素 {end}", "改正 sourceRef/targetRef")
        if (flow.source, flow.target) in pairs:
            yield _fault(flow.line, f"{flow.source} 到 {flow.target} 有两条顺序流", "合并，条件用 || 连接")
        pairs.add((flow.source, flow.target))
    for element in graph.elements.values():
        host = graph.elements.get(element.attached_to)
        if element.tag == "boundaryEvent" and (
            host is None or host.tag not in ("userTask", "receiveTask", "subProcess")
        ):
            yield _fault(
                element.line, f"边界事件 {element.id} 没有附着在环节上", "附着到 userTask、receiveTask 或 subProcess"
            )


def _element(graph: Graph, element: Element) -> Iterator[Finding]:
    out, into = graph.outgoing[element.id], graph.incoming[element.id]
    no_way_in = element.tag in ("startEvent", "boundaryEvent") or element.by_event
    if element.tag in _ONE_WAY and not element.by_event and len(out) != 1:
        yield _fault(element.line, f"{element.id} 应有一条流出的顺序流，现有 {len(out)} 条", "分支用网关")
    if no_way_in and into:
        yield _fault(element.line, f"{element.id} 不能有流入的顺序流", "删去，或改用网关汇合")
    if not no_way_in and not into:
        yield _fault(element.line, f"{element.id} 没有流入的顺序流", "连上，或删去")
    if element.tag == "endEvent" and out:
        yield _fault(element.line, f"结束事件 {element.id} 不能有流出", "删去流出的顺序流")
    if element.terminate and element.scope != graph.root:
        yield _fault(element.line, f"终止事件 {element.id} 只能在最外层", "改成普通结束事件")
    if element.tag == "eventBasedGateway":
        yield from _race(graph, element)
    if element.by_event and element.scope != graph.root:
        yield _fault(element.line, f"事件子流程 {element.id} 只能在最外层", "移到最外层")


def _race(graph: Graph, element: Element) -> Iterator[Finding]:
    targets = [graph.elements[f.target] for f in graph.outgoing[element.id]]
    if len(targets) < 2:
        yield _fault(element.line, f"事件网关 {element.id} 少于两个去向", "补上另一个等待，或去掉网关")
    for target in targets:
        if target.tag not in ("receiveTask", "intermediateCatchEvent") or len(graph.incoming[target.id]) != 1:
            yield _fault(target.line, f"事件网关后的 {target.id} 须是只由它流入的接收任务或消息事件", "调整连线")
        if graph.boundary(target.id):
            yield _fault(target.line, f"事件网关后的 {target.id} 不能有边界事件", "把边界事件画成网关的另一去向")


def _flow(graph: Graph, flow: Flow) -> Iterator[Finding]:
    source, target = graph.elements[flow.source], graph.elements[flow.target]
    if source.scope != target.scope:
        yield _fault(flow.line, f"顺序流 {flow.id} 跨越了子流程边界", "从子流程本身流出")
    splits = source.tag == "exclusiveGateway" and len(graph.outgoing[source.id]) > 1
    if flow.condition and not splits:
        yield _fault(flow.line, f"顺序流 {flow.id} 不在分支网关之后却有条件", "删去条件，或加 exclusiveGateway")
    if splits and not flow.condition and source.default != flow.id:
        yield _fault(flow.line, f"分支 {flow.id} 没有条件", "写 CEL 条件，或设为网关的 default")
    if flow.condition:
        try:
            program(flow.condition)
        except ValueError as error:
            yield Finding(FILE, flow.line, f"顺序流 {flow.id} 的条件有误：{error}", "改成 CEL", "safety")


def _scope(graph: Graph, scope: str) -> Iterator[Finding]:
    starts, ends = graph.inside(scope, "startEvent"), graph.inside(scope, "endEvent")
    line = graph.elements[scope].line if scope in graph.elements else 0
    if len(starts) != 1 or not ends:
        yield _fault(line, f"{scope} 应有一个开始事件和至少一个结束事件", "补画")


def _next(graph: Graph, element_id: str) -> list[str]:
    element = graph.elements[element_id]
    inner = [s.id for s in graph.inside(element_id, "startEvent")] if element.tag == "subProcess" else []
    after = [f.target for f in graph.outgoing[element_id]]
    if element.tag == "endEvent" and element.scope != graph.root and not graph.elements[element.scope].by_event:
        after += [f.target for f in graph.outgoing[element.scope]]
    return (inner or after) + [b.id for b in graph.boundary(element_id)]


def _endless(graph: Graph) -> Iterator[Finding]:
    # A loop without a choice never ends, and would be laid out for ever.
    plain = {
        key: _next(graph, key)
        for key, e in graph.elements.items()
        if e.tag not in ("exclusiveGateway", "eventBasedGateway")
    }
    done: set[str] = set()
    for start in plain:
        stack: list[tuple[str, Iterator[str]]] = [(start, iter(plain[start]))]
        path = {start}
        while stack:
            node, rest = stack[-1]
            following = next((n for n in rest if n in plain and n not in done), None)
            if following is None:
                stack.pop()
                path.discard(node)
                done.add(node)
            elif following in path:
                yield _fault(
                    graph.elements[following].line,
                    f"经过 {following} 的循环里没有分支网关，永远走不完",
                    "加带条件的出口",
                )
                return
            else:
                path.add(following)
                stack.append((following, iter(plain[following])))


def _unreached(graph: Graph) -> Iterator[Finding]:
    entries = [e.id for e in graph.inside(graph.root, "startEvent")] + [e.id for e in graph.starts()]
    forward = {key: _next(graph, key) for key in graph.elements}
    reached = _closure(entries, forward)
    back: dict[str, list[str]] = {key: [] for key in graph.elements}
    for key, targets in forward.items():
        for target in targets:
            back[target].append(key)
    ends = [e.id for e in graph.elements.values() if e.tag == "endEvent"]
    ending = _closure(ends, back)
    for element in graph.elements.values():
        if element.id not in reached and not element.by_event:
            yield _fault(element.line, f"{element.id} 从开始事件走不到", "连上，或删去")
        elif element.id not in ending and not element.by_event:
            yield _fault(element.line, f"{element.id} 走不到结束事件", "连到结束事件")


def _closure(seeds: list[str], edges: dict[str, list[str]]) -> set[str]:
    seen, todo = set(seeds), list(seeds)
    while todo:
        for target in edges[todo.pop()]:
            if target not in seen:
                seen.add(target)
                todo.append(target)
    return seen
