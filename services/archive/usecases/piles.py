"""待认领: piles that no sheet puts anywhere are claimed for a case by a clerk, or set aside with a reason."""

from __future__ import annotations

from anjuan.archive.v1.archive_pb2 import ClaimScanPileRequest, DiscardScanPileRequest
from services.archive.model.pages import Page
from services.archive.model.scans import Pile
from services.archive.store import ArchiveUnit
from services.archive.store.packs import Packs
from services.archive.usecases.filing import file_pages, place_of
from services.archive.usecases.telling import open_case, record
from services.kit import access, clock
from services.kit.errors import ConflictError, InvalidInputError, NotFoundError, require_version
from services.kit.identity import Actor


def _waiting(uow: ArchiveUnit, actor: Actor, pile_id: str, if_version: int) -> Pile:
    """A pile that the caller may decide on, as it has read it."""
    pile = uow.piles.get(pile_id)
    if actor.kind != "staff" or not access.allowed(uow.connection, actor, "upload", body_id=pile.body_id):
        raise NotFoundError("没有这一叠扫描件")
    if pile.state != "unclaimed":
        raise ConflictError("这一叠扫描件已经处理")
    require_version(if_version, pile.version, "这一叠扫描件刚被他人处理，请刷新后再办")
    return pile


def _nobodys(uow: ArchiveUnit, pile: Pile) -> list[Page]:
    """Without those that have replaced a page already."""
    return [page for page in uow.pages.of_pile(pile.pile_id) if not page.case_id]


def claim_scan_pile(uow: ArchiveUnit, packs: Packs, actor: Actor, request: ClaimScanPileRequest) -> Pile:
    """The pile belongs to this case; its pages go to the end, or behind a page that is there.

    Raises:
        NotFoundError, CaseNotKnownError, NotAllowedError: not this caller's to decide.
        ConflictError: claimed already, or the dossier is archived.
        InvalidInputError: the case is another body's, or there is no such place in it.
    """
    with uow:
        access.require(uow.connection, actor, "upload", case_id=request.case_id)
        case = open_case(uow, request.case_id)
        pile = _waiting(uow, actor, request.pile_id, request.if_version)
        if case.body_id != pile.body_id:
            wrong = [{"pointer": "/case_id", "detail": "不是扫描机关的案件"}]
            raise InvalidInputError("这一叠扫描件由另一机关扫描，不能归入本案", wrong)
        place = place_of(uow, packs, case, request.volume, request.seq)
        if place[2]:
            access.require(uow.connection, actor, "view_internal", case_id=request.case_id)
        uow.piles.change(
            pile, state="filed", case_id=case.case_id, volume=place[0], seq=place[1], claimed_by=actor.person_id,
            claimed_by_name=actor.name, claimed_at=clock.now(), claim_note=request.note.strip(),
        )  # fmt: skip
        file_pages(uow, case, pile, _nobodys(uow, pile), place, request.after_page_id)
        record(uow, "claim_scan_pile", pile.pile_id, case, {"reason": pile.reason, "note": request.note.strip()})
        return uow.piles.get(pile.pile_id)


def discard_scan_pile(uow: ArchiveUnit, actor: Actor, request: DiscardScanPileRequest) -> Pile:
    """Set a pile aside (scanned twice, not ours); its bytes are kept.

    Raises:
        InvalidInputError: without reason.
    """
    if not request.reason.strip():
        raise InvalidInputError("请说明理由", [{"pointer": "/reason", "detail": "必填"}])
    with uow:
        pile = _waiting(uow, actor, request.pile_id, request.if_version)
        uow.piles.change(pile, state="discarded", claimed_by=actor.person_id, claimed_by_name=actor.name,
                         claimed_at=clock.now(), claim_note=request.reason.strip())  # fmt: skip
        uow.pages.change([page.page_id for page in _nobodys(uow, pile)], state="discarded")
        uow.record("discard_scan_pile", pile.pile_id, body_id=pile.body_id, detail={"reason": request.reason.strip()})
        return uow.piles.get(pile.pile_id)
