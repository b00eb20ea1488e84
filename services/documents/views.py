"""Read-only: instruments as far as the caller may see them, and their bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, or_, select, true
from sqlalchemy import cast as bind
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Text

from anjuan.documents.v1 import documents_pb2 as pb
from services.documents.model.approval import next_seat, person_of, seats
from services.documents.model.fields import instrument_rule, missing
from services.documents.model.instrument import DOCX, Instrument
from services.documents.model.serving import Serving
from services.documents.store import DocumentsUnit
from services.documents.store.instruments import UNKNOWN, instrument_of
from services.documents.store.packs import Packs
from services.documents.tables import instruments, servings
from services.kit import paging, schema
from services.kit.access import allowed, case_filter, require
from services.kit.effects import struct
from services.kit.errors import CaseNotKnownError, InvalidInputError, NotAllowedError, NotFoundError
from services.kit.identity import Actor

LIMIT, MOST = 20, 100
STATES = ("", "draft", "approved", "issuing", "issued")


def visible(actor: Actor) -> ColumnElement[bool]:
    """Rows of instruments (joined with their case cards) that the actor may see.

    Parties: what was served on them, and what is on its electronic way to them. Staff who may only view the case
    (supervisors, upper tiers): what is issued. The internal volume: who may view that.
    """
    t, issued = instruments.c, instruments.c.state == "issued"
    outer = and_(t.is_internal == false(), issued)
    if actor.kind == "party":
        return and_(case_filter(actor, "view_case"), outer, _served_on(actor.account_id))
    open_to = or_(case_filter(actor, "view_dossier"), and_(case_filter(actor, "view_case"), issued))
    return and_(true(), open_to, or_(t.is_internal == false(), case_filter(actor, "view_internal")))


def _served_on(account_id: str) -> ColumnElement[bool]:
    s = servings.c
    mine = s.account_ids.bool_op("@>")(bind([account_id], ARRAY(Text)))
    here = or_(s.state == "served", and_(s.method == "electronic", s.state == "started"))
    found = select(s.serving_id).where(s.instrument_id == instruments.c.instrument_id, mine, here)
    return and_(func.length(account_id) > 0, found.exists())


def find(uow: DocumentsUnit, packs: Packs, instrument_id: str) -> Instrument:
    """One instrument; whose turn it is to sign it may see it too.

    Raises:
        CaseNotKnownError: unknown, or not the caller's to see.
    """
    actor = uow.cause.actor
    found = uow.instruments.get(instrument_id)
    joined = instruments.join(schema.case_card, schema.case_card.c.case_id == instruments.c.case_id)
    query = select(instruments.c.instrument_id).select_from(joined)
    seen = query.where(instruments.c.instrument_id == instrument_id, visible(actor))
    if uow.connection.execute(seen).first() is None and not _may_sign(uow, packs, found):
        raise CaseNotKnownError(UNKNOWN)
    return found


def _may_sign(uow: DocumentsUnit, packs: Packs, found: Instrument) -> bool:
    actor = uow.cause.actor
    if actor.kind != "staff":
        return False
    case, pack = uow.cases.get(found.case_id), packs.pinned(uow.connection, found.pack)
    wanted = seats(pack, instrument_rule(pack, found.instrument), case)
    seat = next_seat(wanted, uow.instruments.signatures(found.instrument_id))
    person, on = person_of(actor, uow.cases.person(actor.person_id)), uow.legal_on(found.body_id)
    fits = seat is not None and seat.fits(person, case, on)
    return fits and allowed(uow.connection, actor, "work_case", case_id=found.case_id, candidate=True)


def get_instrument(uow: DocumentsUnit, packs: Packs, instrument_id: str) -> pb.Instrument:
    """One instrument whole."""
    return shown(uow, packs, find(uow, packs, instrument_id))


def list_instruments(uow: DocumentsUnit, request: pb.ListInstrumentsRequest) -> pb.ListInstrumentsAnswer:
    """The newest first, a page at a time; versions, fields and signatures are in the single view alone."""
    if request.state not in STATES:
        raise InvalidInputError("没有这种状态", [{"pointer": "/state", "detail": f"应为{'、'.join(STATES[1:])}之一"}])
    limit = min(request.limit or LIMIT, MOST)
    t = instruments.c
    joined = instruments.join(schema.case_card, schema.case_card.c.case_id == t.case_id)
    query = select(instruments).select_from(joined).where(visible(uow.cause.actor))
    for column, wanted in ((t.case_id, request.case_id), (t.state, request.state)):
        query = query.where(column == wanted) if wanted else query
    key = paging.after(request.cursor)
    query = query.where(t.instrument_id < key[0]) if key else query
    rows = uow.connection.execute(query.order_by(t.instrument_id.desc()).limit(limit + 1)).mappings().all()
    page = [instrument_of(row) for row in rows[:limit]]
    cursor = paging.cursor(page[-1].instrument_id) if len(rows) > limit else ""
    begun = uow.servings.of([i.instrument_id for i in page])
    own = {i.instrument_id: [s for s in begun if s.instrument_id == i.instrument_id] for i in page}
    papers = [paper(uow.cause.actor, i, own[i.instrument_id]) for i in page]
    return pb.ListInstrumentsAnswer(instruments=papers, next_cursor=cursor)


def paper(actor: Actor, i: Instrument, servings_of_it: Sequence[Serving]) -> pb.Instrument:
    """What everybody who may see it sees, a party of the servings only its own; lists show this much."""
    found = pb.Instrument(
        instrument_id=i.instrument_id, case_id=i.case_id, body_id=i.body_id, instrument=i.instrument, title=i.title,
        state=i.state, number=i.number, issued_on=i.issued_on.isoformat() if i.issued_on else "",
        pdf_sha256=i.pdf_sha256, pages=i.pages, version=i.version, internal=i.is_internal, volume=i.volume,
    )  # fmt: skip
    all_of_them = actor.kind != "party"
    found.servings.extend(
        shown_serving(s) for s in servings_of_it if all_of_them or actor.account_id in s.account_ids
    )
    return found


def shown(uow: DocumentsUnit, packs: Packs, i: Instrument) -> pb.Instrument:
    """One instrument whole, for those inside."""
    actor = uow.cause.actor
    found = paper(actor, i, uow.servings.of([i.instrument_id]))
    if actor.kind == "party":
        return found
    found.approved_sha256, found.reason = i.approved_sha256, i.reason
    found.fields.CopyFrom(struct(i.fields))
    found.versions.extend(
        pb.Version(number=v.number, sha256=v.sha256, made_at=v.made_at.isoformat(), made_by=v.made_by,
                   made_by_name=v.made_by_name, origin=v.origin)
        for v in uow.instruments.versions(i.instrument_id)
    )  # fmt: skip
    _show_signing(uow, packs, i, found)
    return found


def _show_signing(uow: DocumentsUnit, packs: Packs, i: Instrument, found: pb.Instrument) -> None:
    signed = uow.instruments.signatures(i.instrument_id)
    found.signatures.extend(
        pb.Signature(person_id=s.person_id, person_name=s.person_name, role=s.role, signed_at=s.signed_at.isoformat(),
                     sha256=s.sha256)
        for s in signed
    )  # fmt: skip
    if i.state == "issued":
        return
    case, pack = uow.cases.get(i.case_id), packs.pinned(uow.connection, i.pack)
    rule = instrument_rule(pack, i.instrument)
    found.missing_fields.extend([*missing(pack, rule, case, i.fields, i.marked), *i.unsettled])
    seat = next_seat(seats(pack, rule, case), signed)
    found.next_signer = seat.title if seat else ""


def shown_serving(serving: Serving) -> pb.Serving:
    """A serving as message."""
    told: dict[str, Any] = {k: v for k, v in asdict(serving).items() if k in pb.Serving.DESCRIPTOR.fields_by_name}
    days = {k: told[k].isoformat() if told[k] else "" for k in ("started_on", "served_on", "left_on")}
    return pb.Serving(**told | days, abroad=serving.is_abroad, provisional=serving.is_provisional)


def export_instruments(uow: DocumentsUnit, request: pb.ExportInstrumentsRequest) -> pb.ExportInstrumentsAnswer:
    """Every issued instrument as its events told it, for an index that is built anew; operators only."""
    require(uow.connection, uow.cause.actor, "operate")
    limit, t = min(max(request.limit, 0) or 200, 500), instruments.c
    issued = select(instruments).where(t.state == "issued", t.instrument_id > request.after_id)
    rows = uow.connection.execute(issued.order_by(t.instrument_id).limit(limit)).mappings()
    page = [instrument_of(row) for row in rows]
    served = [s for s in uow.servings.of([i.instrument_id for i in page]) if s.state == "served"]
    told = [_exported(i, uow.instruments.text_told(i), served) for i in page]
    return pb.ExportInstrumentsAnswer(rows=told, next_after_id=page[-1].instrument_id if len(page) == limit else "")


def _exported(i: Instrument, text: str, served: Sequence[Serving]) -> pb.InstrumentExport:
    own = [s for s in served if s.instrument_id == i.instrument_id]
    return pb.InstrumentExport(
        instrument_id=i.instrument_id, case_id=i.case_id, title=i.title, number=i.number, internal=i.is_internal,
        issued_on=i.issued_on.isoformat() if i.issued_on else "", text=text,
        served=[pb.ServedExport(serving_id=s.serving_id, account_ids=s.account_ids) for s in own],
    )  # fmt: skip


def get_content(uow: DocumentsUnit, packs: Packs, request: pb.GetContentRequest) -> pb.Content:
    """The PDF, or a docx version; the reading is recorded.

    Raises:
        CaseNotKnownError, NotAllowedError: not the caller's to see; drafts and docx are the dossier's readers' alone.
        NotFoundError: not issued yet, or no such version.
    """
    with uow:
        found = find(uow, packs, request.instrument_id)
        if request.format == "docx":
            sha256 = _docx(uow, packs, found, request.number)
        elif request.format in ("", "pdf"):
            sha256 = found.pdf_sha256
        else:
            raise InvalidInputError("没有这种格式", [{"pointer": "query:format", "detail": "应为 pdf 或 docx"}])
        if not sha256:
            raise NotFoundError(f"《{found.title}》尚未制发，还没有 PDF；可下载 docx 稿")
        uow.record("read_instrument", found.instrument_id, case_id=found.case_id, body_id=found.body_id,
                   detail={"sha256": sha256, "format": request.format or "pdf"})  # fmt: skip
    kind = request.format or "pdf"
    return pb.Content(
        content=packs.objects_of(sha256), media_type=DOCX if kind == "docx" else "application/pdf",
        file_name=f"{found.title}{found.number}.{kind}",
    )  # fmt: skip


def _docx(uow: DocumentsUnit, packs: Packs, found: Instrument, number: int) -> str:
    actor = uow.cause.actor
    reads = allowed(uow.connection, actor, "view_dossier", case_id=found.case_id)
    if actor.kind == "party" or not (reads or _may_sign(uow, packs, found)):
        raise NotAllowedError("您只能下载已制发文书的 PDF")
    if number == 0 and found.docx_sha256:
        return found.docx_sha256
    versions = uow.instruments.versions(found.instrument_id)
    chosen = [v for v in versions if v.number == (number or len(versions))]
    if not chosen:
        raise NotFoundError("没有这一稿")
    return chosen[0].sha256
