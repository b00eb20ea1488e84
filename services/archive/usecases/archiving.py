"""归档: everything of the dossier is written down with hash and size, locked in the store, and closed to change."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, time
from functools import partial
from typing import Any

from anjuan.archive.v1.events_pb2 import DossierArchived
from services.archive.model import catalogue
from services.archive.model.pages import Page
from services.archive.model.volumes import Dossier, Volume, kept_until
from services.archive.store import ArchiveUnit
from services.archive.store.packs import Packs
from services.archive.usecases.binding import await_papers, scans_open
from services.archive.usecases.reading import AHEAD
from services.archive.usecases.receipts import audited, hindering, note_of, receipts_missing
from services.archive.usecases.telling import card, open_case, record
from services.archive.usecases.undertaking import undertake
from services.kit import clock, effects, jobs
from services.kit.effects import EffectCall
from services.kit.errors import RuleRefusedError, UnavailableError
from services.kit.objects import ObjectStore, put_bytes, sha256_key
from services.kit.run import Host

ARCHIVE = "archive_dossier"
Locked = tuple[str, dict[str, int], bool]
FORMAT = "anjuan dossier manifest 1"


def archive_dossier(uow: ArchiveUnit, call: EffectCall) -> None:
    """Answered later, by the job.

    Raises:
        InvalidInputError: no such retention.
        ConflictError: archived already.
    """
    case = open_case(uow, call.case_id)
    retention = str(call.params.get("retention") or "")
    _, until = kept_until(retention, call.occurred_on)
    dossier_id = clock.new_id()
    uow.dossiers.add(Dossier(
        dossier_id=dossier_id, case_id=case.case_id, body_id=case.body_id, state="asked", reason="",
        call=call.as_payload(), retention=retention, archived_on=call.occurred_on,
        locked_until=datetime.combine(until, time(), clock.CHINA), manifest_sha256="", objects=0, is_locked=False,
        archived_at=None,
    ))  # fmt: skip
    jobs.add(uow, ARCHIVE, {"dossier_id": dossier_id}, run_at=clock.now() - AHEAD)


def run_archiving(host: Host, payload: Mapping[str, Any]) -> None:
    """Job: freeze, write the manifest, lock, answer."""
    uow, store = host.begin_as_system(ARCHIVE), host.objects
    undertake(uow, lambda: uow.dossiers, str(payload["dossier_id"]), "archiving",
              partial(_freeze, uow, Packs(store)), partial(_lock, uow, store), partial(_finish, uow))  # fmt: skip


def _freeze(uow: ArchiveUnit, packs: Packs, asked: Dossier) -> Dossier:
    """Everything is bound, nothing is on its way."""
    case = open_case(uow, asked.case_id)
    volumes = uow.volumes.of_case(case.case_id, "asked", "binding", "bound")
    if any(volume.state != "bound" for volume in volumes):
        raise UnavailableError("该案的卷正在装订")
    await_papers(uow, case.case_id)
    if said := [*scans_open(uow, case.case_id), *hindering(uow, case.case_id, asked.call)]:
        raise RuleRefusedError("；".join(said)[:1000])
    bound = {volume.volume for volume in volumes}
    pack = packs.pinned(uow.connection, case.pack)
    if missing := [catalogue.KINDS[rule.kind] for rule in pack.volumes if rule.id not in bound]:
        raise RuleRefusedError(f"{'、'.join(missing)}尚未装订，不能归档")
    if loose := [page for page in uow.pages.of_case(case.case_id) if page.is_shown and not page.volume_id]:
        named = [f"（例如《{page.title}》）" for page in loose if not page.is_internal]
        raise RuleRefusedError(f"本案还有 {len(loose)} 页未装订成卷{''.join(named[:1])}，请先装订")
    uow.dossiers.change(asked.dossier_id, state="archiving")
    return replace(asked, state="archiving")


def _lock(uow: ArchiveUnit, store: ObjectStore, dossier: Dossier) -> Locked:
    """The manifest, kept; its hash, what it names with sizes, itself included, and whether all of that is locked."""
    manifest, sizes = _written(uow, store, dossier)
    locks = [store.lock(sha256_key(sha256), dossier.locked_until) for sha256 in sorted(sizes)]
    return manifest, sizes, all(locks)


def _written(uow: ArchiveUnit, store: ObjectStore, dossier: Dossier) -> tuple[str, dict[str, int]]:
    with uow:
        case = uow.cases.get(dossier.case_id)
        pages = uow.pages.ever_of_case(case.case_id)
        volumes = uow.volumes.of_case(case.case_id, "bound")
        papers = uow.papers.of_case(case.case_id)
        files = uow.case_files.brought(case.case_id)
        unproven = receipts_missing(uow, case.case_id, inner=True)
    hashes = sorted({*_hashes(pages), *(v.pdf_sha256 for v in volumes), *(p.sha256 for p in papers),
                     *(file.sha256 for file in files)})  # fmt: skip
    sizes = {sha256: _size(store, sha256) for sha256 in hashes}
    told = {
        "format": FORMAT, "dossier_id": dossier.dossier_id, "case_id": case.case_id, "case_number": case.case_number,
        "body_id": case.body_id, "body": case.body_name, "pack": list(case.pack), "retention": dossier.retention,
        "archived_on": dossier.archived_on.isoformat(), "locked_until": dossier.lock_ends,
        "volumes": [_volume(volume) for volume in volumes], "pages": [_page(page) for page in pages],
        "papers": [{"paper_id": p.paper_id, "sha256": p.sha256, "source": p.source} for p in papers],
        "receipts": {"missing": unproven, "note": note_of(dossier.call)},
        "materials": [file.sha256 for file in files],
        "objects": [{"sha256": sha256, "size": size} for sha256, size in sizes.items()],
    }  # fmt: skip
    data = json.dumps(told, ensure_ascii=False, sort_keys=True, indent=1).encode()
    manifest = put_bytes(store, data, "application/json")
    return manifest, {**sizes, manifest: len(data)}


def _hashes(pages: Iterable[Page]) -> set[str]:
    """Pictures and what they came from; a thumbnail can be made anew."""
    return {sha256 for page in pages for sha256 in (page.sha256, page.master_sha256)} - {""}


def _size(store: ObjectStore, sha256: str) -> int:
    size = store.size(sha256_key(sha256))
    if size is None:
        raise RuleRefusedError(f"卷宗中有文件缺失（{sha256[:12]}…），不能归档；请运维人员执行 anjuan scrub 查明")
    return size


def _volume(volume: Volume) -> dict[str, Any]:
    return {"volume_id": volume.volume_id, "volume": volume.volume, "part": volume.part, "internal": volume.is_internal,
            "pages": len(volume.page_ids), "sha256": volume.pdf_sha256, "size": volume.size}  # fmt: skip


def _page(page: Page) -> dict[str, Any]:
    return {"page_id": page.page_id, "volume_id": page.volume_id, "page_number": page.page_number, "state": page.state,
            "hidden": page.is_hidden, "sha256": page.sha256, "master_sha256": page.master_sha256,
            "number": page.number}  # fmt: skip


def _finish(uow: ArchiveUnit, dossier: Dossier, made: Locked) -> None:
    (manifest, sizes, is_locked), dossier_id = made, dossier.dossier_id
    case, call, day = uow.cases.get(dossier.case_id), EffectCall.from_payload(dossier.call), dossier.archived_on
    uow.dossiers.put_objects(dossier_id, sizes)
    uow.dossiers.change(dossier_id, state="archived", manifest_sha256=manifest, objects=len(sizes),
                        is_locked=is_locked, archived_at=clock.now())  # fmt: skip
    uow.emit(DossierArchived(
        dossier_id=dossier_id, archived_on=day.isoformat(), retention=dossier.retention,
        locked_until=dossier.lock_ends, locked=is_locked, manifest_sha256=manifest, objects=len(sizes),
        card=card(uow, case.case_id, "archived"),
    ), stream=case.case_id, case_id=case.case_id, body_id=case.body_id, pack=case.pack,
        occurred_on=call.occurred_on)  # fmt: skip
    told = {"manifest": manifest, "objects": len(sizes), "locked": is_locked}
    record(uow, "archive_dossier", dossier_id, case, told | audited(uow, case.case_id, call.as_payload()))
    effects.done(uow, call, {"dossier_id": dossier_id, "archived_on": day.isoformat()})
