"""A case's dossier: its volumes, bound or open, their catalogues, their bytes; every reading is recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from anjuan.archive.v1 import archive_pb2 as pb
from services.archive.model import catalogue
from services.archive.model.pages import Page
from services.archive.model.volumes import Volume, entries, kept_until, ordered
from services.archive.settings import SETTINGS
from services.archive.store import ArchiveUnit
from services.archive.store.packs import Packs
from services.archive.usecases.binding import hindrances
from services.archive.usecases.receipts import asks_why, receipts_missing
from services.archive.usecases.telling import card
from services.kit import access
from services.kit.errors import NotFoundError
from services.kit.identity import Actor
from services.kit.objects import ObjectStore, sha256_key
from services.kit.procedure.model import Pack, VolumeRule


def get_dossier(uow: ArchiveUnit, packs: Packs, actor: Actor, request: pb.GetDossierRequest) -> pb.Dossier:
    """Volumes that the caller may open, and what stands in the way of binding."""
    with uow:
        access.require(uow.connection, actor, "view_dossier", case_id=request.case_id, reason=request.reason)
        inner = access.allowed(uow.connection, actor, "view_internal", case_id=request.case_id, reason=request.reason)
        uow.record("get_dossier", request.case_id, case_id=request.case_id, detail={"reason": request.reason})
        case = uow.cases.get(request.case_id)
        pack = packs.pinned(uow.connection, case.pack)
        seen = [rule for rule in pack.volumes if inner or rule.kind == "main"]
        pages = [p for p in uow.pages.of_case(case.case_id) if p.is_shown and (inner or not p.is_internal)]
        volumes = [volume for rule in seen for volume in _volumes(uow, pack, rule, case.case_id, pages)]
        unproven = receipts_missing(uow, case.case_id, inner) if asks_why(pack) else []
        answer = pb.Dossier(
            case_id=case.case_id, state=card(uow, case.case_id).dossier_state, pages=len(pages), volumes=volumes,
            hindrances=[*hindrances(uow, case.case_id, pages, inner), *unproven],
        )  # fmt: skip
        held = uow.dossiers.of_case(case.case_id)
        if held is not None and held.state == "archived":
            answer.hindrances.clear()
            answer.dossier_id, answer.archived_on = held.dossier_id, held.archived_on.isoformat()
            answer.retention, answer.retention_name = held.retention, kept_until(held.retention, held.archived_on)[0]
            answer.locked_until, answer.locked = held.lock_ends, held.is_locked
            answer.manifest_sha256 = held.manifest_sha256
        return answer


def _volumes(
    uow: ArchiveUnit, pack: Pack, rule: VolumeRule, case_id: str, pages: Sequence[Page]
) -> Iterator[pb.DossierVolume]:
    """Its bound parts; then what is still open, or all of it when nothing is bound."""
    made = [v for v in uow.volumes.of_case(case_id, "binding", "bound") if v.volume == rule.id]
    yield from (_bound(rule, volume) for volume in made)
    frozen = {page_id for volume in made for page_id in volume.page_ids}
    items = catalogue.items(pack, rule.id)
    loose = ordered(items, [p for p in pages if p.volume == rule.id and p.page_id not in frozen])
    if loose or not made:
        papers = {paper.source_id: paper for paper in uow.papers.of_case(case_id)}
        lines = [
            pb.CatalogueEntry(seq=e.seq, item=e.item, title=e.title, number=e.number, dated=e.dated,
                              pages=e.last - e.first + 1)
            for e in entries(items, loose, papers)
        ]  # fmt: skip
        yield pb.DossierVolume(volume=rule.id, kind=rule.kind, name=catalogue.KINDS[rule.kind], state="open",
                               pages=len(loose), entries=lines)  # fmt: skip


def _bound(rule: VolumeRule, volume: Volume) -> pb.DossierVolume:
    lines = [pb.CatalogueEntry(**entry, pages=entry["last"] - entry["first"] + 1) for entry in volume.entries]
    return pb.DossierVolume(
        volume_id=volume.volume_id, volume=rule.id, kind=rule.kind, name=catalogue.KINDS[rule.kind],
        state=volume.state, part=volume.part, pages=len(volume.page_ids), entries=lines,
        bound_on=volume.bound_on.isoformat() if volume.bound_on else "", pdf_sha256=volume.pdf_sha256,
        size=volume.size,
    )  # fmt: skip


def get_volume(
    uow: ArchiveUnit, store: ObjectStore, actor: Actor, request: pb.GetVolumeRequest
) -> pb.DossierFile:
    """Bytes of a bound volume from an offset.

    Raises:
        NotFoundError: no such volume, or not bound (yet).
    """
    with uow:
        volume = uow.volumes.get(request.volume_id)
        access.require(uow.connection, actor, "view_dossier", case_id=volume.case_id, reason=request.reason)
        if volume.is_internal:
            access.require(uow.connection, actor, "view_internal", case_id=volume.case_id, reason=request.reason)
        if volume.state != "bound":
            raise NotFoundError("该卷尚未装订")
        if not request.offset:
            uow.record("get_volume", volume.volume_id, case_id=volume.case_id, body_id=volume.body_id,
                       detail={"reason": request.reason})  # fmt: skip
        case = uow.cases.get(volume.case_id)
    kind = catalogue.KINDS["internal" if volume.is_internal else "main"]
    name = f"{case.name} {kind} 第{volume.part}册.pdf"
    return _part(store, volume.pdf_sha256, request.offset, "application/pdf", name)


def get_manifest(
    uow: ArchiveUnit, store: ObjectStore, actor: Actor, request: pb.GetManifestRequest
) -> pb.DossierFile:
    """What an archived dossier holds; it names 副卷 too, so it takes the right to open that.

    Raises:
        NotFoundError: not archived (yet).
    """
    with uow:
        for action in ("view_dossier", "view_internal"):
            access.require(uow.connection, actor, action, case_id=request.case_id, reason=request.reason)
        held = uow.dossiers.of_case(request.case_id)
        if held is None or held.state != "archived":
            raise NotFoundError("该案卷宗尚未归档，没有归档清单")
        uow.record("get_manifest", held.dossier_id, case_id=request.case_id, body_id=held.body_id,
                   detail={"reason": request.reason})  # fmt: skip
        case = uow.cases.get(request.case_id)
    return _part(store, held.manifest_sha256, 0, "application/json", f"{case.name} 归档清单.json")


def _part(store: ObjectStore, sha256: str, offset: int, media_type: str, name: str) -> pb.DossierFile:
    key = sha256_key(sha256)
    size = store.size(key)
    if size is None:
        raise NotFoundError("文件缺失，请通知运维人员执行 anjuan scrub")
    chunk = store.get(key, offset, SETTINGS.read_at_once) if offset < size else b""
    return pb.DossierFile(chunk=chunk, size=size, media_type=media_type, file_name=name, sha256=sha256)
