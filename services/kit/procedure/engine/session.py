"""One call's work on a state: threads restored, moved, dumped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from SpiffWorkflow.util.task import TaskState

from services.kit.errors import ConflictError
from services.kit.procedure import conditions
from services.kit.procedure.engine import reset, rows
from services.kit.procedure.engine.specs import Act, Boundary, End, Race, Wait, numbered
from services.kit.procedure.graph import Graph
from services.kit.procedure.model import Pack, RequestRule, WaitRule


@dataclass(frozen=True)
class OpenNode:
    """A visit that is open. `race`: visits of one race share it; it is the gateway's id."""

    visit_id: str
    node_id: str
    kind: Literal["task", "wait", "boundary"]
    race: str = ""


RETURNABLE = frozenset({"userTask", "receiveTask", "intermediateCatchEvent", "eventBasedGateway"})


class _Answers:
    """The script engine of every workflow: it knows CEL and nothing else."""

    def __init__(self, scope: Mapping[str, Any]) -> None:
        self._scope = scope

    def holds(self, text: str) -> bool:
        return conditions.holds(text, self._scope)


@dataclass
class _Thread:
    process: str
    workflow: Any
    cut: bool = False  # withdrawn as a whole


class Session:
    """A state taken apart; `dump` puts it together again."""

    def __init__(
        self, pack: Pack, graph: Graph, specs: Mapping[str, Any], state: Mapping[str, Any] | None, scope: dict[str, Any]
    ) -> None:
        self.pack, self.graph, self.specs, self.scope = pack, graph, specs, scope
        self.answers = _Answers(scope)
        self.threads = [
            _Thread(t["process"], rows.restore(specs[t["process"]], t, self.answers), t["cut"])
            for t in (state or {"threads": []})["threads"]
        ]

    def dump(self) -> dict[str, Any]:
        """The state, plain JSON."""
        if self.threads[0].workflow.completed:
            # What was asked for beside the procedure falls away when the procedure ends.
            for thread in self.threads[1:] if not self.threads[0].cut else []:
                self._cut(thread)
        return {
            "pack": [self.pack.id, self.pack.version],
            "threads": [
                {"process": t.process, "cut": t.cut, "ends": _ends(t.workflow), **rows.dump(t.workflow)}
                for t in self.threads
            ],
        }  # fmt: skip

    def begin(self, process: str) -> None:
        """Start a thread and run it to its first wait."""
        workflow = rows.begin(self.specs[process], self.answers)
        self.threads.append(_Thread(process, workflow))
        workflow.do_engine_steps()

    def open(self) -> list[OpenNode]:
        """Live visits, oldest first."""
        found = []
        for thread in self.threads:
            live = [t for t in thread.workflow.tasks.values() if _is_open(t)]
            for task in live:
                if "n" not in task.internal_data:
                    task.internal_data["n"] = numbered(thread.workflow)
            found += [_node(t) for t in sorted(live, key=lambda t: t.internal_data["n"])]
        return found

    def complete(self, visit_id: str) -> None:
        """Run one user task."""
        workflow, task = self._find(visit_id)
        if not isinstance(task.task_spec, Act):
            raise ConflictError("这一环节等待的是事实，不能由人办结")
        task.run()
        workflow.do_engine_steps()

    def deliver(
        self, event_type: str, nodes: Iterable[OpenNode], spawn: bool = True
    ) -> tuple[list[OpenNode], list[OpenNode]]:
        """Offer `event` of the scope to waits; returns (taken, counted)."""
        taken: list[OpenNode] = []
        counted: list[OpenNode] = []
        for node in nodes:
            rule = None if node.kind == "task" else self.pack.nodes[node.node_id].waits_for
            if rule is None or not self._matches(rule, event_type):
                continue
            task = self._live(node.visit_id)
            if task is None:
                continue
            if self._enough(rule, task):
                self._fire(task)
                taken.append(node)
            else:
                counted.append(node)
        for start in self._startable() if spawn else []:
            wait = self.pack.nodes[start].waits_for
            if wait is not None and self._matches(wait, event_type):
                self.spawn(start)
        return taken, counted

    def _matches(self, rule: WaitRule, event_type: str) -> bool:
        return rule.event == event_type and conditions.holds(rule.match, self.scope)

    def _enough(self, rule: WaitRule, task: Any) -> bool:
        if rule.quorum == "any":
            return True
        seen = {*task.internal_data.get("seen", ()), conditions.evaluate(rule.key, self.scope)}
        task.internal_data["seen"] = sorted(seen)
        return seen >= set(conditions.evaluate(rule.of, self.scope))

    def _fire(self, task: Any) -> None:
        spec, split, workflow = task.task_spec, task.parent, task.workflow
        if isinstance(spec, Boundary) and spec.interrupting:
            reset.interrupt(task)
        elif isinstance(spec, Boundary):
            split._add_child(spec, TaskState.WAITING)  # it may happen again
        elif isinstance(split.task_spec, Race):
            for other in split.children:
                if other is not task:
                    other.cancel()
        task.internal_data["fired"] = True
        spec._update(task)
        workflow.do_engine_steps()

    def _startable(self) -> list[str]:
        if self._over():
            return []
        running = [t.process for t in self.threads if not t.workflow.completed]
        starts = []
        for start in self.graph.starts():
            request = self.pack.nodes[start.id].request
            limit = request.at_once if request else 1
            if running.count(start.scope) < limit:
                starts.append(start.id)
        return starts

    def _over(self) -> bool:
        return self.threads[0].cut or bool(self.threads[0].workflow.completed)

    def requests(self) -> dict[str, RequestRule]:
        """Start events a person may use now."""
        here = {n.node_id for n in self.open()}
        rules = {start: self.pack.nodes[start].request for start in self._startable()}
        return {
            start: rule for start, rule in rules.items()
            if rule is not None and (not rule.while_open or not here.isdisjoint(rule.while_open))
            and conditions.holds(rule.when, self.scope)
        }  # fmt: skip

    def spawn(self, start: str) -> None:
        """Begin an event subprocess; an interrupting one cuts every other thread off."""
        element = self.graph.elements[start]
        if element.interrupting:
            for thread in self.threads:
                self._cut(thread)
        self.begin(element.scope)

    def _cut(self, thread: _Thread) -> None:
        if not thread.workflow.completed:
            thread.cut = True
            thread.workflow.cancel()

    def reset_to(self, node_id: str) -> None:
        """Undo back to a node's last visit."""
        element = self.graph.elements.get(node_id)
        if element is None or element.tag not in RETURNABLE or node_id in {n.node_id for n in self.open()}:
            raise ConflictError("不能退回到该环节：它正在办理，或不是可以退回的环节")
        process = self.graph.thread(node_id)
        found = [(t, reset.last_visit(t.workflow, node_id)) for t in self.threads if t.process == process and not t.cut]
        visits = [(t, visit) for t, visit in found if visit is not None]
        if not visits:
            raise ConflictError("不能退回到该环节：本案尚未办过，或该流程已被中断")
        thread, visit = visits[-1]
        reset.reopen(thread.workflow, visit)
        thread.workflow.do_engine_steps()

    def _live(self, visit_id: str) -> Any | None:
        tasks = (t for thread in self.threads for t in thread.workflow.tasks.values())
        return next((t for t in tasks if str(t.id) == visit_id and _is_open(t)), None)

    def _find(self, visit_id: str) -> tuple[Any, Any]:
        task = self._live(visit_id)
        if task is None:
            raise ConflictError("这一环节已办结、已撤销或不存在")
        return task.workflow, task


def _is_open(task: Any) -> bool:
    if isinstance(task.task_spec, Act):
        return bool(task.state == TaskState.READY)
    return isinstance(task.task_spec, Wait) and bool(task.state == TaskState.WAITING)


def _node(task: Any) -> OpenNode:
    spec, above = task.task_spec, task.parent
    kind: Literal["task", "wait", "boundary"] = "wait"
    if isinstance(spec, Act | Boundary):
        kind = "task" if isinstance(spec, Act) else "boundary"
    race = str(above.task_spec.name) if isinstance(above.task_spec, Race) else ""
    return OpenNode(str(task.id), str(spec.name), kind, race)


def _ends(workflow: Any) -> list[str]:
    ended = [t for t in workflow.tasks.values() if isinstance(t.task_spec, End) and t.state == TaskState.COMPLETED]
    return [str(t.task_spec.name) for t in sorted(ended, key=lambda t: t.internal_data["n"])]


def flows_of(graph: Graph, state: Mapping[str, Any]) -> list[str]:
    """Flows between elements that tokens have reached, in the order of the file."""
    pairs: set[tuple[str, str]] = set()
    for thread in state["threads"]:
        names = [row[0] for row in thread["rows"]]
        for name, parent, status, *_ in thread["rows"]:
            above = _element(names[parent]) if parent >= 0 else ""
            lost = above in graph.elements and graph.elements[above].tag == "eventBasedGateway"
            if above and (status == TaskState.COMPLETED or not lost):
                pairs.add((above, _element(name)))
    return [f.id for f in graph.flows.values() if (f.source, f.target) in pairs]


def _element(spec_name: str) -> str:
    return spec_name.removesuffix(".split").removesuffix(".exit")
