"""Pages, their pictures and texts, as far as the caller may see the dossier; every reading is recorded."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, tuple_

from anjuan.archive.v1 import archive_pb2 as pb
from services.archive.model import catalogue
from services.archive.model.pages import BROKEN, Page
from services.archive.optics import pictures
from services.archive.store import ArchiveUnit
from services.archive.store.packs import Packs
from services.archive.tables import pages
from services.archive.usecases.contents import pieces
from services.kit import access, paging
from services.kit.errors import InvalidInputError, NotFoundError, UnavailableError
from services.kit.identity import Actor
from services.kit.objects import ObjectStore, sha256_key

JPEG = "image/jpeg"


def pages_shown(uow: ArchiveUnit, packs: Packs, found: Sequence[Page]) -> list[pb.Page]:
    """Pages with the names of their items, their masters, and whether they are read."""
    read = uow.readings.confidences(page.sha256 for page in found)
    names = _item_names(uow, packs, found)
    return [
        pb.Page(
            page_id=p.page_id, case_id=p.case_id, batch_id=p.batch_id, pile_id=p.pile_id, number=p.number, kind=p.kind,
            volume=p.volume, seq=p.seq, item=names.get((p.case_id, p.volume, p.seq), ""), internal=p.is_internal,
            hidden=p.is_hidden, turned=p.turned, state=p.state, replaced_by=p.replaced_by, replaces=p.replaces,
            sha256=p.sha256, master_sha256=p.master_sha256, width=p.width, height=p.height, dpi=p.dpi,
            reading=_reading(p, read), confidence=read.get((p.sha256, p.turned), 0.0), volume_id=p.volume_id,
            page_number=p.page_number, received_at=p.received_at.isoformat(), version=p.version,
            thumbnail=p.thumbnail_sha256 not in ("", BROKEN),
        )
        for p in found
    ]  # fmt: skip


def _reading(page: Page, read: dict[tuple[str, int], float]) -> str:
    if (page.sha256, page.turned) in read:
        return "read"
    return "waiting" if page.kind == "page" or page.is_shown else "none"


def _item_names(uow: ArchiveUnit, packs: Packs, found: Iterable[Page]) -> dict[tuple[str, str, int], str]:
    names: dict[tuple[str, str, int], str] = {}
    for case_id, volume in {(p.case_id, p.volume) for p in found if p.case_id and p.volume}:
        pack = packs.pinned(uow.connection, uow.cases.get(case_id).pack)
        names |= {(case_id, volume, item.seq): item.name for item in catalogue.items(pack, volume)}
    return names


def _require(uow: ArchiveUnit, actor: Actor, page: Page, reason: str) -> None:
    """Of a case: who sees the dossier (and the internal volume); of nobody yet: the body's clerks.

    Raises:
        CaseNotKnownError, NotAllowedError, NotFoundError.
    """
    if page.case_id:
        access.require(uow.connection, actor, "view_dossier", case_id=page.case_id, reason=reason)
        if page.is_internal:
            access.require(uow.connection, actor, "view_internal", case_id=page.case_id, reason=reason)
    elif actor.kind != "staff" or not access.allowed(uow.connection, actor, "upload", body_id=page.body_id):
        raise NotFoundError("没有这一页")


def list_pages(uow: ArchiveUnit, packs: Packs, actor: Actor, request: pb.ListPagesRequest) -> pb.ListPagesAnswer:
    """Pages of a case in its order, or of a pile as scanned; internal ones only for who may open 副卷."""
    if bool(request.case_id) == bool(request.pile_id):
        raise InvalidInputError("请指明案件或扫描件（一叠）之一", [{"pointer": "/case_id", "detail": "二者择一"}])
    limit, after = paging.size(request.limit), paging.after(request.cursor, 4)
    with uow:
        conditions = _of_case(uow, actor, request) if request.case_id else _of_pile(uow, actor, request.pile_id)
        if not request.hidden_too:
            conditions.append(~pages.c.is_hidden)
        key = (pages.c.volume, pages.c.seq, pages.c.position, pages.c.page_id)
        if after:
            conditions.append(tuple_(*key) > tuple_(after[0], int(after[1]), int(after[2]), after[3]))
        found = uow.pages.first(limit + 1, *conditions)
        shown = pages_shown(uow, packs, found[:limit])
        last = found[limit - 1] if len(found) > limit else None
        more = paging.cursor(last.volume, last.seq, last.position, last.page_id) if last else ""
        return pb.ListPagesAnswer(pages=shown, next_cursor=more)


def _of_case(uow: ArchiveUnit, actor: Actor, request: pb.ListPagesRequest) -> list[ColumnElement[bool]]:
    access.require(uow.connection, actor, "view_dossier", case_id=request.case_id, reason=request.reason)
    uow.record("list_pages", request.case_id, case_id=request.case_id, detail={"reason": request.reason})
    conditions = [pages.c.case_id == request.case_id, pages.c.state == (request.state or "current")]
    if request.volume:
        conditions.append(pages.c.volume == request.volume)
    if not access.allowed(uow.connection, actor, "view_internal", case_id=request.case_id, reason=request.reason):
        conditions.append(~pages.c.is_internal)
    return conditions


def _of_pile(uow: ArchiveUnit, actor: Actor, pile_id: str) -> list[ColumnElement[bool]]:
    found = uow.pages.of_pile(pile_id)
    if not found:
        raise NotFoundError("没有这一叠扫描件")
    for page in found:
        _require(uow, actor, page, "")
    return [pages.c.pile_id == pile_id]


def get_page(uow: ArchiveUnit, packs: Packs, actor: Actor, request: pb.GetPageRequest) -> pb.Page:
    """One page."""
    with uow:
        page = uow.pages.get(request.page_id)
        _require(uow, actor, page, request.reason)
        return pages_shown(uow, packs, [page])[0]


def get_page_text(uow: ArchiveUnit, actor: Actor, request: pb.GetPageRequest) -> pb.PageText:
    """What was read, line by line with its place."""
    with uow:
        page = uow.pages.get(request.page_id)
        _require(uow, actor, page, request.reason)
        _recorded(uow, page, "text", request.reason)
        found = uow.readings.find(page.sha256, page.turned)
        if found is None:
            return pb.PageText(page_id=page.page_id, reading=_reading(page, {}))
    lines = [
        pb.ReadLine(text=line.text, left=line.box[0], top=line.box[1], right=line.box[2], bottom=line.box[3],
                    confidence=line.confidence)
        for line in found.lines
    ]  # fmt: skip
    return pb.PageText(page_id=page.page_id, text=found.text, lines=lines, confidence=found.confidence, reading="read")


def _recorded(uow: ArchiveUnit, page: Page, what: str, reason: str) -> None:
    uow.record("read_page", page.page_id, case_id=page.case_id, body_id=page.body_id,
               detail={"what": what, "reason": reason})  # fmt: skip


def get_page_image(
    uow: ArchiveUnit, store: ObjectStore, actor: Actor, request: pb.GetPageImageRequest
) -> pb.PageImage:
    """The cleaned copy, a thumbnail, or the page as it came out of the scanner.

    Raises:
        UnavailableError: the thumbnail is not made yet.
        RuleRefusedError: the original cannot be drawn.
    """
    with uow:
        page = uow.pages.get(request.page_id)
        _require(uow, actor, page, request.reason)
        _recorded(uow, page, request.kind, request.reason)
    name = f"{page.title} 第{page.number}页.jpg"
    if request.kind == "cleaned":
        return pb.PageImage(content=store.get(sha256_key(page.sha256)), media_type=page.media_type, file_name=name)
    if request.kind == "thumbnail":
        if not page.thumbnail_sha256:
            raise UnavailableError("缩略图正在生成，请稍后")
        if page.thumbnail_sha256 == BROKEN:
            raise NotFoundError("该页图像已损坏，请重新扫描")
        small = store.get(sha256_key(page.thumbnail_sha256))
        return pb.PageImage(content=small, media_type=JPEG, file_name=name)
    if request.kind != "original":
        raise InvalidInputError("图像种类有误", [{"pointer": "/kind", "detail": "须为 cleaned、original 或 thumbnail"}])
    content = _original(store, page.master_sha256, page.master_media_type, page.number)
    return pb.PageImage(content=content, media_type=JPEG, file_name=name)


def _original(store: ObjectStore, master_sha256: str, media_type: str, number: int) -> bytes:
    """Drawn once, then kept under a key that may be thrown away."""
    key = f"renditions/{master_sha256[:2]}/{master_sha256}/{number}.jpg"
    if store.size(key) is None:
        made = pictures.original(pieces(store, sha256_key(master_sha256)), media_type, number)
        store.put(key, io.BytesIO(made), len(made), JPEG)
    return store.get(key)
