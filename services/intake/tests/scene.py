"""The scene of this room's tests: bodies, people, published packs; facts come in as the inbox takes them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from typing import Any

from google.protobuf.message import Message
from sqlalchemy import select, update

from anjuan.identity.v1.events_pb2 import AccountChanged, BodyChanged, LegalDateAdvanced, PersonChanged
from anjuan.identity.v1.identity_pb2 import Appointment, Body, Person
from anjuan.intake.v1 import intake_pb2 as pb
from anjuan.workflow.v1.events_pb2 import EffectRequested, PackPublished
from services.intake.__main__ import ROOM
from services.intake.clients import ArchivedFiles
from services.intake.model.fingerprint import Fingerprints
from services.intake.model.upload import Upload
from services.intake.store import IntakeUnit
from services.intake.store.packs import Packs
from services.intake.usecases.filing import correct_filing, submit_filing
from services.kit import clock, events, objects, run, schema
from services.kit.effects import plain, struct
from services.kit.errors import NotAllowedError
from services.kit.identity import Actor, system
from services.kit.inbox.streams import Listener
from services.kit.procedure.bundle import pack_files, sha256_of
from services.ops.rig.archive import ArchiveBeside

COURT, BUREAU, UPPER = "body-court", "body-bureau", "body-province"
TODAY = date(2025, 3, 3)
CLERK = Actor("staff", "p-clerk", "立案员", COURT, frozenset({"docketing_clerk"}))
JUDGE = Actor("staff", "p-judge", "王法官", COURT, frozenset({"judge"}))
REGISTRAR = Actor("staff", "p-registrar", "登记员", BUREAU, frozenset({"registrar"}))
OFFICER = Actor("staff", "p-officer", "办案员", BUREAU, frozenset({"case_officer"}))
LEADER = Actor("staff", "p-leader", "局长", BUREAU, frozenset({"body_leader"}))
SUPERVISOR = Actor("staff", "p-above", "督办员", UPPER, frozenset({"supervisor"}))
PLAINTIFF = Actor("party", "p-zhao", "赵一", account_id="acc-zhao")
DEFENDANT = Actor("party", "p-qian", "钱二", account_id="acc-qian")
WHISTLE = Actor("party", "p-whistle", "欧阳举报", account_id="acc-whistle")
PRINTS = Fingerprints(b"a key of the room")
ID_ZHAO, ID_QIAN, USCC = "440703199001011239", "440703198506152227", "91440703MA5EXAMP0C"
ID_OTHER = "440703199003052229"

_LAW = [{"law": "中华人民共和国民事诉讼法", "article": "第一百二十二条"}]
_BPMN = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="urn:test">
  <process id="p" isExecutable="true"><startEvent id="begin"/><userTask id="review"/><endEvent id="done"/>
    <sequenceFlow id="f1" sourceRef="begin" targetRef="review"/>
    <sequenceFlow id="f2" sourceRef="review" targetRef="done"/></process></definitions>"""
_NODES = {"nodes": {"review": {"title": "审查", "stage": "docketing", "articles": _LAW, "actor": {"role": "judge"}}},
          "ends": {"done": {"title": "办结"}}}  # fmt: skip
_FORM = {
    "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "登记", "type": "object",
    "additionalProperties": False, "required": ["claim"],
    "properties": {
        "claim": {"title": "请求", "type": "string", "minLength": 2},
        "urgent": {"title": "紧急", "type": "boolean"},
        "source": {"title": "来源", "type": "string", "x-internal": True},
    },
}  # fmt: skip
_LABELS = {
    "stages": {"docketing": "立案"},
    "roles": {"judge": "法官"},
    "channels": {"party": "当事人申请", "transfer": "移送", "ex_officio": "监督检查", "report": "举报"},
    "party_roles": {"plaintiff": "原告", "defendant": "被告", "respondent": "当事人"},
}
COURT_PACK: dict[str, Any] = {
    "pack": {
        "id": "civil", "version": "1.0.0", "valid_from": "2025-01-01", "title": "民事一审", "kind": "court",
        "legal_basis": [{"law": "中华人民共和国民事诉讼法"}], "case_type_code": "民初", "roles": ["judge"],
        "channels": {"party": {"who": ["docketing_clerk", "party"]}, "transfer": {"who": ["docketing_clerk"]}},
        "party_roles": {"plaintiff": {"min": 1}, "defendant": {"min": 1}}, "stages": ["docketing"],
    },
    "checklist": {"items": [
        {"id": "complaint", "title": "起诉状", "basis": _LAW, "per_party": "defendant"},
        {"id": "identity", "title": "身份证明", "basis": _LAW, "defect": "请提交原告的身份证明"},
        {"id": "urgency", "title": "紧急情况说明", "basis": _LAW,
         "when": "has(case.content.urgent) && case.content.urgent"},
        {"id": "evidence", "title": "证据", "basis": _LAW, "optional": True},
    ]},
}  # fmt: skip
BUREAU_PACK: dict[str, Any] = {
    "pack": {
        "id": "penalty", "version": "1.0.0", "valid_from": "2025-01-01", "title": "行政处罚", "kind": "bureau",
        "legal_basis": [{"law": "中华人民共和国行政处罚法"}], "roles": ["case_officer"], "stages": ["docketing"],
        "docketing_number": {
            "pattern": "{机关代字}市监{文种}〔{year}〕{serial}号", "kind_code": "立案", "series": "docket",
        },
        "channels": {
            "ex_officio": {"who": ["case_officer"]},
            "report": {"who": ["registrar", "reporter"], "reporter": True},
        },
        "party_roles": {"respondent": {"max": 3}},
    },
    "checklist": {"items": [{"id": "report_record", "title": "举报登记表", "basis": _LAW, "internal": True}]},
}  # fmt: skip


def bundle(pack: Mapping[str, Any], **changed: Any) -> bytes:
    """A real bundle; `changed` replaces entries of pack.yaml."""
    parts = {
        "pack.yaml": pack["pack"] | changed, "nodes.yaml": _NODES, "checklist.yaml": pack["checklist"],
        "time_limits.yaml": {"limits": []}, "labels.zh-CN.yaml": _LABELS,
    }  # fmt: skip
    files = {name: json.dumps(data).encode() for name, data in {**parts, "forms/filing.schema.json": _FORM}.items()}
    return pack_files(files | {"process.bpmn": _BPMN.encode()})


PAPERS: dict[str, bytes] = {}  # by hash, what people have to upload


def paper(checklist_item: str, name: str, **more: Any) -> pb.Material:
    """A material whose bytes its client sends before it names them."""
    data = name.encode()
    PAPERS[sha256 := hashlib.sha256(data).hexdigest()] = data
    return pb.Material(checklist_item=checklist_item, name=name, sha256=sha256, size=len(data), **more)


@dataclass
class Scene:
    """The room at work: `hears` takes a fact of another room through the real inbox; `archive` is the real one."""

    host: run.Host
    archive: ArchiveBeside
    seqs: dict[tuple[str, str], Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.packs = Packs(self.host.objects)
        self.listener = Listener.of(ROOM, self.host)

    def begin(self, actor: Actor) -> IntakeUnit:
        unit: IntakeUnit = self.host.begin(actor)
        return unit

    def hears(self, source: str, message: Message, stream: str, **attributes: Any) -> events.Event:
        """A fact of `source`, next in its stream."""
        seq = next(self.seqs.setdefault((source, stream), count(1)))
        place: dict[str, Any] = {"occurred_on": TODAY, "body_id": COURT} | attributes
        event = events.Event(
            event_id=clock.new_id(), source=source, type=message.DESCRIPTOR.name, aggregate_id=stream, seq=seq,
            at=clock.now(), actor=system("test"), raw=events.to_raw(message), **place,
        )  # fmt: skip
        self.listener.take([events.encode(event)])
        return event

    def furnish(self) -> None:
        """Bodies, the legal date, both packs."""
        upper = Body(body_id=UPPER, name="广东省局", kind="bureau", tier="province", code="粤")
        bureau = Body(body_id=BUREAU, parent_id=UPPER, name="江门市局", kind="bureau", tier="city", code="江")
        court = Body(body_id=COURT, name="蓬江区人民法院", kind="court", tier="basic", code="粤0703")
        for body, above in ((upper, []), (bureau, [UPPER]), (court, [])):
            self.hears("identity", BodyChanged(body=body, ancestor_ids=above), body.body_id)
        for root in (UPPER, COURT):
            self.moves(root, TODAY)
        for someone in (CLERK, JUDGE, REGISTRAR, OFFICER, LEADER, SUPERVISOR):
            self.knows(someone)
        for account in ("acc-zhao", "acc-qian"):
            self.account(account)
        self.publish(bundle(COURT_PACK), "civil")
        self.publish(bundle(BUREAU_PACK), "penalty")

    def knows(self, someone: Actor) -> None:
        """identity has told of a person in his posts."""
        posts = [Appointment(body_id=someone.body_id, role=role) for role in sorted(someone.roles)]
        card = Person(person_id=someone.person_id, name=someone.name, body_id=someone.body_id, state="active",
                      appointments=posts)  # fmt: skip
        self.hears("identity", PersonChanged(person=card), someone.person_id)

    def account(self, account_id: str, state: str = "confirmed") -> None:
        """identity has told what a counter made of an account, and the job has followed it."""
        self.hears("identity", AccountChanged(account_id=account_id, state=state), account_id)
        self.works()

    def works(self) -> None:
        """Do the jobs that wait, as the worker's child does."""
        table = schema.jobs
        with self.host.engine.begin() as connection:
            waiting = connection.execute(select(table).where(table.c.done_at.is_(None))).all()
            connection.execute(update(table).values(done_at=clock.now()))
        for job in waiting:
            ROOM.jobs[job.kind](self.host, job.payload)

    def moves(self, root: str, to: date) -> None:
        """The legal date of a tree."""
        self.hears("identity", LegalDateAdvanced(root_body_id=root, legal_on=to.isoformat()), root)

    def publish(self, data: bytes, pack_id: str, version: str = "1.0.0", valid_from: str = "2025-01-01") -> None:
        """A pack, as workflow stores and tells it."""
        objects.put_bytes(self.host.objects, data)
        fact = PackPublished(pack_id=pack_id, version=version, sha256=sha256_of(data), valid_from=valid_from)
        self.hears("workflow", fact, f"{pack_id}-{version}")

    def asks(self, effect: str, case: pb.SubmitFilingAnswer, on: date = TODAY, **params: Any) -> dict[str, Any]:
        """An effect as workflow asks for it; the answer's results, or {"refused": reason}."""
        return self.asks_again(clock.new_id(), effect, case, on, **params)

    def asks_again(
        self, effect_id: str, effect: str, case: pb.SubmitFilingAnswer, on: date = TODAY, **params: Any
    ) -> dict[str, Any]:
        """The same under an id of the caller's."""
        asked = EffectRequested(
            effect_id=effect_id, effect=effect, owner="intake", params=struct(params), visit_id="v", node_id="review"
        )
        with self.begin(CLERK) as uow:
            entry = uow.cases.get(case.case_id)
        self.hears("workflow", asked, case.case_id, case_id=case.case_id, body_id=entry.body_id, occurred_on=on,
                   pack_id=entry.procedure_id, pack_version=entry.pack_version)  # fmt: skip
        answer = self.told(effect_id)[-1].data
        return {"refused": answer.reason} if answer.DESCRIPTOR.name == "EffectRefused" else plain(answer.results)

    def told(self, stream: str) -> list[events.Event]:
        """What the room has told in a stream."""
        query = "select body from outbox where aggregate_id = %(stream)s order by seq"
        with self.begin(CLERK) as uow:
            rows = uow.connection.exec_driver_sql(query, {"stream": stream}).all()
        return [events.decode(bytes(row.body)) for row in rows]

    def submits(self, filing: pb.Filing, actor: Actor = CLERK) -> pb.SubmitFilingAnswer:
        """A filing handed in, its papers uploaded before."""
        uploads = self.uploaded(filing.materials, actor, filing.body_id)
        return submit_filing(self.begin(actor), self.packs, pb.SubmitFilingRequest(filing=filing), uploads)

    def corrects(
        self, request: pb.CorrectFilingRequest, actor: Actor, body_id: str = COURT
    ) -> pb.SubmitFilingAnswer:
        """补正, the papers uploaded before."""
        uploads = self.uploaded(request.materials, actor, body_id)
        return correct_filing(self.begin(actor), self.packs, request, uploads)

    def uploaded(self, materials: Iterable[pb.Material], actor: Actor, body_id: str) -> Sequence[Upload]:
        """What the archive tells the door of these, after the actor has sent the papers among them."""
        hashes = [m.sha256 for m in materials if m.sha256]
        for data in (PAPERS[one] for one in hashes if one in PAPERS):
            with suppress(NotAllowedError):  # who may not upload names it all the same
                self.archive.bring(actor, data, body_id if actor.kind == "party" else "")
        return ArchivedFiles(self.archive.address).sent(hashes, self.archive.token(actor))


def civil(**changed: Any) -> pb.Filing:
    """A complete civil filing of 赵一 against 钱二."""
    filing: dict[str, Any] = {
        "body_id": COURT, "procedure_id": "civil", "channel": "party", "title": "赵一诉钱二买卖合同纠纷",
        "cause": "买卖合同纠纷", "amount_in_dispute_fen": 1_000_000, "content": struct({"claim": "偿还货款"}),
        "parties": [
            pb.Party(role="plaintiff", kind="natural_person", name="赵一", id_kind="resident_id", id_number=ID_ZHAO,
                     account_id="acc-zhao", phone="13800000001"),
            pb.Party(role="defendant", kind="natural_person", name="钱二", id_kind="resident_id", id_number=ID_QIAN,
                     phone="13800000002"),
        ],
        "materials": [paper("complaint", "起诉状"), paper("identity", "身份证复印件")],
    }  # fmt: skip
    return pb.Filing(**filing | changed)


def report(**changed: Any) -> pb.Filing:
    """A report by name to the bureau."""
    filing: dict[str, Any] = {
        "body_id": BUREAU,
        "procedure_id": "penalty",
        "channel": "report",
        "title": "某超市销售过期食品",
        "content": struct({"claim": "销售过期食品", "source": "电话举报"}),
        "parties": [pb.Party(role="respondent", kind="organisation", name="某超市", id_kind="uscc", id_number=USCC)],
        "reporter": pb.Reporter(name="欧阳举报", phone="13912345678", address="某路1号"),
        "materials": [paper("report_record", "欧阳举报的举报信")],
    }
    return pb.Filing(**filing | changed)
