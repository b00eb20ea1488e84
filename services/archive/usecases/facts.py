"""What others are told of a page; each telling has the page's next version, and the export gives the same."""

from __future__ import annotations

from collections.abc import Iterable

from anjuan.archive.v1.archive_pb2 import ExportPagesAnswer, ExportPagesRequest, PageRow
from anjuan.archive.v1.events_pb2 import PageChanged, PageFacts, PageRead
from services.archive.model.catalogue import kind_of
from services.archive.model.pages import Page
from services.archive.store import ArchiveUnit
from services.archive.store.cases import CaseCard
from services.archive.usecases.telling import card, tell
from services.kit import access
from services.kit.errors import InvalidInputError
from services.kit.identity import Actor

MOST_ROWS = 500


def page_facts(page: Page) -> PageFacts:
    """A page as it was last told, or is told now."""
    return PageFacts(
        page_id=page.page_id, batch_id=page.batch_id, sha256=page.sha256, volume=page.volume, seq=page.seq,
        internal=page.is_internal, shown=page.is_shown, volume_id=page.volume_id, page_number=page.page_number,
        number=page.number, volume_kind=kind_of(page.volume, page.is_internal), state=page.state,
        hidden=page.is_hidden, source=page.source, source_id=page.source_id, title=page.title,
        received_at=page.received_at.isoformat(), version=page.told,
        received_on=page.received_on.isoformat() if page.received_on else "",
    )  # fmt: skip


def tell_readings(uow: ArchiveUnit, page_ids: Iterable[str]) -> None:
    """What is already read on pages of a case; the case is locked by the caller."""
    for page_id in page_ids:
        page = uow.pages.get(page_id)
        found = None if page.kind == "cover" else uow.readings.find(page.sha256, page.turned)
        if found is not None:
            case = uow.cases.get(page.case_id)
            facts = page_facts(uow.pages.telling(page_id))
            tell(uow, case, PageRead(page_id=page_id, page=facts, text=found.text, confidence=found.confidence,
                                     card=card(uow, page.case_id)))  # fmt: skip


def tell_changed(uow: ArchiveUnit, case: CaseCard, page_ids: Iterable[str], state: str = "") -> None:
    """Each page as it is now; `state` of the dossier when this act changes it."""
    archive_card = card(uow, case.case_id, state)
    for page_id in page_ids:
        page = uow.pages.telling(page_id)
        found = uow.readings.find(page.sha256, page.turned)
        fact = PageChanged(page_id=page_id, page=page_facts(page), read=found is not None, card=archive_card)
        if found is not None:
            fact.text, fact.confidence = found.text, found.confidence
        tell(uow, case, fact)


def export_pages(uow: ArchiveUnit, actor: Actor, request: ExportPagesRequest) -> ExportPagesAnswer:
    """Pages with their texts, for whoever rebuilds an index; operators and the platform itself.

    Raises:
        NotAllowedError.
        InvalidInputError: the limit.
    """
    limit = request.limit or 200
    if not 0 < limit <= MOST_ROWS:
        raise InvalidInputError("每次条数有误", [{"pointer": "/limit", "detail": f"须为 1 至 {MOST_ROWS}"}])
    with uow:
        if actor.kind != "system":
            access.require(uow.connection, actor, "operate")
        found = uow.pages.read_after(request.after_id, limit)
        uow.record("export_pages", request.after_id, detail={"rows": len(found)})
    rows = [
        PageRow(page_id=page.page_id, case_id=page.case_id, body_id=page.body_id, version=page.told,
                page=page_facts(page), text=text, confidence=confidence)
        for page, text, confidence in found
    ]  # fmt: skip
    return ExportPagesAnswer(rows=rows, next_after_id=rows[-1].page_id if len(rows) == limit else "")
