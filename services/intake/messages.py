"""The register's nouns as protobuf messages, and back. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from anjuan.intake.v1 import intake_pb2 as pb
from anjuan.kit.v1.cards_pb2 import IntakeCard, PartyCard
from services.intake.model.case import Case
from services.intake.model.filing import Defect, Draft, Material
from services.intake.model.link import CaseLink
from services.intake.model.notice import Notice
from services.intake.model.officers import Officer
from services.intake.model.people import Party, Reporter, Representative
from services.kit.effects import plain, struct

_OF_PARTY = ("party_id", "role", "kind", "name", "id_kind", "id_number", "address", "phone", "account_id")
_OF_REPRESENTATIVE = ("name", "kind", "id_number", "account_id")
_OF_REPORTER = ("name", "phone", "address", "account_id")
_OF_MATERIAL = ("material_id", "checklist_item", "name", "sha256", "size", "copies", "internal")
_OF_CASE = (
    "case_id", "body_id", "state", "procedure_id", "pack_version", "case_type_code", "title", "cause", "channel",
    "disposition", "secrecy_level", "amount_in_dispute_fen", "version",
)  # fmt: skip


def _these(thing: Any, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(thing, name) for name in names}


def _day(on: date | None) -> str:
    return on.isoformat() if on else ""


def draft_of(message: pb.Filing) -> Draft:
    """What was handed in; ids of new rows are left out, the register gives them."""
    return Draft(
        **_these(message, ("body_id", "procedure_id", "channel", "title", "cause", "amount_in_dispute_fen")),
        submitted_on=message.submitted_on, content=plain(message.content),
        parties=parties_of(message.parties), materials=materials_of(message.materials),
        reporter=Reporter(**_these(message.reporter, _OF_REPORTER)) if message.HasField("reporter") else None,
    )  # fmt: skip


def correction_of(message: pb.CorrectFilingRequest) -> Draft:
    """What a correction puts in; content None stays as it is."""
    return Draft(
        parties=parties_of(message.parties), materials=materials_of(message.materials),
        content=plain(message.content) if message.HasField("content") else None,
    )  # fmt: skip


def parties_of(messages: Sequence[pb.Party]) -> tuple[Party, ...]:
    """Rows as sent; numbers without blanks and in capitals."""
    return tuple(
        Party(**_these(m, _OF_PARTY) | {
            "id_number": _number(m.id_number),
            "representatives": tuple(
                Representative(**_these(r, _OF_REPRESENTATIVE) | {"id_number": _number(r.id_number)})
                for r in m.representatives
            ),
        })
        for m in messages
    )  # fmt: skip


def _number(text: str) -> str:
    return text.strip().upper()


def materials_of(messages: Sequence[pb.Material]) -> tuple[Material, ...]:
    """Rows as sent; without a number of copies it is one."""
    return tuple(Material(**_these(m, _OF_MATERIAL) | {"copies": m.copies or 1}) for m in messages)


def party_message(party: Party) -> pb.Party:
    """A party with its representatives."""
    representatives = [pb.Representative(**_these(r, _OF_REPRESENTATIVE)) for r in party.representatives]
    return pb.Party(**_these(party, _OF_PARTY), representatives=representatives)


def material_messages(materials: Sequence[Material], internal: bool) -> list[pb.Material]:
    """Materials, those of the 副卷 only with `internal`."""
    return [pb.Material(**_these(m, _OF_MATERIAL)) for m in materials if internal or not m.internal]


def defect_messages(defects: Sequence[Defect]) -> list[pb.Defect]:
    """Defects in their order."""
    return [pb.Defect(checklist_item=d.checklist_item, detail=d.detail) for d in defects]


def reporter_message(reporter: Reporter) -> pb.Reporter:
    """For views with view_internal, and the reporter's own."""
    return pb.Reporter(**_these(reporter, _OF_REPORTER))


def notice_message(notice: Notice) -> pb.DeficiencyNotice:
    """A notice as its receiver may read it."""
    return pb.DeficiencyNotice(
        notice_id=notice.notice_id, issued_on=_day(notice.issued_on), due_on=_day(notice.due_on),
        defects=defect_messages(notice.defects),
    )  # fmt: skip


def link_message(link: CaseLink) -> pb.CaseLink:
    """A link to another case."""
    return pb.CaseLink(
        **_these(link, ("link_id", "relation", "case_number", "reason")), case_id=link.linked_case_id,
        linked_on=_day(link.linked_on),
    )  # fmt: skip


def filing_message(case: Case, internal: bool = False) -> pb.Filing:
    """A filing, never with its reporter; source material only with `internal`."""
    filing = case.filing
    return pb.Filing(
        **_these(case, ("case_id", "body_id", "procedure_id", "channel", "title", "cause", "amount_in_dispute_fen")),
        filing_id=filing.filing_id, state=filing.state, version=case.version, submitted_on=_day(case.received_on),
        case_state=case.state, reported_by_name=filing.reported_by_name, content=struct(filing.content),
        parties=[party_message(p) for p in case.parties], materials=material_messages(case.materials, internal),
        defects=defect_messages(filing.defects), open_items=defect_messages(filing.open_items),
    )  # fmt: skip


def told_filing(case: Case) -> pb.Filing:
    """A filing as events tell it: archive files the source material by its hash, its name stays here."""
    nameless = tuple(replace(m, name="副卷材料") if m.internal else m for m in case.materials)
    return filing_message(replace(case, materials=nameless), internal=True)


def answer_message(case: Case) -> pb.SubmitFilingAnswer:
    """The receipt (收件回执): what is still missing is told at once."""
    return pb.SubmitFilingAnswer(
        filing_id=case.filing.filing_id, case_id=case.case_id, state=case.filing.state, version=case.version,
        open_items=defect_messages(case.filing.open_items),
    )  # fmt: skip


def case_message(
    case: Case, links: Sequence[CaseLink], officers: Sequence[tuple[Officer, str]], notices: Sequence[Notice],
    internal: bool = False,
) -> pb.Case:  # fmt: skip
    """The register's entry with who carries it; source material only with `internal`."""
    return pb.Case(
        **_these(case, _OF_CASE), case_number=case.case_number or "", received_on=_day(case.received_on),
        docketed_on=_day(case.docketed_on), closed_on=_day(case.closed_on), filing_id=case.filing.filing_id,
        filing_state=case.filing.state, notices=[notice_message(n) for n in notices],
        reported_by_name=case.filing.reported_by_name, parties=[party_message(p) for p in case.parties],
        materials=material_messages(case.materials, internal), links=[link_message(link) for link in links],
        officers=[pb.Officer(person_id=o.person_id, name=name, roles=o.roles) for o, name in officers],
    )  # fmt: skip


def card(case: Case, reporter_account_id: str, confirmed: Collection[str]) -> IntakeCard:
    """What every room knows of the case. A reporter's account is an opaque id; nothing else of him is in it.

    `confirmed`: the parties' accounts that open it in other rooms; the rest is told to none of them.
    """
    representatives = {r.account_id for p in case.parties for r in p.representatives} & set(confirmed)
    parties = [replace(p, account_id=p.account_id if p.account_id in confirmed else "") for p in case.parties]
    return IntakeCard(
        **_these(case, ("body_id", "state", "title", "procedure_id", "pack_version", "case_type_code", "cause",
                        "secrecy_level", "sealed", "involves_minor", "channel", "disposition", "version")),
        case_number=case.case_number or "", received_on=_day(case.received_on), docketed_on=_day(case.docketed_on),
        closed_on=_day(case.closed_on), reporter_account_id=reporter_account_id,
        parties=[PartyCard(**_these(p, ("party_id", "name", "role", "account_id"))) for p in parties],
        representative_account_ids=sorted(representatives),
    )  # fmt: skip
