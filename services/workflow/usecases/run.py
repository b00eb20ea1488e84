"""One procedure instance in one transaction, under the lock of its case."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import date
from functools import cached_property
from typing import Any, Protocol

from google.protobuf.message import Message

from anjuan.kit.v1.cards_pb2 import WorkflowCard
from anjuan.workflow.v1 import events_pb2 as facts_pb2
from services.kit import clock
from services.kit.errors import CaseNotKnownError
from services.kit.procedure import conditions
from services.kit.procedure.engine import Engine, OpenNode, Step
from services.kit.procedure.model import ActorRule, NodeRule, Pack
from services.workflow.model.audience import Circle
from services.workflow.model.records import Instance
from services.workflow.model.variables import fact, whole
from services.workflow.store import WorkflowUnit
from services.workflow.store.whole import Due
from services.workflow.tables import visits

# Own facts that waits hear; the course of the nodes itself is drawn in the BPMN.
OFFERED = ("CaseAssigned", "HearingScheduled", "HearingCancelled")


NONE_DUE = Due()


class Packs(Protocol):
    """Where engines of stored packs come from; the room's Library."""

    def engine(self, sha256: str) -> Engine:
        """Raises UnavailableError while the bundle is not in the object store."""

    def published(self, uow: Any, pack_id: str, version: str) -> Engine:
        """Raises UnavailableError while the version is not published here."""


def awaited(pack: Pack, since: str = "") -> set[str]:
    """The facts that nodes of a pack wait for; with `since`, those that count from there on."""
    rules = [rule.waits_for for rule in pack.nodes.values() if rule.waits_for is not None]
    return {rule.event for rule in rules if since in ("", rule.from_)}


class Run:
    """The instance as it changes; `save` writes it. `open` maps open visits to their nodes."""

    def __init__(self, uow: WorkflowUnit, engine: Engine, instance: Instance, due: Due = NONE_DUE) -> None:
        self.uow, self.engine, self.pack, self.instance = uow, engine, engine.pack, instance
        self.variables: dict[str, Any] = instance.variables
        self.due = due
        self._told: list[dict[str, Any]] = []
        self.waited, self.kept = awaited(self.pack), awaited(self.pack, "case")

    @classmethod
    def of(cls, uow: WorkflowUnit, packs: Packs, case_id: str) -> Run:
        """The instance of a case, locked.

        Raises:
            CaseNotKnownError: no procedure runs for it here.
            UnavailableError: its pack is not loaded.
        """
        uow.lock(case_id)
        found = uow.tasks.instance_with_due(case_id)
        if found is None:
            raise CaseNotKnownError("案件尚未同步到此处，或者您无权查看")
        return cls(uow, packs.engine(found[0].pack_sha256), *found)

    @cached_property
    def today(self) -> date:
        """The body's legal date in this transaction."""
        return self.uow.legal_on(self.instance.body_id)

    @property
    def case_id(self) -> str:
        """The case."""
        return self.instance.case_id

    def node(self, node_id: str) -> NodeRule:
        """The pack's rule of a node."""
        return self.pack.nodes[node_id]

    def scope(self, **more: Any) -> dict[str, Any]:
        """What conditions may ask now."""
        i = self.instance
        people = {"department_id": i.department_id, "officer_ids": list(i.officer_ids), "panel_ids": list(i.panel_ids)}
        known = {name: self.variables.get(name, {}) for name in ("forms", "results")}
        told = {"case": self.variables.get("case", {}) | people} | known | more
        return conditions.scope_of(self.pack.nodes, self.pack.effects, told)

    def kept_state(self) -> tuple[Instance, dict[str, Any]]:
        """What `restore` brings back after a savepoint was taken back."""
        return self.instance, deepcopy(self.variables)

    def restore(self, kept: tuple[Instance, dict[str, Any]]) -> None:
        """As it was."""
        self.instance, self.variables = kept
        self._told = []

    def change(self, **values: Any) -> None:
        """Change columns of the instance; `save` writes them."""
        self.instance = replace(self.instance, **values)

    def circle(self, rules: Sequence[ActorRule]) -> Circle:
        """The people around the case as they are now, as far as these rules ask for them."""
        return self.uow.people.circle(self.instance, rules)

    @property
    def asked(self) -> dict[str, Any]:
        """What another body asks, where this case is its request; else empty."""
        found: dict[str, Any] = self.variables.get("case", {}).get("request") or {}
        return found if "effect_id" in found else {}

    def acted(self, node_id: str, people: Sequence[str], approvers: Sequence[str]) -> None:
        """Who filled in the last visit of a node, and who approved it."""
        self.variables.setdefault("actors", {})[node_id] = list(people)
        self.variables["previous"] = [*people, *approvers]

    def card(self) -> WorkflowCard:
        """The room's part of the case card."""
        i = self.instance
        nodes = self.variables.get("open", {})
        return WorkflowCard(
            department_id=i.department_id, officer_ids=i.officer_ids, panel_ids=i.panel_ids, stage=i.stage,
            open_node_ids=sorted(set(nodes.values())), concluded=i.concluded, outcome=i.outcome,
        )  # fmt: skip

    def tell(self, message: Message, occurred_on: date) -> None:
        """Emit a fact of the case with the card as it is now; the instance's own waits hear of it too."""
        if "card" in message.DESCRIPTOR.fields_by_name:
            message.card.CopyFrom(self.card())  # type: ignore[attr-defined]
        i = self.instance
        self.uow.emit(message, stream=i.case_id, case_id=i.case_id, body_id=i.body_id, occurred_on=occurred_on,
                      pack=(i.pack_id, i.pack_version))  # fmt: skip
        kind = message.DESCRIPTOR.name
        if kind in self.waited:
            told = fact(self.uow.service, kind, whole(message), occurred_on.isoformat(), clock.now().isoformat(),
                        self.uow.cause.actor.as_dict(), i.body_id)  # fmt: skip
            self.keep(clock.new_id(), told)
            self._told += [told] if kind in OFFERED else []

    def keep(self, event_id: str, event: dict[str, Any]) -> None:
        """Remember a fact for nodes that open later, where the pack says that such facts count."""
        if event["type"] in self.kept:
            self.uow.facts.keep(self.instance.instance_id, self.case_id, event_id, event)

    def heard(self) -> list[dict[str, Any]]:
        """Own facts that its waits have not been offered yet."""
        told, self._told = self._told, []
        return told

    def take(self, step: Step) -> None:
        """Bring the instance to the engine's new state; visits and tasks are the caller's."""
        nodes: dict[str, str] = self.variables.setdefault("open", {})
        for gone in (*step.withdrawn, *step.taken):
            nodes.pop(gone.visit_id, None)
        for opened in step.opened:
            if opened.kind != "boundary":
                nodes[opened.visit_id] = opened.node_id
                self.change(stage=self.node(opened.node_id).stage)
        self.change(tokens=step.state, concluded=step.concluded, outcome=step.outcome if step.concluded else "")

    def closed(self, visit_id: str) -> None:
        """A visit is open no longer."""
        self.variables.setdefault("open", {}).pop(visit_id, None)

    def cancel(self, nodes: Sequence[OpenNode], reason: str, occurred_on: date) -> None:
        """Visits that the procedure has withdrawn, with their tasks; each is cancelled, and told so, once."""
        ids = [n.visit_id for n in nodes if n.kind != "boundary"]
        if not ids:
            return
        live = visits.c.visit_id.in_(ids) & (visits.c.state != "cancelled")
        gone = self.uow.visits.change_where(live, state="cancelled", reason=reason, done_at=clock.now())
        self.uow.tasks.cancel(ids)
        for node in nodes:
            if node.visit_id in gone:
                told = facts_pb2.NodeCancelled(visit_id=node.visit_id, node_id=node.node_id, reason=reason)
                self.tell(told, occurred_on)

    def save(self) -> None:
        """Write the instance."""
        i = self.instance
        self.uow.instances.change(
            i.instance_id, tokens=i.tokens, variables=self.variables, department_id=i.department_id,
            officer_ids=list(i.officer_ids), panel_ids=list(i.panel_ids), stage=i.stage, concluded=i.concluded,
            outcome=i.outcome, concluded_on=i.concluded_on,
        )  # fmt: skip
