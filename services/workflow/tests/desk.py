"""workflow on a real database, asked through its real gRPC door, told facts through its real inbox."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any

from google.protobuf.message import Message
from sqlalchemy import text

from anjuan.identity.v1 import events_pb2 as identity_facts
from anjuan.identity.v1 import identity_pb2
from anjuan.intake.v1 import events_pb2 as intake_facts
from anjuan.intake.v1 import intake_pb2
from anjuan.kit.v1 import effects_pb2
from anjuan.kit.v1.cards_pb2 import IntakeCard
from anjuan.workflow.v1 import workflow_pb2 as pb
from anjuan.workflow.v1.workflow_pb2_grpc import WorkflowStub
from services.kit import clock, events, identity, rpc, run
from services.kit.effects import plain, struct
from services.kit.identity import Actor
from services.kit.inbox.streams import Listener
from services.ops.rig.archive import ArchiveBeside
from services.ops.rig.session import Rig
from services.workflow.__main__ import ROOM

ON = date(2025, 3, 3)
COUNTY, CITY, OTHER = "county", "city", "other-county"
INVESTIGATION = "d-investigation"
CERTIFICATE = "law_enforcement_certificate"
# person -> body, department, roles, qualified
PEOPLE: dict[str, tuple[str, str, tuple[str, ...], bool]] = {
    "zhang": (COUNTY, INVESTIGATION, ("case_officer",), True),
    "li": (COUNTY, INVESTIGATION, ("case_officer",), True),
    "qian": (COUNTY, INVESTIGATION, ("case_officer",), True),
    "novice": (COUNTY, INVESTIGATION, ("case_officer",), False),
    "head": (COUNTY, INVESTIGATION, ("division_head",), False),
    "legal_head": (COUNTY, "d-legal", ("division_head", "legal_reviewer"), False),
    "leader": (COUNTY, "", ("body_leader",), False),
    "both": (COUNTY, INVESTIGATION, ("case_officer", "division_head"), True),
    "inspector": (CITY, "", ("supervisor",), False),
    "chief": (CITY, "", ("body_leader",), False),
    "stranger": (OTHER, INVESTIGATION + "-2", ("case_officer", "division_head", "body_leader"), True),
    "drafter": (CITY, "", ("pack_publisher",), False),
    "checker": (CITY, "", ("pack_publisher",), False),
}


@dataclass
class Desk:
    """One room with people and packs; `archive` is the real one beside it."""

    rig: Rig
    archive: ArchiveBeside
    sequences: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))

    @cached_property
    def host(self) -> run.Host:
        settings = self.rig.settings
        return run.open_host(ROOM, replace(settings, rpc={**settings.rpc, "archive": self.archive.address}), pool=20)

    @cached_property
    def listener(self) -> Listener:
        return Listener.of(ROOM, self.consuming)

    @cached_property
    def consuming(self) -> run.Host:
        """With the driver of consumers."""
        return run.open_host(ROOM, self.rig.settings, "psycopg2", pool=3)

    def open(self) -> Desk:
        run.migrate(ROOM, self.rig.fresh_database("workflow"))
        self.server = rpc.serve(self.host, ROOM.rpc(self.host), "127.0.0.1:0", threads=20)
        port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()
        self.channel = rpc.channel(f"127.0.0.1:{port}")
        return self

    def close(self) -> None:
        self.channel.close()
        self.server.stop(None).wait()
        self.host.engine.dispose()
        self.consuming.engine.dispose()

    def furnish(self) -> Desk:
        """Empty tables, and people in three bodies."""
        self.rig.empty_tables(["workflow"])
        self.sequences.clear()
        departments = [
            identity_pb2.Department(department_id=INVESTIGATION, body_id=COUNTY, name="稽查科", kind="investigation"),
            identity_pb2.Department(department_id="d-legal", body_id=COUNTY, name="法规科", kind="legal"),
        ]
        for body_id, parent, name in ((CITY, "", "某市市场监督管理局"), (COUNTY, CITY, "某县市场监督管理局"),
                                      (OTHER, CITY, "另县市场监督管理局")):  # fmt: skip
            body = identity_pb2.Body(body_id=body_id, parent_id=parent, name=name, kind="bureau", tier="county")
            mine = departments if body_id == COUNTY else []
            fact = identity_facts.BodyChanged(body=body, departments=mine, ancestor_ids=[parent] if parent else [])
            self.tell("identity", fact, stream=body_id, body_id=body_id)
        for person_id in PEOPLE:
            self.person(person_id)
        self.advance(ON)
        return self

    def person(self, person_id: str, **change: Any) -> None:
        """identity tells of a person (anew)."""
        body_id, department, roles, qualified = PEOPLE[person_id]
        span = {"valid_from": "2020-01-01", "valid_to": "2025-12-31"}
        held = [identity_pb2.Qualification(kind=CERTIFICATE, number="1", **span)]
        known: dict[str, Any] = {
            "person_id": person_id, "name": f"{person_id}某", "body_id": body_id, "state": "active",
            "appointments": [
                identity_pb2.Appointment(body_id=body_id, department_id=department, role=r) for r in roles
            ], "qualifications": held if qualified else [],
        }  # fmt: skip
        fact = identity_facts.PersonChanged(person=identity_pb2.Person(**known | change))
        self.tell("identity", fact, stream=person_id, body_id=body_id)

    def advance(self, on: date) -> None:
        """The legal date of the whole tree."""
        fact = identity_facts.LegalDateAdvanced(root_body_id=CITY, legal_on=on.isoformat())
        self.tell("identity", fact, stream=CITY, body_id=CITY)

    def event(self, source: str, message: Message, *, stream: str, **more: Any) -> events.Event:
        """A fact as another room would tell it next."""
        self.sequences[source, stream] += 1
        return events.Event(
            event_id=clock.new_id(), source=source, type=message.DESCRIPTOR.name, aggregate_id=stream,
            seq=self.sequences[source, stream], at=clock.now(), actor=identity.system("test"),
            raw=events.to_raw(message), **{"occurred_on": ON} | more,
        )  # fmt: skip

    def tell(self, source: str, message: Message, *, stream: str, **more: Any) -> None:
        """A fact arrives."""
        self.listener.take([events.encode(self.event(source, message, stream=stream, **more))])

    def actor(self, person_id: str) -> Actor:
        """Staff by name; `party:<account>` a party; `operator`."""
        if person_id == "operator":
            return Actor("operator", "operator", "运维")
        if person_id.startswith("party:"):
            account = person_id.partition(":")[2]
            return Actor("party", f"p-{account}", "当事人", account_id=account)
        body_id, department, roles, _ = PEOPLE[person_id]
        return Actor("staff", person_id, f"{person_id}某", body_id, frozenset(roles), frozenset({department} - {""}))

    def ask(self, person_id: str, method: str, request: Message, key: str = "") -> Any:
        """Call the door in a person's name."""
        secret = (self.rig.place.keys / "token.pem").read_bytes()
        token = identity.sign_token(self.actor(person_id), self.rig.settings.site, secret)
        stub: Any = getattr(WorkflowStub(self.channel), method)
        return rpc.invoke(stub, request, token=token, key=key or clock.new_id(), timeout=60)

    def publish(self, bundle: bytes) -> pb.Pack:
        """Proposed by one, confirmed by another."""
        pack = self.ask("drafter", "PublishPack", pb.PublishPackRequest(bundle=bundle))
        return self.ask("checker", "ConfirmPack", pb.ConfirmPackRequest(sha256=pack.sha256))  # type: ignore[no-any-return]

    def card(self, case_id: str, pack: tuple[str, str], **more: Any) -> IntakeCard:
        """What intake tells of a case."""
        known: dict[str, Any] = {"body_id": COUNTY, "state": "received", "title": "线索一件", "procedure_id": pack[0],
                 "pack_version": pack[1], "channel": "ex_officio", "received_on": ON.isoformat(),
                 "secrecy_level": 1}  # fmt: skip
        return IntakeCard(**known | more)

    def file(self, pack: tuple[str, str], case_id: str = "", **card: Any) -> str:
        """A filing of a new case arrives; returns its id."""
        case_id = case_id or clock.new_id()
        filing = intake_pb2.Filing(
            filing_id=f"f-{case_id}", case_id=case_id, body_id=card.get("body_id", COUNTY), procedure_id=pack[0],
            channel="ex_officio", title="线索一件", submitted_on=ON.isoformat(), amount_in_dispute_fen=10_000,
            content=struct({"content": "涉嫌销售不合格商品", "found_on": "2025-03-01"}),
            parties=[intake_pb2.Party(party_id="pa", role="respondent", kind="organisation", name="某公司")],
        )  # fmt: skip
        fact = intake_facts.FilingSubmitted(filing=filing, card=self.card(case_id, pack, **card))
        self.intake(fact, case_id, pack, body_id=card.get("body_id", COUNTY))
        return case_id

    def intake(self, message: Message, case_id: str, pack: tuple[str, str], **more: Any) -> None:
        """A fact of a case from intake."""
        known = {"body_id": COUNTY, "pack_id": pack[0], "pack_version": pack[1]}
        self.tell("intake", message, stream=case_id, case_id=case_id, **known | more)

    def answer(self, request: Mapping[str, Any], refused: str = "", **results: Any) -> None:
        """The owner answers an effect."""
        known = {"effect_id": request["effect_id"], "effect": request["effect"], "case_id": request["case_id"]}
        fact: Message = effects_pb2.EffectDone(**known, results=struct(results))
        if refused:
            fact = effects_pb2.EffectRefused(**known, reason=refused, slug="rule-refused")
        self.tell(request["owner"], fact, stream=request["effect_id"], case_id=request["case_id"], body_id=COUNTY)

    def told(self, case_id: str, *types: str) -> Sequence[events.Event]:
        """What the room has told of a case, in order."""
        with self.host.engine.begin() as connection:
            query = text("select body from outbox where aggregate_id = :id order by seq")
            found = [events.decode(bytes(row.body)) for row in connection.execute(query, {"id": case_id})]
        return [e for e in found if not types or e.type in types]

    def asked(self, case_id: str, effect: str) -> Sequence[dict[str, Any]]:
        """Requests of an effect, oldest first."""
        found = [e for e in self.told(case_id, "EffectRequested") if e.data.effect == effect]
        return [
            {"effect_id": e.data.effect_id, "effect": effect, "owner": e.data.owner, "case_id": case_id,
             "params": plain(e.data.params), "answers": plain(e.data.answers), "attempt": e.data.attempt,
             "occurred_on": e.occurred_on} for e in found
        ]  # fmt: skip

    def query(self, sql: str, **values: Any) -> Sequence[Any]:
        """Rows straight from the database."""
        with self.host.engine.begin() as connection:
            return list(connection.execute(text(sql), values))

    def list(self, person_id: str, **wanted: Any) -> Any:
        """A person's work list."""
        return self.ask(person_id, "ListTasks", pb.ListTasksRequest(**wanted))

    def task(self, person_id: str, case_id: str, node_id: str) -> pb.Task:
        """The open task of a node, as it stands on a person's list."""
        found = [t for t in self.list(person_id, case_id=case_id).tasks if t.node_id == node_id]
        assert len(found) == 1, f"{person_id} has {len(found)} tasks {node_id}"
        return found[0]  # type: ignore[no-any-return]

    def complete(
        self, person_id: str, case_id: str, node_id: str, form: Mapping[str, Any] | None = None, **more: Any
    ) -> Any:
        """Fill in a node."""
        task = self.task(person_id, case_id, node_id)
        known: dict[str, Any] = {"task_id": task.task_id, "data": struct(form or {}), "if_version": task.version}
        request = pb.CompleteTaskRequest(**known | more)
        return self.ask(person_id, "CompleteTask", request)

    def decide(self, person_id: str, case_id: str, node_id: str, decision: str = "agree", said: str = "同意") -> Any:
        """Approve or return."""
        task = self.task(person_id, case_id, node_id)
        request = pb.DecideApprovalRequest(task_id=task.task_id, decision=decision, text=said, if_version=task.version)
        return self.ask(person_id, "DecideApproval", request)

    def course(self, person_id: str, case_id: str) -> pb.Course:
        """The course of a case."""
        return self.ask(person_id, "GetCourse", pb.GetCourseRequest(case_id=case_id))  # type: ignore[no-any-return]

    def open_nodes(self, case_id: str) -> Sequence[str]:
        """Nodes with an open visit, from the room's own card."""
        rows = self.query("select open_node_ids from case_card where case_id = :c", c=case_id)
        return sorted(rows[0].open_node_ids)
