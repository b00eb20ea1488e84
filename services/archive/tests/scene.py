"""The scene of this room's tests: two bureaus with people, one published pack, and cases of both."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

from google.protobuf.message import Message
from sqlalchemy import select, text

from anjuan.documents.v1.events_pb2 import InstrumentIssued
from anjuan.identity.v1.events_pb2 import BodyChanged, LegalDateAdvanced, PersonChanged
from anjuan.identity.v1.identity_pb2 import Appointment, Body, Person
from anjuan.intake.v1.events_pb2 import CaseClosed, FilingSubmitted
from anjuan.intake.v1.intake_pb2 import Filing, Material
from anjuan.kit.v1.cards_pb2 import IntakeCard, WorkflowCard
from anjuan.workflow.v1.events_pb2 import CaseAssigned, EffectRequested, NodeCompleted, PackPublished
from services.archive.__main__ import ROOM
from services.archive.store import ArchiveUnit
from services.archive.store.packs import Packs
from services.archive.tests.packs import bundle
from services.kit import clock, events, objects, run, schema
from services.kit.effects import plain, struct
from services.kit.identity import Actor, system
from services.kit.inbox.streams import Listener
from services.kit.procedure.bundle import sha256_of

BUREAU, OTHER = "body-bureau", "body-other"
TODAY = date(2025, 3, 3)
PACK = ("penalty", "1.0.0")
CLERK = Actor("staff", "p-clerk", "档案员甲", BUREAU, frozenset({"archivist", "registrar"}))
SCANNER = Actor("staff", "p-scanner", "扫描员乙", BUREAU, frozenset({"scanner"}))
LEADER = Actor("staff", "p-leader", "局长丙", BUREAU, frozenset({"body_leader"}))
REVIEWER = Actor("staff", "p-review", "审核员丁", BUREAU, frozenset({"legal_reviewer"}))
OFFICER = Actor("staff", "p-officer", "办案员戊", BUREAU, frozenset({"case_officer"}))
STRANGER = Actor("staff", "p-stranger", "外局人员", OTHER, frozenset({"archivist", "registrar"}))
PARTY = Actor("party", "p-firm", "某某食品公司", account_id="acc-firm")
STATION = Actor("station", "st-1", "一楼扫描站", BUREAU)
OTHER_STATION = Actor("station", "st-2", "外局扫描站", OTHER)
OPERATOR = Actor("operator", "p-operator", "运维", BUREAU, frozenset({"operator"}))
PEOPLE = (CLERK, SCANNER, LEADER, REVIEWER, OFFICER, STRANGER)


@dataclass
class Scene:
    """The room at work: `hears` takes a fact of another room through the real inbox."""

    host: run.Host
    seqs: dict[tuple[str, str], Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.packs = Packs(self.host.objects)
        self.listener = Listener.of(ROOM, self.host)

    def begin(self, actor: Actor) -> ArchiveUnit:
        unit: ArchiveUnit = self.host.begin(actor)
        return unit

    def hears(self, source: str, message: Message, stream: str, **attributes: Any) -> None:
        """A fact of `source`, next in its stream."""
        seq = next(self.seqs.setdefault((source, stream), count(1)))
        common: dict[str, Any] = {"occurred_on": TODAY, "body_id": BUREAU, "actor": system("test")}
        event = events.Event(
            event_id=clock.new_id(), source=source, type=message.DESCRIPTOR.name, aggregate_id=stream, seq=seq,
            at=clock.now(), raw=events.to_raw(message), **common | attributes,
        )  # fmt: skip
        self.listener.take([events.encode(event)])
        assert not self.ask("select count(*) from inbox_waiting"), self.ask("select error from inbox_waiting")

    def furnish(self) -> None:
        """Bodies, people, the legal date, the pack."""
        for body_id, name in ((BUREAU, "江门市市场监督管理局"), (OTHER, "中山市市场监督管理局")):
            body = Body(body_id=body_id, name=name, kind="bureau", tier="city", code="江")
            self.hears("identity", BodyChanged(body=body), body_id)
            self.hears("identity", LegalDateAdvanced(root_body_id=body_id, legal_on=TODAY.isoformat()), body_id)
        for someone in PEOPLE:
            posts = [Appointment(body_id=someone.body_id, role=role) for role in sorted(someone.roles)]
            card = Person(person_id=someone.person_id, name=someone.name, body_id=someone.body_id, state="active",
                          appointments=posts)  # fmt: skip
            self.hears("identity", PersonChanged(person=card), someone.person_id)
        self.publishes(PACK[1], receipts_note="")

    def publishes(self, version: str, **params: str) -> None:
        """A version of the pack, with these params of its binding."""
        with tempfile.TemporaryDirectory() as folder:
            data = bundle(Path(folder) / "penalty", version, **params)
        objects.put_bytes(self.host.objects, data)
        fact = PackPublished(pack_id=PACK[0], version=version, sha256=sha256_of(data), valid_from="2025-01-01")
        self.hears("workflow", fact, f"penalty@{version}")

    def case(self, body_id: str = BUREAU, number: str = "江市监立〔2025〕3号", **changed: Any) -> str:
        """A docketed case with its officer."""
        case_id = clock.new_id()
        card = IntakeCard(
            body_id=body_id, state="docketed", title="某某食品公司销售过期食品案", procedure_id=PACK[0],
            pack_version=PACK[1], case_number=number, cause="销售过期食品", received_on="2025-03-03",
            docketed_on="2025-03-03",
        )  # fmt: skip
        self._intake(case_id, FilingSubmitted(filing=Filing(case_id=case_id), card=_with(card, changed)), body_id)
        staff = CaseAssigned(card=WorkflowCard(officer_ids=["p-officer"]))
        self.hears("workflow", staff, case_id, **self.about(case_id, body_id))
        return case_id

    def about(self, case_id: str, body_id: str = BUREAU) -> dict[str, Any]:
        """Attributes of an event of a case."""
        return {"case_id": case_id, "body_id": body_id, "pack_id": PACK[0], "pack_version": PACK[1]}

    def _intake(self, case_id: str, fact: Message, body_id: str = BUREAU) -> None:
        self.hears("intake", fact, case_id, **self.about(case_id, body_id))

    def files(self, case_id: str, *materials: Material) -> None:
        """The filing's materials, as corrected."""
        from anjuan.intake.v1.events_pb2 import FilingCorrected

        with self.begin(system("test")) as uow:
            card = uow.cases.get(case_id)
        told = IntakeCard(body_id=card.body_id, state=card.state, title=card.title, procedure_id=PACK[0],
                          pack_version=PACK[1], case_number=card.case_number,
                          docketed_on=card.docketed_on)  # fmt: skip
        self._intake(case_id, FilingCorrected(filing=Filing(case_id=case_id, materials=materials), card=told))

    def closes(self, case_id: str) -> None:
        """结案."""
        with self.begin(system("test")) as uow:
            known = uow.cases.get(case_id)
        card = IntakeCard(body_id=known.body_id, state="closed", title=known.title, procedure_id=PACK[0],
                          pack_version=PACK[1], case_number=known.case_number, closed_on="2025-03-03",
                          cause=known.cause)  # fmt: skip
        self._intake(case_id, CaseClosed(closed_on="2025-03-03", disposition="penalty", card=card))

    def issues(self, case_id: str, pdf: bytes, **told: Any) -> str:
        """documents has issued an instrument; returns its id."""
        instrument_id = str(told.pop("instrument_id", clock.new_id()))
        issued = InstrumentIssued(**{
            "instrument_id": instrument_id, "instrument": "samr-penalty-decision", "title": "行政处罚决定书",
            "number": "江市监处罚〔2025〕8号", "issued_on": "2025-03-03", "volume": "main", "catalogue_seq": 2,
            "pdf_sha256": objects.put_bytes(self.host.objects, pdf, "application/pdf"), **told,
        })  # fmt: skip
        self.hears("documents", issued, case_id, **self.about(case_id))
        return instrument_id

    def completes(self, case_id: str, instrument_id: str) -> None:
        """workflow tells a node whose effects have issued an instrument."""
        done = NodeCompleted(node_id="decide", results=struct({"issue": {
            "instrument_id": instrument_id, "number": "江市监处罚〔2025〕8号", "sha256": "0" * 64,
        }}), card=WorkflowCard(officer_ids=["p-officer"]))  # fmt: skip
        self.hears("workflow", done, case_id, **self.about(case_id))

    def asks(self, case_id: str, effect: str, params: Mapping[str, Any]) -> str:
        """An effect of a completed node; returns its id."""
        effect_id = clock.new_id()
        asked = EffectRequested(effect_id=effect_id, effect=effect, owner="archive", visit_id="v1", node_id="filing",
                                params=struct(params), attempt=1, requested_by_name=CLERK.name)  # fmt: skip
        self.hears("workflow", asked, case_id, actor=CLERK, **self.about(case_id))
        return effect_id

    def told(self, type_: str, stream: str = "") -> list[events.Event]:
        """Facts of this room, oldest first."""
        with self.host.engine.connect() as connection:
            query = select(schema.outbox.c.body).where(schema.outbox.c.type == type_).order_by(schema.outbox.c.position)
            query = query.where(schema.outbox.c.aggregate_id == stream) if stream else query
            return [events.decode(bytes(body)) for body in connection.execute(query).scalars()]

    def answer(self, effect_id: str) -> dict[str, Any]:
        """What the room answered: results, or {"refused": reason}; empty: nothing yet."""
        done, refused = self.told("EffectDone", effect_id), self.told("EffectRefused", effect_id)
        assert len(done) + len(refused) <= 1
        if refused:
            return {"refused": refused[0].data.reason}
        return plain(done[0].data.results) if done else {}

    def ask(self, query: str, **values: Any) -> Any:
        """One value out of the room's database."""
        with self.host.engine.connect() as connection:
            return connection.execute(text(query), values).scalar()

    def works(self, *kinds: str) -> int:
        """Do jobs as the worker's child does, here, until none of these kinds (or none at all) is left."""
        done, table = 0, schema.jobs
        while True:
            with self.host.engine.connect() as connection:
                query = select(table.c.job_id, table.c.kind, table.c.payload).where(table.c.done_at.is_(None))
                query = query.where(table.c.kind.in_(kinds)) if kinds else query
                job = connection.execute(query.order_by(table.c.run_at).limit(1)).one_or_none()
            if job is None:
                return done
            ROOM.jobs[job.kind](self.host, job.payload)
            with self.host.engine.begin() as connection:
                connection.execute(text("update jobs set done_at = now() where job_id = :id"), {"id": job.job_id})
            done += 1


def _with(card: IntakeCard, changed: Mapping[str, Any]) -> IntakeCard:
    for name, value in changed.items():
        setattr(card, name, value)
    return card
