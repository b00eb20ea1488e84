"""The scene of this room's tests: two basic bodies below one upper, people of each width, and what owners tell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from typing import Any

from google.protobuf.message import Message
from sqlalchemy import delete, select

from anjuan.archive.v1.events_pb2 import PageChanged, PageFacts, PageRead
from anjuan.documents.v1.events_pb2 import InstrumentIssued, InstrumentServed
from anjuan.identity.v1.events_pb2 import BodyChanged
from anjuan.identity.v1.identity_pb2 import Body
from anjuan.intake.v1.events_pb2 import FilingSubmitted
from anjuan.kit.v1.cards_pb2 import ArchiveCard, IntakeCard, PartyCard, WorkflowCard
from anjuan.search.v1 import search_pb2 as pb
from anjuan.workflow.v1.events_pb2 import CaseAssigned
from services.kit import clock, events, run, schema
from services.kit.identity import Actor, system
from services.kit.inbox.streams import Listener
from services.search import views
from services.search.__main__ import ROOM
from services.search.index import Index, open_index
from services.search.usecases.indexing import index_changes

UPPER, HERE, THERE = "body-upper", "body-here", "body-there"
ANCESTORS: dict[str, list[str]] = {UPPER: [], HERE: [UPPER], THERE: [UPPER]}
TODAY = date(2025, 3, 3)


def staff(name: str, body: str, *roles: str, departments: Iterable[str] = ()) -> Actor:
    return Actor("staff", f"p-{name}", name, body, frozenset(roles), frozenset(departments))


JUDGE = staff("judge", HERE, "judge")
PRESIDENT = staff("president", HERE, "court_president")
CLERK = staff("clerk", HERE, "court_clerk", departments=["d-civil"])
REGISTRAR = staff("registrar", HERE, "registrar")
SCANNER = staff("scanner", HERE, "scanner")
NEIGHBOUR = staff("neighbour", THERE, "court_president")
ABOVE = staff("above", UPPER, "supervisor")
ABOVE_HEAD = staff("above-head", UPPER, "court_president")
ADMINISTRATOR = staff("administrator", HERE, "body_administrator")
OPERATOR = Actor("operator", "p-operator", "运维", "")
PARTY = Actor("party", "a-zhao", "赵一", account_id="a-zhao")
OTHER_PARTY = Actor("party", "a-qian", "钱二", account_id="a-qian")
REPORTER = Actor("party", "a-whistle", "欧阳举报", account_id="a-whistle")
EVERYBODY = (JUDGE, PRESIDENT, CLERK, REGISTRAR, SCANNER, NEIGHBOUR, ABOVE, ABOVE_HEAD, ADMINISTRATOR, PARTY,
             OTHER_PARTY, REPORTER)  # fmt: skip


def card(**more: Any) -> IntakeCard:
    told: dict[str, Any] = {"body_id": HERE, "state": "docketed", "procedure_id": "civil", "cause": "买卖合同纠纷",
                            "received_on": "2025-03-03", "docketed_on": "2025-03-05", "version": 1}  # fmt: skip
    return IntakeCard(**told | more)


def page(page_id: str, version: int = 1, **more: Any) -> PageFacts:
    told: dict[str, Any] = {"page_id": page_id, "version": version, "volume": "main", "volume_kind": "main",
                            "shown": True, "number": 1, "title": "扫描件.pdf", "state": "current", "source": "scan",
                            "received_at": "2025-03-06T08:00:00+00:00"}  # fmt: skip
    return PageFacts(**told | more)


@dataclass
class Scene:
    """The room at work: `hears` takes facts through the real inbox."""

    host: run.Host
    seqs: dict[tuple[str, str], Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.listener = Listener.of(ROOM, self.host)
        for body_id, above in ANCESTORS.items():
            body = Body(body_id=body_id, name=f"{body_id}法院", kind="court", tier="basic", code=body_id)
            self.hears("identity", BodyChanged(body=body, ancestor_ids=above), body_id)

    @property
    def index(self) -> Index:
        return open_index(self.host.settings.search)

    def fact(self, source: str, message: Message, stream: str, case_id: str = "") -> bytes:
        """A fact of `source`, next in its stream, as it travels."""
        seq = next(self.seqs.setdefault((source, stream), count(1)))
        return events.encode(events.Event(
            event_id=clock.new_id(), source=source, type=message.DESCRIPTOR.name, aggregate_id=stream, seq=seq,
            occurred_on=TODAY, at=clock.now(), actor=system("test"), raw=events.to_raw(message), case_id=case_id,
        ))  # fmt: skip

    def hears(self, source: str, message: Message, stream: str, case_id: str = "") -> None:
        self.listener.take([self.fact(source, message, stream, case_id)])

    def case(self, case_id: str, title: str, *, parties: Iterable[tuple[str, str]] = (), **more: Any) -> None:
        """intake tells of a case; parties are (name, account)."""
        told = [PartyCard(party_id=f"{case_id}-{n}", name=name, role="plaintiff", account_id=account)
                for n, (name, account) in enumerate(parties)]  # fmt: skip
        self.hears("intake", FilingSubmitted(card=card(title=title, parties=told, **more)), case_id, case_id)

    def assign(self, case_id: str, *officers: Actor, department: str = "") -> None:
        """workflow tells who works on it."""
        ids = [officer.person_id for officer in officers]
        told = CaseAssigned(card=WorkflowCard(officer_ids=ids, department_id=department))
        self.hears("workflow", told, case_id, case_id)

    def instrument(self, case_id: str, instrument_id: str, title: str, text: str, **more: Any) -> None:
        told = InstrumentIssued(instrument_id=instrument_id, title=title, text=text, issued_on="2025-04-01", **more)
        self.hears("documents", told, case_id, case_id)

    def serve(self, case_id: str, instrument_id: str, *accounts: str) -> None:
        told = InstrumentServed(instrument_id=instrument_id, serving_id=f"s-{instrument_id}-{accounts}",
                                account_ids=accounts)  # fmt: skip
        self.hears("documents", told, case_id, case_id)

    def page(self, case_id: str, facts: PageFacts, text: str) -> None:
        told = PageRead(page_id=facts.page_id, page=facts, text=text, card=ArchiveCard(dossier_state="open"))
        self.hears("archive", told, case_id, case_id)

    def change_page(self, case_id: str, facts: PageFacts, text: str, read: bool = True) -> None:
        told = PageChanged(page_id=facts.page_id, page=facts, text=text, read=read, card=ArchiveCard())
        self.hears("archive", told, case_id, case_id)

    def catch_up(self) -> None:
        """What the worker does when jobs wait."""
        waiting = select(schema.jobs.c.job_id).where(schema.jobs.c.done_at.is_(None))
        with self.host.engine.begin() as connection:
            due = connection.execute(waiting).scalars().all()
            connection.execute(delete(schema.jobs).where(schema.jobs.c.job_id.in_(due)))
        if due:
            index_changes(self.host, {})

    def search(self, actor: Actor, text: str, **more: Any) -> pb.SearchAnswer:
        request = pb.SearchRequest(text=text, **more)
        return views.search(self.host.begin(actor), self.index, request)

    def found(self, actor: Actor, text: str, **more: Any) -> list[str]:
        """Ids of everything found, page after page."""
        seen: list[str] = []
        cursor = ""
        while True:
            answer = self.search(actor, text, cursor=cursor, limit=2, **more)
            seen += [hit.document_id for hit in answer.hits]
            if not (cursor := answer.next_cursor):
                assert len(set(seen)) == len(seen) == answer.total
                return seen
