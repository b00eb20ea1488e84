"""A process as a graph of elements and flows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

FILE = "process.bpmn"
WAITS = frozenset({"receiveTask", "intermediateCatchEvent", "boundaryEvent"})


@dataclass(frozen=True)
class Element:
    """One flow node. `scope` is the process or subprocess that holds it."""

    id: str
    tag: str
    name: str
    line: int
    scope: str
    attached_to: str = ""
    interrupting: bool = True
    terminate: bool = False
    by_event: bool = False  # an event subprocess
    default: str = ""


@dataclass(frozen=True)
class Flow:
    """One sequence flow; `condition` is CEL or empty."""

    id: str
    source: str
    target: str
    line: int
    condition: str = ""


@dataclass(frozen=True)
class Graph:
    """The process. `root` is the id of the executable process."""

    root: str
    elements: dict[str, Element]
    flows: dict[str, Flow]

    @cached_property
    def outgoing(self) -> dict[str, list[Flow]]:
        """Flows by source, in the order of the file."""
        return {key: [f for f in self.flows.values() if f.source == key] for key in self.elements}

    @cached_property
    def incoming(self) -> dict[str, list[Flow]]:
        """Flows by target, in the order of the file."""
        return {key: [f for f in self.flows.values() if f.target == key] for key in self.elements}

    def boundary(self, element_id: str) -> list[Element]:
        """Boundary events of an activity."""
        return [e for e in self.elements.values() if e.attached_to == element_id]

    def inside(self, scope: str, *tags: str) -> list[Element]:
        """Elements directly inside a process or subprocess, of these tags or all."""
        return [e for e in self.elements.values() if e.scope == scope and (not tags or e.tag in tags)]

    def starts(self) -> list[Element]:
        """The start events of event subprocesses."""
        return [s for e in self.elements.values() if e.by_event for s in self.inside(e.id, "startEvent")]

    def thread(self, element_id: str) -> str:
        """The process or event subprocess in which an element's token runs."""
        scope = self.elements[element_id].scope
        while scope != self.root and not self.elements[scope].by_event:
            scope = self.elements[scope].scope
        return scope

    def is_entry(self, element: Element) -> bool:
        """Whether a start event opens an event subprocess (and so needs a rule in nodes.yaml)."""
        return element.tag == "startEvent" and element.scope != self.root and self.elements[element.scope].by_event

    def ruled(self) -> list[Element]:
        """Elements that nodes.yaml must explain."""
        return [e for e in self.elements.values() if e.tag == "userTask" or e.tag in WAITS or self.is_entry(e)]
