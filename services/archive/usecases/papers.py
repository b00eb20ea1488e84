"""Papers: instruments as issued, receipts of their serving, materials of the filing. A job makes pages of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from anjuan.archive.v1.events_pb2 import PagesReceived
from services.archive.model import catalogue
from services.archive.model.pages import Page
from services.archive.model.reading import Reading
from services.archive.model.volumes import Paper
from services.archive.store import ArchiveUnit
from services.archive.store.cases import CaseCard
from services.archive.store.packs import Packs
from services.archive.usecases.contents import pieces
from services.archive.usecases.facts import tell_readings
from services.archive.usecases.filing import positions_behind
from services.archive.usecases.reading import AHEAD, want_readings
from services.archive.usecases.telling import card, is_archived, record, tell
from services.kit import clock, jobs
from services.kit.errors import RuleRefusedError
from services.kit.events import Event
from services.kit.objects import put_bytes, sha256_key
from services.kit.procedure.model import Pack, VolumeItem
from services.kit.run import Host

FILE, MATERIALS = "file_paper", "file_materials"
RECEIPT = "送达回证"
Made = tuple[Page, Reading | None]


def file_instrument(uow: ArchiveUnit, packs: Packs, event: Event) -> None:
    """InstrumentIssued: into the place that the pack names, else where its catalogue takes it."""
    told = event.data
    pack = packs.pinned(uow.connection, (event.pack_id, event.pack_version))
    volume, seq = told.volume, told.catalogue_seq
    if not any(rule.id == volume for rule in pack.volumes):
        volume, seq = place(pack, told.internal, lambda takes: told.instrument in takes.instruments)
    _want(uow, Paper(
        paper_id=told.instrument_id, case_id=event.case_id, body_id=event.body_id, source="instrument",
        source_id=told.instrument_id, volume=volume, seq=seq, is_internal=told.internal or _internal(pack, volume),
        title=told.title, number=told.number, dated=told.issued_on, sha256=told.pdf_sha256, state="waiting", reason="",
    ))  # fmt: skip


def expect_instruments(uow: ArchiveUnit, case_id: str, body_id: str, results: Mapping[str, Any]) -> None:
    """Instruments that effects have issued: a volume waits for their own room to tell them here."""
    answers = [told for told in results.values() if isinstance(told, Mapping)]
    for told in (one for one in answers if {"instrument_id", "sha256"} <= one.keys()):
        instrument_id, number = str(told["instrument_id"]), str(told.get("number", ""))
        uow.papers.add(Paper(
            paper_id=instrument_id, case_id=case_id, body_id=body_id, source="instrument", source_id=instrument_id,
            volume="", seq=0, is_internal=False, title=number, number=number, dated="", sha256=str(told["sha256"]),
            state="expected", reason="",
        ))  # fmt: skip


def expect_receipt(uow: ArchiveUnit, case_id: str, body_id: str, told: Mapping[str, Any]) -> None:
    """A proven serving that the procedure has waited for: a volume waits for documents to tell its proof here."""
    proof = str(told.get("proof_sha256") or "")
    if told.get("source") == "documents" and told.get("serving_id") and uow.uploads.came_to(proof, body_id):
        uow.papers.add(Paper(
            paper_id=receipt_id(told["serving_id"], proof), case_id=case_id, body_id=body_id,
            source="instrument", source_id=told["serving_id"], volume="", seq=0, is_internal=False, title=RECEIPT,
            number=str(told.get("number", "")), dated="", sha256=proof, state="expected", reason="",
        ))  # fmt: skip


def receipt_id(serving_id: str, proof_sha256: str) -> str:
    """One paper for each proof of a serving."""
    return f"{serving_id}:{proof_sha256[:16]}"


def file_receipt(uow: ArchiveUnit, event: Event, dated: str) -> None:
    """InstrumentServed, InstrumentPublished: the proof stands behind its instrument."""
    told = event.data
    uow.receipts.proven(event.case_id, told.instrument_id, told.party_id)
    of = uow.papers.find(told.instrument_id)
    paper_id = receipt_id(told.serving_id, told.proof_sha256)
    # a hash alone opens nothing: the bytes must have come to this body
    if told.proof_sha256 and of is not None and uow.uploads.came_to(told.proof_sha256, event.body_id):
        _want(uow, Paper(
            paper_id=paper_id, case_id=event.case_id, body_id=event.body_id, source="instrument", source_id=paper_id,
            volume=of.volume, seq=of.seq, is_internal=of.is_internal, title=f"{of.title} {RECEIPT}", number=of.number,
            dated=dated, sha256=told.proof_sha256, state="waiting", reason="",
        ))  # fmt: skip


def file_materials(uow: ArchiveUnit, packs: Packs, case_id: str) -> None:
    """Materials of a docketed case that are here, and that the catalogue has a place for."""
    case = uow.cases.find(case_id)
    if case is None or not case.docketed_on or is_archived(uow, case_id):
        return
    pack = packs.pinned(uow.connection, case.pack)
    for file in uow.case_files.brought(case_id):
        volume, seq = place(pack, file.is_internal, lambda takes, file=file: file.checklist_item in takes.materials)
        if volume:
            _want(uow, Paper(
                paper_id=f"{case_id}:{file.sha256}", case_id=case_id, body_id=case.body_id, source="material",
                source_id=file.sha256, volume=volume, seq=seq, is_internal=_internal(pack, volume), title=file.name,
                number="", dated="", sha256=file.sha256, state="waiting", reason="",
            ))  # fmt: skip


def file_late_materials(host: Host, payload: Mapping[str, Any]) -> None:
    """Job: bytes of a material have come after its filing."""
    uow: ArchiveUnit = host.begin_as_system(MATERIALS)
    with uow:
        file_materials(uow, Packs(host.objects), str(payload["case_id"]))


def place(pack: Pack, is_internal: bool, takes: Any) -> tuple[str, int]:
    """Volume and line by the catalogue, what is internal in 副卷 only; else the rest of such a volume; else none."""
    kinds = ("internal",) if is_internal else ("main", "internal")
    rules = [rule for kind in kinds for rule in pack.volumes if rule.kind == kind]
    lines: Sequence[tuple[str, str, VolumeItem]] = [(rule.id, rule.kind, item) for rule in rules for item in rule.takes]
    named = [(volume, item.seq) for volume, _, item in lines if takes(item)]
    rest = [(volume, item.seq) for volume, kind, item in lines if item.rest and kind == kinds[0]]
    return (named or rest or [("", 0)])[0]


def _internal(pack: Pack, volume: str) -> bool:
    return bool(volume) and catalogue.rule_of(pack, volume).kind == "internal"


def _want(uow: ArchiveUnit, paper: Paper) -> None:
    if uow.papers.add(paper):
        jobs.add(uow, FILE, {"paper_id": paper.paper_id}, run_at=clock.now() - AHEAD)


def file_paper(host: Host, payload: Mapping[str, Any]) -> None:
    """Job: pages of one paper, at the end of its place. Safe to run twice."""
    uow: ArchiveUnit = host.begin_as_system(FILE)
    with uow:
        paper = uow.papers.get(str(payload["paper_id"]))
    if paper.state != "waiting":
        return
    try:
        made = _pages(host, paper)
    except RuleRefusedError as refusal:
        with uow:
            uow.papers.change(paper.paper_id, state="kept", reason=refusal.detail)
        return
    with uow:
        uow.lock(paper.case_id)
        if uow.papers.get(paper.paper_id).state != "waiting":
            return
        if is_archived(uow, paper.case_id):
            uow.papers.change(paper.paper_id, state="kept", reason="卷宗已归档，此后形成的文件不再入卷")
            return
        _file(uow, uow.cases.get(paper.case_id), paper, made)


def _pages(host: Host, paper: Paper) -> list[Made]:
    from services.archive.optics.papers import kind_of, sheets
    from services.archive.optics.pictures import thumbnail

    made: list[Made] = []
    key = sha256_key(paper.sha256)
    media_type = kind_of(host.objects.get(key, 0, 16))
    for number, sheet in enumerate(sheets(pieces(host.objects, key)), 1):
        small = put_bytes(host.objects, thumbnail(sheet.picture), "image/jpeg")
        page = Page(
            page_id=clock.new_id(), batch_id="", pile_id="", body_id=paper.body_id, case_id=paper.case_id,
            number=number, kind="page", sha256=put_bytes(host.objects, sheet.picture, "image/jpeg"),
            media_type="image/jpeg", width=sheet.width, height=sheet.height, dpi=sheet.dpi, turned=0, is_hidden=False,
            is_internal=paper.is_internal, volume=paper.volume, seq=paper.seq, position=0, state="current",
            replaced_by="", replaces="", thumbnail_sha256=small, volume_id="", page_number=0,
            received_at=clock.now(), version=1, source=paper.source, source_id=paper.source_id,
            title=f"{paper.title} {paper.number}".strip(), master_sha256=paper.sha256, master_media_type=media_type,
        )  # fmt: skip
        made.append((page, sheet.reading))
    return made


def _file(uow: ArchiveUnit, case: CaseCard, paper: Paper, made: Sequence[Made]) -> None:
    spots = positions_behind(uow, case.case_id, "", len(made))
    today = uow.legal_on(paper.body_id)
    pages = [replace(page, received_on=today) for page, _ in made]
    uow.pages.add(pages)
    ids = [page.page_id for page in pages]
    uow.pages.place(dict(zip(ids, spots, strict=True)))
    for page, reading in made:
        if reading is not None:
            uow.readings.put(page.sha256, 0, reading)
    uow.papers.change(paper.paper_id, state="filed")
    tell(uow, case, PagesReceived(pages=len(ids), volume=paper.volume, seq=paper.seq, page_ids=ids,
                                  card=card(uow, case.case_id)))  # fmt: skip
    tell_readings(uow, ids)
    want_readings(uow, pages)
    record(uow, "file_paper", paper.paper_id, case, {"pages": len(ids), "volume": paper.volume, "seq": paper.seq})
