"""The BPMN engine behind one door: the only package that imports SpiffWorkflow.

Pure functions on State, plain JSON: nothing is kept between calls but the specs, built once per pack version.
Data of the case is never stored here; conditions are asked of the `data` of each call (see conditions.py).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

from services.kit.errors import ConflictError
from services.kit.procedure import bpmn, conditions
from services.kit.procedure.engine import specs
from services.kit.procedure.engine.session import OpenNode, Session, flows_of
from services.kit.procedure.graph import Graph
from services.kit.procedure.model import Pack, RequestRule

State = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """What an act did. `taken`: waits that a fact fired; `counted`: waits it counted for without firing yet;
    `withdrawn`: visits that were open and are no longer, without having been completed or taken."""

    state: State
    opened: tuple[OpenNode, ...] = ()
    withdrawn: tuple[OpenNode, ...] = ()
    taken: tuple[OpenNode, ...] = ()
    counted: tuple[OpenNode, ...] = ()
    concluded: bool = False
    outcome: str = ""


_CACHE: OrderedDict[tuple[str, str, str], tuple[Graph, dict[str, Any]]] = OrderedDict()
_KEPT = 64
_LOCK = Lock()


def _specs_of(pack: Pack) -> tuple[Graph, dict[str, Any]]:
    with _LOCK:
        if pack.key not in _CACHE or not pack.sha256:
            graph = bpmn.read(pack.files["process.bpmn"])
            scopes = [graph.root, *(e.id for e in graph.elements.values() if e.by_event)]
            _CACHE[pack.key] = graph, {scope: specs.thread_spec(graph, scope) for scope in scopes}
        _CACHE.move_to_end(pack.key)
        while len(_CACHE) > _KEPT:
            _CACHE.popitem(last=False)
        return _CACHE[pack.key]


class Engine:
    """Runs one pack version; safe to share between threads."""

    def __init__(self, pack: Pack) -> None:
        """Raises PackError when the BPMN is unsafe or broken."""
        self.pack = pack
        self.graph, self._specs = _specs_of(pack)

    def start(self, data: Mapping[str, Any]) -> Step:
        """A new procedure instance."""
        session = self._session(None, data)
        session.begin(self.graph.root)
        return self._step(session, ())

    def open(self, state: State) -> list[OpenNode]:
        """Everything that waits for a person (task) or a fact (wait, boundary), oldest first."""
        return self._session(state, {}).open()

    def complete(self, state: State, visit_id: str, data: Mapping[str, Any]) -> Step:
        """The token leaves a user task.

        Raises:
            ConflictError: the visit is not open (done already, withdrawn, or never was).
            ConditionError: no condition, or more than one, holds at a gateway behind it.
        """
        session = self._session(state, data)
        before = session.open()
        session.complete(visit_id)
        return self._step(session, [n for n in before if n.visit_id != visit_id])

    def deliver(self, state: State, event: Mapping[str, Any], data: Mapping[str, Any]) -> Step:
        """A fact of the case: `event` has `type` and its fields. Fires every wait it matches, once each; of a
        race only the first; starts event subprocesses that wait for it. Nothing matched: `taken` is empty."""
        return self._offer(state, "", event, data)

    def deliver_to(self, state: State, visit_id: str, event: Mapping[str, Any], data: Mapping[str, Any]) -> Step:
        """An earlier fact offered to one wait only (`from: case`, when the wait has just opened)."""
        return self._offer(state, visit_id, event, data)

    def _offer(self, state: State, visit_id: str, event: Mapping[str, Any], data: Mapping[str, Any]) -> Step:
        session = self._session(state, {**data, "event": event})
        before = session.open()
        meant = [n for n in before if visit_id in ("", n.visit_id)]
        taken, counted = session.deliver(event["type"], meant, spawn=not visit_id)
        gone = {n.visit_id for n in taken}
        return self._step(session, [n for n in before if n.visit_id not in gone], taken, counted)

    def requests(self, state: State, data: Mapping[str, Any]) -> dict[str, RequestRule]:
        """Event subprocesses that a person may start now: start event id -> rule (the actor is the caller's check)."""
        return self._session(state, data).requests()

    def request(self, state: State, node_id: str, data: Mapping[str, Any]) -> Step:
        """Start an event subprocess by its start event.

        Raises:
            ConflictError: not allowed now.
        """
        session = self._session(state, data)
        if node_id not in session.requests():
            raise ConflictError("现在不能发起这一事项")
        before = session.open()
        session.spawn(node_id)
        return self._step(session, before)

    def reset_to(self, state: State, node_id: str, data: Mapping[str, Any]) -> Step:
        """Send back: undo everything downstream of the node's last visit and open it as a new visit.

        Raises:
            ConflictError: never visited, open already, or its thread was cut off.
        """
        session = self._session(state, data)
        before = session.open()
        session.reset_to(node_id)
        return self._step(session, before)

    def concluded(self, state: State) -> bool:
        """Whether no token is left."""
        return all(thread["completed"] for thread in state["threads"])

    def outcome(self, state: State) -> str:
        """The id of the last principal end event reached; empty while none is."""
        ended = [e for thread in state["threads"] for e in thread["ends"]]
        principal = [e for e in ended if e not in self.pack.ends or self.pack.ends[e].principal]
        return str(principal[-1]) if principal else ""

    def flows(self, state: State) -> list[str]:
        """Sequence flows the tokens have taken, for the diagram and for coverage."""
        return flows_of(self.graph, state)

    def _session(self, state: State | None, data: Mapping[str, Any]) -> Session:
        scope = conditions.scope_of(self.pack.nodes, self.pack.effects, data)
        return Session(self.pack, self.graph, self._specs, state, scope)

    def _step(
        self, session: Session, before: Sequence[OpenNode],
        taken: Sequence[OpenNode] = (), counted: Sequence[OpenNode] = (),
    ) -> Step:  # fmt: skip
        known = {n.visit_id for n in before} | {n.visit_id for n in taken}
        state, now = session.dump(), session.open()
        live = {n.visit_id for n in now}
        return Step(
            state=state, opened=tuple(n for n in now if n.visit_id not in known),
            withdrawn=tuple(n for n in before if n.visit_id not in live), taken=tuple(taken), counted=tuple(counted),
            concluded=self.concluded(state), outcome=self.outcome(state),
        )  # fmt: skip


__all__ = ["Engine", "OpenNode", "State", "Step"]
