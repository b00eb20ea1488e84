"""One example under way: people act, the engine moves, facts are told. The state is saved at every step."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from services.kit.errors import ConflictError, DomainError, NotAllowedError, RuleRefusedError
from services.kit.procedure import registry
from services.kit.procedure.conditions import holds, resolve, scope_of
from services.kit.procedure.engine import Engine, OpenNode, State, Step
from services.kit.procedure.forms import require_form
from services.kit.procedure.model import EffectRule, Level, NodeRule, Pack
from services.kit.procedure.play.clocks import Clocks
from services.kit.procedure.play.people import Circle, named, require_fit
from services.kit.procedure.play.rooms import Rooms


class PlayError(Exception):
    """The case went another way than the example says; `act` is the index of the act, -1 the expectation."""

    def __init__(self, act: int, message: str) -> None:
        super().__init__(message)
        self.act = act


@dataclass
class Visit:
    """One open node: its data, who filled it in, the approvals of this round, effects already done."""

    node_id: str
    form: dict[str, Any] = field(default_factory=dict)
    people: list[str] = field(default_factory=list)
    approvals: dict[str, dict[str, Any]] = field(default_factory=dict)
    submitted: bool = False
    agreed: list[str] = field(default_factory=list)  # of a level where more than one must agree
    done: dict[str, Any] = field(default_factory=dict)


@dataclass
class Told:
    """What a play has shown: for coverage and for the expectation."""

    path: list[str] = field(default_factory=list)
    flows: set[str] = field(default_factory=set)
    effects: dict[str, dict[str, Any]] = field(default_factory=dict)
    refusals: int = 0


class Player:
    """One example under way."""

    def __init__(self, pack: Pack, script: Mapping[str, Any]) -> None:
        self.pack, self.script, self.engine = pack, script, Engine(pack)
        self.waited = {rule.waits_for.event for rule in pack.nodes.values() if rule.waits_for}
        self.state: State = {}
        self.data: dict[str, Any] = {"case": {}, "forms": {}, "results": {}}
        self.visits: dict[str, Visit] = {}
        self.facts: list[dict[str, Any]] = []
        self.act: dict[str, Any] = {}
        self.told, self.circle = Told(), Circle(script["people"], pack.departments.lead)
        self.clocks = Clocks(pack, date.fromisoformat(script["acts"][0]["on"]))
        self.rooms = Rooms(pack, script["body"]["code"], self.data["case"], self.circle, self.clocks)

    def play(self) -> Told:
        """Every act, then the expectation.

        Raises:
            PlayError: an act is refused that should pass, passes that should be refused, or the end differs.
        """
        for index, act in enumerate(self.script["acts"]):
            try:
                self.advance(datetime.fromisoformat(f"{act['on']}T{act.get('at', '09:00')}:00+08:00"))
                self._expecting(act)
            except PlayError as error:
                raise PlayError(index, str(error)) from error
            except DomainError as error:
                raise PlayError(index, f"{act['do']} {act.get('node', '')} 被拒绝：{error.detail}") from error
        return self.told

    def advance(self, moment: datetime) -> None:
        """Let time pass up to a moment."""
        for expired in self.clocks.pass_to(moment):
            self.act = {"on": expired["occurred_on"]}
            self.tell(expired.pop("type"), expired)

    def _expecting(self, act: Mapping[str, Any]) -> None:
        self.act = dict(act)
        doing: Callable[[], None] = getattr(self, f"do_{act['do']}")
        if "refused" not in act:
            return doing()
        try:
            doing()
        except DomainError as error:
            if error.slug != act["refused"] or act.get("says", "") not in error.detail:
                raise PlayError(0, f"应以 {act['refused']} 拒绝，却是 {error.slug}：{error.detail}") from error
            self.told.refusals += 1
            return None
        raise PlayError(0, f"{act['do']} {act.get('node', '')} 本应被拒绝（{act['refused']}）")

    def scope(self, visit: Visit | None = None, **more: Any) -> dict[str, Any]:
        """The variables of conditions."""
        act = {"node_id": visit.node_id if visit else "", "visit_id": "", "person_id": self.act.get("who", ""),
               "name": self.circle.people.get(self.act.get("who", ""), {}).get("name", ""),
               "people": visit.people if visit else [], "occurred_on": self.act["on"],
               "legal_on": self.act["on"], "at": self._at()}  # fmt: skip
        form = {"form": visit.form, "approvals": visit.approvals} if visit else {}
        return scope_of(self.pack.nodes, self.pack.effects, {**self.data, "act": act, **form, **more})

    def _at(self) -> str:
        return f"{self.act['on']}T{self.act.get('at', '09:00')}:00+08:00"

    def do_file(self) -> None:
        """Intake: the case is received."""
        filing, who = self.act["filing"], self.act.get("who", "")
        channel = self.pack.channels.get(filing["channel"])
        if channel is None or not {"party", "reporter"} & set(channel.who) | self._roles(who) & set(channel.who):
            raise NotAllowedError("该渠道不能由此人提交")
        require_form(self.pack.forms.get(channel.form), filing.get("content", {}))
        named = bool(filing.get("reporter", {}).get("name"))
        self.data["case"] |= {
            **dict.fromkeys(registry.fields()["case"], ""), "case_id": "case", "state": "received",
            "procedure_id": self.pack.id, "received_on": self.act["on"], "reported_by_name": named, "parties": [],
            "officer_ids": [], "panel_ids": [], "amount_in_dispute_fen": 0, "content": {}, "involves_minor": False,
            "request": filing.get("content", {}) if filing["channel"] == "request" else {},
            **{k: v for k, v in filing.items() if k not in ("reporter", "materials")},
        }  # fmt: skip
        self.tell("FilingSubmitted", {"filing": filing, "reported_by_name": named})
        self._moved(self.engine.start(self.scope()))

    def _roles(self, who: str) -> set[str]:
        return set(self.circle.people.get(who, {}).get("roles", []))

    def do_event(self) -> None:
        """A fact from another room."""
        self.tell(self.act["event"], self.act.get("data", {}))

    def do_complete(self) -> None:
        """A person fills in a node, with those who act together."""
        visit_id, visit = self._open(submitted=False)
        rule, people = self.pack.nodes[visit.node_id], [self.act["who"], *self.act.get("with", [])]
        require_fit(rule.actor, self.circle, people, rule)
        form = named(self.act.get("form", {}))
        require_form(self.pack.form_of(visit.node_id), form)
        trial = Visit(visit.node_id, form, people)
        for bar in rule.refuses:
            if holds(bar.when, self.scope(trial)):
                raise RuleRefusedError(f"{bar.message}（《{bar.articles[0].law}》{bar.articles[0].article}）")
        visit.form, visit.people, visit.approvals, visit.submitted = form, people, {}, True
        try:
            self._next(visit_id, visit)
        except DomainError:
            visit.submitted = False
            raise

    def _levels(self, visit: Visit) -> Iterator[Level]:
        for level in self.pack.nodes[visit.node_id].approval.levels:
            if level.id not in visit.approvals and holds(level.when, self.scope(visit)):
                yield level

    def _next(self, visit_id: str, visit: Visit) -> None:
        if next(self._levels(visit), None) is None:
            self._finish(visit_id, visit)

    def do_approve(self) -> None:
        """The level whose turn it is agrees."""
        visit_id, visit, level = self._turn()
        who, text = self.act["who"], self.act.get("text", "同意")
        if who in visit.agreed:
            raise ConflictError("已在这一级表示同意，应由另一人审批")
        visit.agreed.append(who)
        if len(visit.agreed) < max(rule.min_people for rule in level.actor):
            return
        visit.agreed = []
        said = {"person_id": who, "name": self.circle.people[who]["name"], "decision": "agree", "text": text}
        visit.approvals[level.id] = said
        try:
            self._next(visit_id, visit)
        except DomainError:
            visit.approvals.pop(level.id)
            raise

    def do_return(self) -> None:
        """The level whose turn it is sends it back to the proposer with a reason."""
        _, visit, _ = self._turn()
        visit.submitted, visit.approvals, visit.agreed = False, {}, []

    def do_recall(self) -> None:
        """The one who acted last takes it back before the next has acted."""
        _, visit = self._open(submitted=True)
        last = list(visit.approvals)[-1:]
        actor = visit.approvals[last[0]]["person_id"] if last else visit.people[0]
        if self.pack.nodes[visit.node_id].approval.recall == "never" or actor != self.act["who"]:
            raise ConflictError("下一级已经办理，不能撤回")
        visit.submitted = bool(last)
        visit.approvals.pop(last[0] if last else "", None)

    def _turn(self) -> tuple[str, Visit, Level]:
        visit_id, visit = self._open(submitted=True)
        level, rule = next(self._levels(visit)), self.pack.nodes[visit.node_id]
        require_fit([replace(a, min_people=1) for a in level.actor], self.circle, [self.act["who"]], rule)  # each alone
        return visit_id, visit, level

    def _open(self, submitted: bool) -> tuple[str, Visit]:
        for visit_id, visit in self.visits.items():
            if visit.node_id == self.act["node"] and visit.submitted == submitted:
                return visit_id, visit
        raise ConflictError(f"环节 {self.act['node']} 现在不能这样办理")

    def do_request(self) -> None:
        """A person starts an event subprocess."""
        node = self.act["node"]
        rule = self.engine.requests(self.state, self.scope()).get(node)
        if rule is None:
            raise ConflictError("现在不能发起这一事项")
        require_fit(rule.actor, self.circle, [self.act["who"]], self.pack.nodes[node])
        self._moved(self.engine.request(self.state, node, self.scope()))

    def do_send_back(self) -> None:
        """A person at an open node sends the case back to an earlier one."""
        here = [v.node_id for v in self.visits.values() if self.act["node"] in self.pack.nodes[v.node_id].send_back_to]
        if not here:
            raise ConflictError(f"现在不能退回到 {self.act['node']}")
        rule = self.pack.nodes[here[0]]
        require_fit(rule.actor, self.circle, [self.act["who"]], rule)
        self._moved(self.engine.reset_to(self.state, self.act["node"], self.scope()))

    def _finish(self, visit_id: str, visit: Visit) -> None:
        rule = self.pack.nodes[visit.node_id]
        before = self.data["forms"].get(visit.node_id)
        self.data["forms"][visit.node_id] = visit.form
        try:
            for effect in self._ordered(rule, visit):
                self._perform(effect, visit)
            step = self.engine.complete(self.state, visit_id, self.scope(visit))
        except DomainError:
            self.data["forms"] |= {visit.node_id: before or {}}
            raise
        self.circle.actors[visit.node_id] = visit.people
        self.circle.previous = [*visit.people, *(a["person_id"] for a in visit.approvals.values())]
        del self.visits[visit_id]
        self.told.path.append(visit.node_id)
        told = {"visit_id": visit_id, "node_id": visit.node_id, "title": rule.title, "stage": rule.stage}
        self.tell("NodeCompleted", told | {"data": visit.form, "results": dict(visit.done)}, offer=False)
        self._moved(step)

    def _ordered(self, rule: NodeRule, visit: Visit) -> Iterator[EffectRule]:
        left = [e for e in rule.effects if e.id not in visit.done]
        while left:
            effect = next(e for e in left if not {o.id for o in left} & set(e.after))
            left.remove(effect)
            if holds(effect.when, self.scope(visit)):
                yield effect

    def _perform(self, rule: EffectRule, visit: Visit) -> None:
        answer = self.act.get("effects", {}).get(rule.id, {})
        if "refused" in answer:
            raise RuleRefusedError(answer["refused"])
        scope = self.scope(visit)
        params = resolve(rule.with_, scope)
        results = self.rooms.perform(rule.effect, params, scope) | named(answer.get("results", {}))
        visit.done[rule.id] = self.data["results"][rule.id] = results
        self.told.effects[rule.id] = params
        for emitted in registry.effects()[rule.effect].emits:
            self.tell(emitted.event, resolve(emitted.data, {**scope, "params": params, "results": results}))

    def tell(self, event_type: str, data: Mapping[str, Any], offer: bool = True) -> None:
        """A fact: the clocks hear it, then the waits."""
        source, case = registry.facts()[event_type].source, self.data["case"]
        card = {name: case.get(name, "") for name in registry.cards().get(source, ())}
        event = {"type": event_type, "source": source, "occurred_on": self.act["on"], "at": self._at(), "card": card,
                 "actor": {"id": self.act.get("who", "")}, "body_id": "", **named(dict(data))}  # fmt: skip
        self.clocks.on(event)
        self.facts.append(event)
        if self.state and offer and event_type in self.waited:
            self._moved(self.engine.deliver(self.state, event, self.scope()))

    def _moved(self, step: Step) -> None:
        self.state = json.loads(json.dumps(step.state))
        self.told.flows |= set(self.engine.flows(self.state))
        self.told.path += [n.node_id for n in step.taken]
        for gone in (*step.withdrawn, *step.taken):
            self.visits.pop(gone.visit_id, None)
        for node in step.opened:
            self._opened(node)

    def _opened(self, node: OpenNode) -> None:
        rule, past = self.pack.nodes[node.node_id], list(self.facts)
        if node.kind == "task":
            self.visits[node.visit_id] = Visit(node.node_id)
            self.tell("NodeOpened", {"visit_id": node.visit_id, "node_id": node.node_id, "title": rule.title,
                                     "stage": rule.stage}, offer=False)  # fmt: skip
        elif rule.waits_for and rule.waits_for.from_ == "case":
            for event in (e for e in past if e["type"] == rule.waits_for.event):
                if any(n.visit_id == node.visit_id for n in self.engine.open(self.state)):
                    self._moved(self.engine.deliver_to(self.state, node.visit_id, event, self.scope()))
