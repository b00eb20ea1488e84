"""装订: a volume is asked for by an effect, frozen, pressed by a job, and answered when its bytes are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from anjuan.archive.v1.events_pb2 import VolumeBound
from services.archive.model import catalogue
from services.archive.model.pages import BROKEN, Page
from services.archive.model.volumes import Volume, entries, ordered
from services.archive.store import ArchiveUnit
from services.archive.store.packs import Packs
from services.archive.usecases.facts import tell_changed
from services.archive.usecases.papers import expect_instruments
from services.archive.usecases.reading import AHEAD
from services.archive.usecases.receipts import audited, closing_note, hindering
from services.archive.usecases.telling import card, open_case, record
from services.archive.usecases.undertaking import undertake
from services.kit import clock, effects, jobs
from services.kit.effects import EffectCall
from services.kit.errors import RuleRefusedError, UnavailableError
from services.kit.run import Host

BIND = "bind_volume"


def bind_volume(packs: Packs, asked_by: str, uow: ArchiveUnit, call: EffectCall) -> None:
    """Answered later, by the job; `asked_by` is the name of who completed the node.

    Raises:
        InvalidInputError: the pack has no such volume.
        ConflictError: the dossier is archived.
        UnavailableError: the case or its pack is not here yet.
    """
    case = open_case(uow, call.case_id)
    rule = catalogue.rule_of(packs.pinned(uow.connection, case.pack), str(call.params.get("volume") or ""))
    expect_instruments(uow, case.case_id, case.body_id, call.answers)
    volume_id = clock.new_id()
    uow.volumes.add(Volume(
        volume_id=volume_id, case_id=case.case_id, body_id=case.body_id, volume=rule.id, part=0,
        is_internal=rule.kind == "internal", state="asked", reason="", call=call.as_payload(), page_ids=[], entries=[],
        pdf_sha256="", size=0, bound_on=None, bound_at=None, asked_by=asked_by, closing_note={},
    ))  # fmt: skip
    jobs.add(uow, BIND, {"volume_id": volume_id}, run_at=clock.now() - AHEAD)


def run_binding(host: Host, payload: Mapping[str, Any]) -> None:
    """Job: freeze, press, keep, answer."""
    from services.archive.usecases.pressing import pressed

    uow, packs = host.begin_as_system(BIND), Packs(host.objects)
    undertake(uow, lambda: uow.volumes, str(payload["volume_id"]), "binding",
              partial(_freeze, uow, packs), partial(pressed, host), partial(_finish, uow, packs))  # fmt: skip


def _freeze(uow: ArchiveUnit, packs: Packs, asked: Volume) -> Volume | None:
    """The pages of the volume, settled."""
    case = open_case(uow, asked.case_id)
    pack = packs.pinned(uow.connection, case.pack)
    await_papers(uow, case.case_id)
    items = catalogue.items(pack, asked.volume)
    ours = [p for p in uow.pages.of_case(case.case_id) if p.volume == asked.volume]
    pages = ordered(items, [page for page in ours if not page.volume_id])
    former = [v for v in uow.volumes.of_case(case.case_id, "bound", "binding") if v.volume == asked.volume]
    if former and not pages:
        _as_before(uow, asked, former[-1])
        return None
    _check(uow, asked, pages)
    papers = {paper.source_id: paper for paper in uow.papers.of_case(case.case_id)}
    frozen = replace(
        asked, state="binding", part=len(former) + 1, page_ids=[page.page_id for page in pages],
        entries=[entry.as_json() for entry in entries(items, pages, papers)], closing_note=closing_note(uow, asked),
    )  # fmt: skip
    uow.volumes.change(asked.volume_id, state="binding", part=frozen.part, page_ids=frozen.page_ids,
                       entries=frozen.entries, closing_note=frozen.closing_note)  # fmt: skip
    return frozen


def _as_before(uow: ArchiveUnit, asked: Volume, former: Volume) -> None:
    """Nothing has come since it was bound: the answer is the volume that there is."""
    if former.state == "binding":
        raise UnavailableError("该卷正在装订")
    uow.volumes.change(asked.volume_id, state="refused", reason="没有新的页，以已装订的卷作答")
    call = EffectCall.from_payload(asked.call)
    effects.done(uow, call, {"volume_id": former.volume_id, "pages": len(former.page_ids)})


def await_papers(uow: ArchiveUnit, case_id: str) -> None:
    """Instruments that are on their way, or being made into pages, come first; it takes seconds."""
    waiting = [paper.title for paper in uow.papers.of_case(case_id) if paper.state in ("expected", "waiting")]
    if waiting:
        raise UnavailableError(f"文件正在入卷：{'、'.join(waiting)[:200]}")


def scans_open(uow: ArchiveUnit, case_id: str, inner: bool = False) -> list[str]:
    """Why scanned files of the case are not settled; without `inner` a file that lies in 副卷 alone has no name."""
    said, named = [], {p.batch_id for p in uow.pages.of_case(case_id) if inner or not p.is_internal}
    for batch_id, file_name, is_counted, unclaimed in uow.volumes.open_batches(case_id):
        name = f"《{file_name}》" if batch_id in named else ""
        if unclaimed:
            said.append(f"与本案同批的扫描件{name}还有 {unclaimed} 叠待认领，请先认领或作废")
        if not is_counted:
            said.append(f"本案扫描批次{name}尚未清点核对，请先与纸质材料核对页数")
    return said


def hindrances(uow: ArchiveUnit, case_id: str, pages: Sequence[Page], inner: bool = False) -> list[str]:
    """Why these shown pages of the case cannot be bound yet, each as a sentence; names of 副卷 only for `inner`."""
    said, free = scans_open(uow, case_id, inner), [page for page in pages if not page.volume_id]
    if loose := sum(not page.volume for page in free):
        said.append(f"本案还有 {loose} 页未编目，请先归入正卷、副卷的目录项")
    broken = [page for page in free if page.thumbnail_sha256 == BROKEN]
    said += [f"{_name(page, inner)}第 {page.number} 页图像已损坏，请重新扫描后替换" for page in broken]
    read = uow.readings.confidences(page.sha256 for page in free)
    if unread := sum((page.sha256, page.turned) not in read for page in free):
        said.append(f"还有 {unread} 页未完成文字识别，请待识别完成后再装订")
    return said


def _name(page: Page, inner: bool) -> str:
    return f"《{page.title}》" if inner or not page.is_internal else "副卷材料"


def _check(uow: ArchiveUnit, asked: Volume, pages: Sequence[Page]) -> None:
    kind = catalogue.KINDS["internal" if asked.is_internal else "main"]
    loose = [page for page in uow.pages.of_case(asked.case_id) if page.is_shown and not page.volume]
    unproven = hindering(uow, asked.case_id, asked.call)
    if said := [*hindrances(uow, asked.case_id, [*pages, *loose]), *unproven]:
        raise RuleRefusedError("；".join(said)[:1000])
    if not pages and not asked.is_internal:
        raise RuleRefusedError(f"{kind}没有任何材料，不能装订；请先将文书或扫描件归入{kind}")


def _finish(uow: ArchiveUnit, packs: Packs, volume: Volume, made: tuple[str, int]) -> None:
    (sha256, size), volume_id = made, volume.volume_id
    case, call = uow.cases.get(volume.case_id), EffectCall.from_payload(volume.call)
    uow.volumes.change(volume_id, state="bound", pdf_sha256=sha256, size=size, bound_on=call.occurred_on,
                       bound_at=clock.now())  # fmt: skip
    for number, page_id in enumerate(volume.page_ids, 1):
        uow.pages.change([page_id], volume_id=volume_id, page_number=number)
    pack = packs.pinned(uow.connection, case.pack)
    bound = {v.volume for v in uow.volumes.of_case(case.case_id, "bound")}
    state = "compiled" if bound >= {rule.id for rule in pack.volumes} else "open"
    uow.emit(VolumeBound(
        volume_id=volume_id, volume=volume.volume, part=volume.part, pages=len(volume.page_ids),
        internal=volume.is_internal, pdf_sha256=sha256, size=size, bound_on=call.occurred_on.isoformat(),
        card=card(uow, case.case_id, state),
    ), stream=case.case_id, case_id=case.case_id, body_id=case.body_id, pack=case.pack,
        occurred_on=call.occurred_on)  # fmt: skip
    tell_changed(uow, case, volume.page_ids, state)
    told = {"volume": volume.volume, "pages": len(volume.page_ids), "sha256": sha256}
    record(uow, "bind_volume", volume_id, case, told | audited(uow, case.case_id, volume.call))
    effects.done(uow, call, {"volume_id": volume_id, "pages": len(volume.page_ids)})


def release(uow: ArchiveUnit, effect_id: str, reason: str) -> None:
    """The effect was given up, for that reason: what it had frozen may be changed again."""
    uow.volumes.give_up(effect_id, reason)
    uow.dossiers.give_up(effect_id, reason)
