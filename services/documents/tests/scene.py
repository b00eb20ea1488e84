"""The scene of this room's tests: a bureau and a court with people, one published pack each, and their cases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from typing import Any
from uuid import uuid4

from google.protobuf.message import Message
from sqlalchemy import select, text

from anjuan.documents.v1 import documents_pb2 as pb
from anjuan.identity.v1.events_pb2 import BodyChanged, LegalDateAdvanced, PersonChanged
from anjuan.identity.v1.identity_pb2 import Appointment, Body, Department, Person
from anjuan.intake.v1.events_pb2 import FilingSubmitted
from anjuan.intake.v1.intake_pb2 import Filing, Party, Representative
from anjuan.kit.v1.cards_pb2 import IntakeCard, PartyCard, WorkflowCard
from anjuan.workflow.v1.events_pb2 import CaseAssigned, EffectRequested, NodeCompleted, PackPublished
from services.documents import views
from services.documents.__main__ import ROOM
from services.documents.clients import ArchivedFiles
from services.documents.store import DocumentsUnit
from services.documents.store.packs import Packs
from services.documents.tests.packs import bundle
from services.documents.usecases import approve, draft, serve
from services.documents.usecases.produce import produce
from services.kit import clock, events, objects, run, schema
from services.kit.effects import plain, struct
from services.kit.identity import Actor, system
from services.kit.inbox.streams import Listener
from services.kit.procedure.bundle import sha256_of
from services.ops.rig.archive import ArchiveBeside

PROVINCE, BUREAU, COURT = "body-province", "body-bureau", "body-court"
TODAY = date(2025, 3, 3)
OFFICER = Actor("staff", "p-officer", "办案员甲", BUREAU, frozenset({"case_officer"}), frozenset({"d-enforce"}))
LEADER = Actor("staff", "p-leader", "局长乙", BUREAU, frozenset({"body_leader"}))
SUPERVISOR = Actor("staff", "p-above", "督办员", PROVINCE, frozenset({"supervisor"}))
STRANGER = Actor("staff", "p-other", "外局人员", COURT, frozenset({"case_officer"}))
JUDGES = [
    Actor("staff", f"p-judge{n}", name, COURT, frozenset({"judge"})) for n, name in enumerate(("王一", "李二", "张三"))
]
CLERK = Actor("staff", "p-clerk", "书记员赵", COURT, frozenset({"court_clerk"}), frozenset({"d-civil"}))
PARTY = Actor("party", "p-firm", "某某食品公司", account_id="acc-firm")
LAWYER = Actor("party", "p-lawyer", "周律师", account_id="acc-lawyer")
OTHER_PARTY = Actor("party", "p-shop", "某商行", account_id="acc-shop")
PEOPLE = (OFFICER, LEADER, SUPERVISOR, STRANGER, CLERK, *JUDGES)


@dataclass
class Scene:
    """The room at work: `hears` takes a fact of another room through the real inbox; `archive` is the real one."""

    host: run.Host
    archive: ArchiveBeside
    seqs: dict[tuple[str, str], Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.packs = Packs(self.host.objects)
        self.listener = Listener.of(ROOM, self.host)

    def begin(self, actor: Actor) -> DocumentsUnit:
        unit: DocumentsUnit = self.host.begin(actor)
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

    def furnish(self) -> None:
        """Bodies, people, the legal date, both packs."""
        province = Body(body_id=PROVINCE, name="广东省市场监督管理局", kind="bureau", tier="province", code="粤")
        bureau = Body(body_id=BUREAU, parent_id=PROVINCE, name="江门市市场监督管理局", kind="bureau", tier="city",
                      code="江")  # fmt: skip
        court = Body(body_id=COURT, name="江门市蓬江区人民法院", kind="court", tier="basic", code="粤0703")
        for body in (province, bureau, court):
            above = [body.parent_id] if body.parent_id else []
            departments = [Department(department_id="d-civil", body_id=COURT, name="民庭", kind="civil")]
            self.hears("identity", BodyChanged(body=body, ancestor_ids=above, departments=departments), body.body_id)
        for root in (PROVINCE, COURT):
            self.moves(root, TODAY)
        for someone in PEOPLE:
            appointments = [Appointment(body_id=someone.body_id, role=role) for role in someone.roles]
            card = Person(person_id=someone.person_id, name=someone.name, body_id=someone.body_id, state="active",
                          appointments=appointments)  # fmt: skip
            self.hears("identity", PersonChanged(person=card), someone.person_id)
        self.publish(bundle("bureau"), "penalty")
        self.publish(bundle("court"), "civil")

    def moves(self, root: str, to: date) -> None:
        """The legal date of a tree."""
        self.hears("identity", LegalDateAdvanced(root_body_id=root, legal_on=to.isoformat()), root)

    def publish(self, data: bytes, pack_id: str, version: str = "1.0.0") -> None:
        """A pack, as workflow stores and tells it."""
        objects.put_bytes(self.host.objects, data)
        fact = PackPublished(pack_id=pack_id, version=version, sha256=sha256_of(data), valid_from="2025-01-01")
        self.hears("workflow", fact, f"{pack_id}@{version}")

    def case(self, kind: str = "bureau", *, version: str = "1.0.0", number: str = "") -> str:
        """A case with its parties and its people."""
        case_id, court = clock.new_id(), kind == "court"
        body_id, pack_id = (COURT, "civil") if court else (BUREAU, "penalty")
        number = number or (f"（2025）粤0703民初{uuid4().int % 99999 + 1}号" if court else "")
        roles = ("plaintiff", "defendant") if court else ("respondent", "respondent")
        parties = [
            Party(party_id=f"{case_id}-1", role=roles[0], kind="organisation", name=PARTY.name, account_id="acc-firm",
                  id_number="91440703MA5EXAMP0X", address="江门市某路1号",
                  representatives=[Representative(name="周律师", kind="lawyer", account_id="acc-lawyer")]),
            Party(party_id=f"{case_id}-2", role=roles[1], kind="natural_person", name=OTHER_PARTY.name,
                  account_id="acc-shop"),
        ]  # fmt: skip
        cards = [PartyCard(party_id=p.party_id, name=p.name, role=p.role, account_id=p.account_id) for p in parties]
        card = IntakeCard(
            body_id=body_id, state="docketed", title="某某食品公司案", procedure_id=pack_id, pack_version=version,
            case_number=number, cause="经营过期食品", received_on="2025-03-03", docketed_on="2025-03-03",
            parties=cards,
            representative_account_ids=["acc-lawyer"],
        )  # fmt: skip
        filed = FilingSubmitted(filing=Filing(case_id=case_id, title="某某食品公司案", parties=parties), card=card)
        common = {"case_id": case_id, "body_id": body_id, "pack_id": pack_id, "pack_version": version}
        self.hears("intake", filed, case_id, **common)
        staff = WorkflowCard(
            department_id="d-civil" if court else "", officer_ids=["p-judge0" if court else "p-officer"],
            panel_ids=[judge.person_id for judge in JUDGES] if court else [],
        )  # fmt: skip
        self.hears("workflow", CaseAssigned(card=staff), case_id, **common)
        return case_id

    def verified(self) -> str:
        """A bureau's case whose facts have been found at the node before."""
        case_id = self.case()
        fact = NodeCompleted(node_id="verify", data=struct({"facts": "销售过期食品。"}), completed_by="p-officer")
        self.hears("workflow", fact, case_id, case_id=case_id)
        return case_id

    def asks(self, case_id: str, effect: str, params: Mapping[str, Any], *, node: str = "decide", on: date = TODAY,
             answers: Mapping[str, Any] = {}, actor: Actor = LEADER) -> str:  # fmt: skip
        """An effect of a completed node; returns its id."""
        effect_id = clock.new_id()
        with self.begin(system("test")) as uow:
            card = uow.cases.get(case_id)
        asked = EffectRequested(
            effect_id=effect_id, effect=effect, owner="documents", visit_id="v1", node_id=node, params=struct(params),
            answers=struct(answers), attempt=1,
        )  # fmt: skip
        self.hears("workflow", asked, case_id, case_id=case_id, body_id=card.body.body_id, occurred_on=on, actor=actor,
                   pack_id=card.pack[0], pack_version=card.pack[1])  # fmt: skip
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

    def ask(self, query: str) -> Any:
        """One value out of the room's database."""
        with self.host.engine.connect() as connection:
            return connection.execute(text(query)).scalar()

    def jobs(self) -> list[dict[str, Any]]:
        """Payloads not done yet."""
        with self.host.engine.connect() as connection:
            query = select(schema.jobs.c.payload).where(schema.jobs.c.done_at.is_(None)).order_by(schema.jobs.c.job_id)
            return list(connection.execute(query).scalars())

    def works(self) -> None:
        """Do every job as the worker's child does, here."""
        for payload in self.jobs():
            produce(self.host, payload)
        with self.host.engine.begin() as connection:
            connection.execute(text("update jobs set done_at = now()"))

    def issued(self, case_id: str, instrument: str, *, on: date = TODAY, **params: Any) -> dict[str, Any]:
        """Issue it right away; the answer."""
        effect_id = self.asks(case_id, "issue_instrument", {"instrument": instrument, **params}, on=on)
        self.works()
        return self.answer(effect_id)

    def draft(self, case_id: str, instrument: str, fields: Mapping[str, Any], actor: Actor = OFFICER) -> pb.Instrument:
        """As the door does it."""
        uow = self.begin(actor)
        request = pb.DraftInstrumentRequest(case_id=case_id, instrument=instrument, fields=struct(fields))
        made = draft.prepare_draft(uow, self.packs, request)
        return self._shown(uow, draft.draft_instrument(uow, request, made))

    def upload(self, to: pb.Instrument, docx: bytes, version: int = 0, actor: Actor = OFFICER) -> pb.Instrument:
        """As the door does it."""
        uow = self.begin(actor)
        request = pb.UploadVersionRequest(
            instrument_id=to.instrument_id, docx=docx, if_version=version or to.version
        )
        made = draft.prepare_upload(uow, self.packs, request)
        return self._shown(uow, draft.upload_version(uow, request, made))

    def approve(self, what: pb.Instrument, actor: Actor = LEADER, sha256: str = "") -> pb.Instrument:
        """Sign the newest version."""
        uow, newest = self.begin(actor), what.versions[-1].sha256
        request = pb.ApproveInstrumentRequest(instrument_id=what.instrument_id, sha256=sha256 or newest)
        return self._shown(uow, approve.approve_instrument(uow, self.packs, request))

    def _shown(self, uow: DocumentsUnit, what: Any) -> pb.Instrument:
        with uow:
            return views.shown(uow, self.packs, what)

    def content(self, instrument_id: str, kind: str = "docx", actor: Actor = OFFICER, number: int = 0) -> bytes:
        """The bytes as the door gives them."""
        request = pb.GetContentRequest(instrument_id=instrument_id, format=kind, number=number)
        return views.get_content(self.begin(actor), self.packs, request).content

    def seen(self, instrument_id: str, actor: Actor) -> pb.Instrument:
        """One instrument as somebody sees it."""
        with self.begin(actor) as uow:
            return views.get_instrument(uow, self.packs, instrument_id)

    def listed(self, actor: Actor, **wanted: Any) -> list[str]:
        """Ids that somebody finds in the list."""
        with self.begin(actor) as uow:
            answer = views.list_instruments(uow, pb.ListInstrumentsRequest(**wanted))
            return [i.instrument_id for i in answer.instruments]

    def prove(self, serving_id: str, actor: Actor = OFFICER, **proof: Any) -> pb.Serving:
        """Prove a serving with a scan that was uploaded before."""
        uow, scan = self.begin(actor), self.archive.bring(actor, b"scan of the receipt")
        request = pb.ProveServingRequest(serving_id=serving_id, **{"proof_sha256": scan} | proof)
        made = serve.prepare_proof(uow, ArchivedFiles(self.archive.address), self.archive.token(actor), request)
        return views.shown_serving(serve.prove_serving(uow, self.packs, request, made))
