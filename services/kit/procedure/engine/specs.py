"""A graph as SpiffWorkflow specs, built without its parser: only what stands here can exist at run time.

Task data stays empty always: conditions read what the caller brings, and rows stay small. Marks on joins
(`by`: order number of the join that consumed an arrival; `cut`: of the event that cut it off) let a reset give
arrivals back.
"""

# SpiffWorkflow has no types: its classes are Any here.
# mypy: disable-error-code="misc"

from __future__ import annotations

from typing import Any

from SpiffWorkflow.bpmn.specs.bpmn_process_spec import BpmnProcessSpec
from SpiffWorkflow.bpmn.specs.bpmn_task_spec import BpmnTaskSpec
from SpiffWorkflow.bpmn.specs.control import EventSplit
from SpiffWorkflow.bpmn.specs.mixins.unstructured_join import UnstructuredJoin
from SpiffWorkflow.specs.ExclusiveChoice import ExclusiveChoice
from SpiffWorkflow.specs.MultiChoice import MultiChoice
from SpiffWorkflow.util.task import TaskIterator, TaskState

from services.kit.procedure.conditions import ConditionError
from services.kit.procedure.graph import Element, Graph


def numbered(workflow: Any) -> int:
    """The next order number in a workflow."""
    workflow.data["n"] = workflow.data.get("n", 0) + 1
    return int(workflow.data["n"])


class Pass(BpmnTaskSpec):
    """Start and inner end events: nothing to do."""


class Act(BpmnTaskSpec):
    """A user task: stays ready until somebody completes it."""

    def __init__(self, spec: Any, name: str) -> None:
        super().__init__(spec, name, manual=True)


class Wait(BpmnTaskSpec):
    """A receive task or message event: waits until a fact fires it."""

    def _update_hook(self, my_task: Any) -> bool:
        if my_task.internal_data.get("fired"):
            return True
        my_task._set_state(TaskState.WAITING)
        return False


class Boundary(Wait):
    """A message event on the edge of an activity."""

    def __init__(self, spec: Any, name: str, interrupting: bool) -> None:
        super().__init__(spec, name)
        self.interrupting = interrupting


class Split(EventSplit):
    """Opens an activity together with its boundary events."""

    def __init__(self, spec: Any, name: str) -> None:
        super().__init__(Boundary, spec, name)


class Race(EventSplit):
    """An event-based gateway: all its waits open, the first fact wins."""

    def __init__(self, spec: Any, name: str) -> None:
        super().__init__(Wait, spec, name)


class End(BpmnTaskSpec):
    """An end event of a thread."""

    def __init__(self, spec: Any, name: str, terminate: bool) -> None:
        super().__init__(spec, name)
        self.terminate = terminate

    def _on_complete_hook(self, my_task: Any) -> None:
        super()._on_complete_hook(my_task)
        my_task.internal_data["n"] = numbered(my_task.workflow)
        if self.terminate:
            for task in my_task.workflow.get_tasks(state=TaskState.NOT_FINISHED_MASK):
                task.cancel()
            my_task.workflow.completed = True


class Merge(UnstructuredJoin, BpmnTaskSpec):
    """Joins tokens; arrivals it consumes are marked so that a loop or a reset counts none twice."""

    def arrivals(self, my_task: Any) -> list[Any]:
        """Tokens that have come here and were not consumed."""
        return [t for t in my_task.workflow.tasks.values()
                if t.task_spec is self and (t is my_task or arrived(t))]  # fmt: skip

    def _run_hook(self, my_task: Any) -> bool:
        number = numbered(my_task.workflow)
        for task in self.arrivals(my_task):
            if task is not my_task:
                task.internal_data["by"] = number
        my_task.internal_data["n"] = number
        return True


def arrived(task: Any) -> bool:
    """Whether a token has come to a join and was neither consumed nor cut off."""
    came = task.state in (TaskState.WAITING, TaskState.CANCELLED) and task.parent.state == TaskState.COMPLETED
    return came and task.internal_data.keys().isdisjoint(("by", "cut"))


class Join(Merge):
    """A parallel gateway: one token from each incoming flow, then one on each outgoing."""

    def _check_threshold_unstructured(self, my_task: Any) -> bool:
        return {t.parent.task_spec.name for t in self.arrivals(my_task)} >= set(self._inputs)


class Exit(Merge):
    """Leaves an activity when all its tokens are here; disarms its boundary events."""

    def __init__(self, spec: Any, name: str, split: str) -> None:
        super().__init__(spec, name)
        self.split = split

    def _check_threshold_unstructured(self, my_task: Any) -> bool:
        main = next(t for t in self.opened(my_task).children if not isinstance(t.task_spec, Boundary))
        left = TaskIterator(main, state=TaskState.NOT_FINISHED_MASK, end_at_spec=self.name)
        return all(t.task_spec is self for t in left)

    def opened(self, my_task: Any) -> Any:
        """The split that opened this activity."""
        task = my_task.parent
        while task.task_spec.name != self.split:
            task = task.parent
        return task

    def _run_hook(self, my_task: Any) -> bool:
        for task in self.opened(my_task).children:
            if isinstance(task.task_spec, Boundary) and task.state == TaskState.WAITING:
                task.cancel()
        return super()._run_hook(my_task)


class Choice(ExclusiveChoice, BpmnTaskSpec):
    """An exclusive gateway: exactly one condition may hold; the default flow only when none does."""

    def test(self) -> None:
        """No default flow is needed."""
        MultiChoice.test(self)

    def _run_hook(self, my_task: Any) -> bool:
        taken = [name for condition, name in self.cond_task_specs if condition and condition.holds(my_task)]
        if len(taken) > 1:
            raise ConditionError(f"网关 {self.name} 有 {len(taken)} 个条件同时成立", gateway=self.name)
        if not taken and self.default_task_spec is None:
            raise ConditionError(f"网关 {self.name} 没有一个条件成立", gateway=self.name)
        target = self._wf_spec.task_specs[taken[0] if taken else self.default_task_spec]
        my_task._sync_children([target], TaskState.FUTURE)
        for child in my_task.children:
            child.task_spec._predict(child, mask=TaskState.FUTURE | TaskState.PREDICTED_MASK)
        return True


class Condition:
    """A flow's CEL, asked of the caller's data."""

    def __init__(self, text: str) -> None:
        self.text = text

    def holds(self, my_task: Any) -> bool:
        """Whether the flow is taken."""
        return bool(my_task.workflow.script_engine.holds(self.text))


def entry(graph: Graph, element_id: str) -> str:
    """The spec that a flow into an element reaches."""
    return f"{element_id}.split" if guarded(graph, element_id) else element_id


def guarded(graph: Graph, element_id: str) -> bool:
    """Whether an element is an activity with an inside or an edge."""
    return graph.elements[element_id].tag == "subProcess" or bool(graph.boundary(element_id))


def thread_spec(graph: Graph, scope: str) -> Any:
    """The spec of the process or of one event subprocess."""
    spec = BpmnProcessSpec(name=scope)
    members = [e for e in graph.elements.values() if not e.by_event and graph.thread(e.id) == scope]
    for element in members:
        _create(spec, graph, element, scope)
    for element in members:
        _connect(spec, graph, element, scope)
    return spec


def _create(spec: Any, graph: Graph, element: Element, scope: str) -> None:
    name, tag = element.id, element.tag
    if guarded(graph, name):
        Split(spec, f"{name}.split")
        Exit(spec, f"{name}.exit", f"{name}.split")
    if tag == "userTask":
        Act(spec, name)
    elif tag in ("receiveTask", "intermediateCatchEvent"):
        Wait(spec, name)
    elif tag == "boundaryEvent":
        Boundary(spec, name, element.interrupting)
    elif tag == "endEvent" and element.scope == scope:
        End(spec, name, element.terminate)
    elif tag != "subProcess":
        {"exclusiveGateway": Choice, "parallelGateway": Join, "eventBasedGateway": Race}.get(tag, Pass)(spec, name)


def _connect(spec: Any, graph: Graph, element: Element, scope: str) -> None:
    specs, name = spec.task_specs, element.id
    if guarded(graph, name):
        inner = [s.id for s in graph.inside(name, "startEvent")] if element.tag == "subProcess" else [name]
        for target in [*inner, *(b.id for b in graph.boundary(name))]:
            specs[f"{name}.split"].connect(specs[target])
        if element.tag != "subProcess":
            specs[name].connect(specs[f"{name}.exit"])
    if element.tag == "startEvent" and element.scope == scope:
        spec.start.connect(specs[name])
    if element.tag == "endEvent":
        specs[name].connect(spec.end if element.scope == scope else specs[f"{element.scope}.exit"])
    source = specs[f"{name}.exit" if guarded(graph, name) else name]
    for flow in graph.outgoing[name]:
        target = specs[entry(graph, flow.target)]
        if isinstance(source, Choice) and flow.condition:
            source.connect_if(Condition(flow.condition), target)
        else:
            source.connect(target)
