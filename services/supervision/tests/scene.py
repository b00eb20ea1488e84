"""A room on a real database, and the others' facts told to its real inbox."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct
from sqlalchemy import text

from anjuan.documents.v1.events_pb2 import InstrumentServed
from anjuan.identity.v1.events_pb2 import BodyChanged, LegalDateAdvanced
from anjuan.identity.v1.identity_pb2 import Body
from anjuan.intake.v1.events_pb2 import CaseDocketed, FilingSubmitted
from anjuan.kit.v1.cards_pb2 import IntakeCard, PartyCard, WorkflowCard
from anjuan.workflow.v1.events_pb2 import CaseAssigned, EffectRequested, NodeCompleted, NodeOpened, PackPublished
from services.kit import clock, events
from services.kit.effects import struct
from services.kit.events import Event
from services.kit.identity import Actor
from services.kit.inbox.streams import Listener
from services.kit.legal_calendar import LEGAL_ZONE
from services.kit.objects import put_bytes
from services.kit.procedure.bundle import bundle_of, sha256_of
from services.kit.run import Host

PACK = ("clocks-of-all-kinds", "1.0.0")
FOLDER = Path(__file__).parent / "pack"
CLERK = Actor("staff", "clerk", "张三")
BUREAU, COUNTY, CITY = "bureau", "county", "city"


@dataclass
class Scene:
    """Facts in streams of their own, as the rooms would tell them; `later` moves the instant on."""

    host: Host
    listener: Listener
    seq: Counter[tuple[str, str]] = field(default_factory=Counter)
    instant: datetime = datetime(2025, 3, 3, 9, 0, tzinfo=LEGAL_ZONE)

    def make(self, source: str, message: Message, on: str, *, case: str = "", body: str = BUREAU,
             stream: str = "", pack: tuple[str, str] = PACK) -> Event:  # fmt: skip
        """The next event of a stream, not yet told."""
        stream = stream or case
        self.seq[source, stream] += 1
        self.instant += timedelta(seconds=1)
        day = date.fromisoformat(on)
        return Event(
            event_id=clock.new_id(), source=source, type=message.DESCRIPTOR.name, aggregate_id=stream,
            seq=self.seq[source, stream], occurred_on=day,
            at=datetime.combine(day, self.instant.timetz()), actor=CLERK, raw=events.to_raw(message),
            body_id=body, case_id=case, pack_id=pack[0] if case else "", pack_version=pack[1] if case else "",
        )  # fmt: skip

    def take(self, *told: Event) -> None:
        """What arrives from the bus."""
        self.listener.take([events.encode(event) for event in told])

    def tell(self, source: str, message: Message, on: str, **where: Any) -> Event:
        event = self.make(source, message, on, **where)
        self.take(event)
        return event

    def publish(self, folder: Path = FOLDER, pack: tuple[str, str] = PACK) -> None:
        """A pack, this folder's if none is named, its bundle in the object store."""
        data = bundle_of(folder)
        put_bytes(self.host.objects, data)
        message = PackPublished(pack_id=pack[0], version=pack[1], sha256=sha256_of(data), valid_from="2025-01-01")
        self.tell("workflow", message, "2025-01-01", stream=pack[0])

    def bodies(self, scripted: bool = True) -> None:
        """A city with a county and below it a bureau; the tree stands on 3 March 2025."""
        for body, above in ((CITY, []), (COUNTY, [CITY]), (BUREAU, [COUNTY, CITY])):
            one = Body(body_id=body, parent_id=above[0] if above else "", name=body, kind="bureau", tier="county")
            self.tell("identity", BodyChanged(body=one, ancestor_ids=above), "2025-01-01", stream=body)
        if scripted:
            self.go("2025-03-03")

    def go(self, day: str) -> None:
        """The tree's legal date moves on, and the room ticks for it."""
        self.tell("identity", LegalDateAdvanced(root_body_id=CITY, legal_on=day), day, stream="date " + CITY)

    def file(self, case: str, on: str, *parties: PartyCard, body: str = BUREAU) -> Event:
        card = IntakeCard(body_id=body, state="accepted", title="某某涉嫌销售不合格商品案", parties=parties)
        return self.tell("intake", FilingSubmitted(card=card), on, case=case, body=body)

    def docket(self, case: str, on: str, body: str = BUREAU) -> Event:
        number = "某市监立〔2025〕1号"
        card = IntakeCard(body_id=body, state="docketed", title="某某涉嫌销售不合格商品案", case_number=number)
        message = CaseDocketed(docketed_on=on, case_number=number, card=card)
        return self.tell("intake", message, on, case=case, body=body)

    def assign(self, case: str, *officers: str, on: str = "2025-03-03", body: str = BUREAU) -> Event:
        card = WorkflowCard(officer_ids=officers)
        return self.tell("workflow", CaseAssigned(officer_ids=officers, card=card), on, case=case, body=body)

    def open(self, case: str, node: str, on: str, visit: str = "") -> Event:
        return self.tell("workflow", NodeOpened(node_id=node, visit_id=visit or f"{case}-{node}"), on, case=case)

    def completed(self, case: str, node: str, on: str, visit: str = "", **data: Any) -> Event:
        message = NodeCompleted(node_id=node, visit_id=visit or f"{case}-{node}", data=struct(data))
        return self.make("workflow", message, on, case=case)

    def complete(self, case: str, node: str, on: str, visit: str = "", **data: Any) -> Event:
        event = self.completed(case, node, on, visit, **data)
        self.take(event)
        return event

    def serve(self, case: str, on: str, party: str, instrument: str = "penalty-decision") -> Event:
        message = InstrumentServed(instrument_id=f"{case}-{instrument}", instrument=instrument, party_id=party,
                                   method="personal", served_on=on)  # fmt: skip
        return self.tell("documents", message, on, case=case)

    def ask(self, case: str, effect: str, on: str, **params: Any) -> Message:
        """What workflow asks of this room, and the answer."""
        effect_id = clock.new_id()
        message = EffectRequested(effect_id=effect_id, effect=effect, owner="supervision", visit_id="v", node_id="n",
                                  params=struct(params), answers=Struct(), attempt=1)  # fmt: skip
        self.tell("workflow", message, on, case=case)
        answers = [e for e in self.told() if e.type in ("EffectDone", "EffectRefused") and e.aggregate_id == effect_id]
        assert len(answers) == 1, f"{effect} was answered {len(answers)} times"
        return answers[0].data  # type: ignore[no-any-return]

    def told(self, type_: str = "", case: str = "") -> list[Event]:
        """The room's own events, in order."""
        with self.host.engine.connect() as connection:
            rows = connection.execute(text("select body from outbox order by position")).scalars().all()
        found = [events.decode(bytes(body)) for body in rows]
        return [e for e in found if (not type_ or e.type == type_) and (not case or e.case_id == case)]

    def rows(self, statement: str, **values: Any) -> list[Any]:
        """What lies in the database."""
        with self.host.engine.connect() as connection:
            return list(connection.execute(text(statement), values).mappings())

    def clock(self, case: str, limit: str, scope: str = "", run: int = 1) -> Any:
        """The row of one clock, None where there is none."""
        found = self.rows(
            "select * from clocks where case_id = :case and limit_id = :limit and scope_id = :scope and run = :run",
            case=case, limit=limit, scope=scope, run=run,
        )  # fmt: skip
        return found[0] if found else None

    def actor(self, role: str = "", body: str = BUREAU, **more: Any) -> Actor:
        """Somebody of the staff."""
        actor = Actor("staff", f"{role} of {body}", "李四", body_id=body, roles=frozenset({role} if role else ()))
        return replace(actor, **more)
