"""Putting a dossier in order before it is bound: places, order, turned and hidden pages, pages scanned anew."""

from __future__ import annotations

from collections.abc import Sequence

from anjuan.archive.v1.archive_pb2 import ArrangePageRequest, OrderPagesRequest, ReplacePageRequest
from services.archive.model.pages import Page
from services.archive.store import ArchiveUnit
from services.archive.store.cases import CaseCard
from services.archive.store.packs import Packs
from services.archive.usecases.facts import tell_changed
from services.archive.usecases.filing import place_of
from services.archive.usecases.reading import want_readings
from services.archive.usecases.telling import open_case, record
from services.kit import access
from services.kit.errors import ConflictError, InvalidInputError, NotFoundError, require_version
from services.kit.identity import Actor


def may_arrange(uow: ArchiveUnit, actor: Actor, case_id: str, *, internal: bool) -> None:
    """Whoever puts pages in order sees them and may bring them.

    Raises:
        CaseNotKnownError, NotAllowedError.
    """
    for action in ("view_dossier", "upload", *(["view_internal"] if internal else [])):
        access.require(uow.connection, actor, action, case_id=case_id)


def _open_page(uow: ArchiveUnit, actor: Actor, page_id: str, if_version: int) -> tuple[CaseCard, Page]:
    """A current page of an open dossier as the caller has read it, not bound, its case locked."""
    before = uow.pages.get(page_id)
    if not before.case_id:
        raise ConflictError("这一页尚未归入案件，请先认领")
    may_arrange(uow, actor, before.case_id, internal=before.is_internal)
    case = open_case(uow, before.case_id)
    page = uow.pages.get(page_id)
    if page.state != "current" or page.case_id != before.case_id:
        raise ConflictError("这一页已被替换，请刷新后再办")
    _check_unbound(uow, [page])
    require_version(if_version, page.version, "这一页刚被他人改动，请刷新后再办")
    return case, page


def _check_unbound(uow: ArchiveUnit, pages: Sequence[Page]) -> None:
    if any(page.volume_id for page in pages):
        raise ConflictError("该页已装订成卷，不能再改动；补充的材料另行编目，装入下一册")
    case_ids = {page.case_id for page in pages if page.case_id}
    frozen = {i for case_id in case_ids for v in uow.volumes.of_case(case_id, "binding") for i in v.page_ids}
    if frozen.intersection(page.page_id for page in pages):
        raise ConflictError("该页所在的卷正在装订，请稍后再看")


def arrange_page(uow: ArchiveUnit, packs: Packs, actor: Actor, request: ArrangePageRequest) -> Page:
    """Put a page into a catalogue item, turn it, hide or show it.

    Raises:
        CaseNotKnownError, NotAllowedError, NotFoundError, VersionMissingError, PreconditionError.
        ConflictError: bound, replaced, or the dossier is archived.
        InvalidInputError: no such place, or not a quarter turn.
    """
    if request.turned not in (0, 90, 180, 270):
        wrong = [{"pointer": "/turned", "detail": "须为 0、90、180 或 270"}]
        raise InvalidInputError("旋转角度有误", wrong)
    with uow:
        case, page = _open_page(uow, actor, request.page_id, request.if_version)
        volume, seq, is_internal = place_of(uow, packs, case, request.volume, request.seq)
        if is_internal != page.is_internal:
            may_arrange(uow, actor, case.case_id, internal=True)
        uow.pages.change([page.page_id], volume=volume, seq=seq, is_internal=is_internal, is_hidden=request.hidden,
                         turned=request.turned)  # fmt: skip
        tell_changed(uow, case, [page.page_id])
        after = uow.pages.get(page.page_id)
        if (after.turned, after.is_hidden) != (page.turned, page.is_hidden):
            want_readings(uow, [after])
        record(uow, "arrange_page", page.page_id, case, {"volume": volume, "seq": seq, "hidden": request.hidden,
                                                         "turned": request.turned})  # fmt: skip
        return after


def order_pages(uow: ArchiveUnit, packs: Packs, actor: Actor, request: OrderPagesRequest) -> int:
    """A new order for all pages of one place; how many stand elsewhere now.

    Raises:
        CaseNotKnownError, NotAllowedError.
        ConflictError: others have brought or taken pages meanwhile, or the place is bound.
    """
    with uow:
        case = open_case(uow, request.case_id)
        volume, seq, is_internal = place_of(uow, packs, case, request.volume, request.seq)
        may_arrange(uow, actor, case.case_id, internal=is_internal)
        here = [p for p in uow.pages.of_case(case.case_id) if (p.volume, p.seq) == (volume, seq)]
        if sorted(request.page_ids) != sorted(p.page_id for p in here):
            raise ConflictError("该目录项的页已有变化，请刷新后重新排序")
        _check_unbound(uow, here)
        spots = sorted(page.position for page in here)
        moved = dict(zip(request.page_ids, spots, strict=True))
        changed = {p.page_id: moved[p.page_id] for p in here if p.position != moved[p.page_id]}
        uow.pages.place(changed)
        if changed:
            tell_changed(uow, case, changed)
            record(uow, "order_pages", case.case_id, case, {"volume": volume, "seq": seq,
                                                            "pages": list(request.page_ids)})  # fmt: skip
        return len(changed)


def replace_page(uow: ArchiveUnit, actor: Actor, request: ReplacePageRequest) -> Page:
    """A page scanned anew takes the place of another, which is kept and no longer shown.

    Raises:
        CaseNotKnownError, NotAllowedError, NotFoundError, VersionMissingError, PreconditionError.
        ConflictError: bound, replaced already, or the new one belongs elsewhere.
        InvalidInputError: without reason.
    """
    if not request.reason.strip():
        raise InvalidInputError("请说明重扫的原因", [{"pointer": "/reason", "detail": "必填"}])
    with uow:
        case, old = _open_page(uow, actor, request.page_id, request.if_version)
        new = _fitting(uow, actor, old, request.with_page_id)
        uow.pages.change(
            [new.page_id], case_id=case.case_id, volume=old.volume, seq=old.seq, position=old.position,
            is_internal=old.is_internal, is_hidden=False, replaces=old.page_id,
        )  # fmt: skip
        uow.pages.change([old.page_id], state="replaced", replaced_by=new.page_id)
        _settle_pile(uow, actor, case, new)
        tell_changed(uow, case, [old.page_id, new.page_id])
        record(uow, "replace_page", old.page_id, case, {"with": new.page_id, "reason": request.reason.strip()})
        return uow.pages.get(new.page_id)


def _fitting(uow: ArchiveUnit, actor: Actor, old: Page, with_page_id: str) -> Page:
    """The new page: still nobody's, of the same body, or of the same case and not bound."""
    new = uow.pages.get(with_page_id)
    ours = access.allowed(uow.connection, actor, "upload", body_id=new.body_id) and new.body_id == old.body_id
    if not ours or (new.case_id and new.case_id != old.case_id):
        raise NotFoundError("没有可用来替换的这一页")
    if new.state != "current" or new.page_id == old.page_id or new.kind == "cover" or new.replaces:
        raise ConflictError("该页不能用来替换，请选择重新扫描的页")
    _check_unbound(uow, [new])
    return new


def _settle_pile(uow: ArchiveUnit, actor: Actor, case: CaseCard, new: Page) -> None:
    """A pile that waited is claimed once no written page of it waits any more."""
    pile = uow.piles.get(new.pile_id)
    waiting = [p for p in uow.pages.of_pile(pile.pile_id) if p.kind == "page" and not p.case_id]
    if pile.state == "unclaimed" and not waiting:
        uow.piles.change(pile, state="filed", case_id=case.case_id, claimed_by=actor.person_id,
                         claimed_by_name=actor.name, claim_note="用于替换")  # fmt: skip
