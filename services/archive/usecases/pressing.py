"""The bytes of a frozen volume: cover and catalogue by typst, pages with their texts, kept under their hash."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from services.archive.model import catalogue
from services.archive.model.pages import Page
from services.archive.model.volumes import Volume
from services.archive.optics.volume import Chapter, Leaf, write_volume
from services.archive.sheets.closing_note import ClosingNote, closing_sheets
from services.archive.sheets.front import Front, front_sheets
from services.archive.store import ArchiveUnit
from services.archive.usecases.contents import PIECE, keep
from services.kit.errors import NotFoundError, RuleRefusedError
from services.kit.objects import sha256_key
from services.kit.run import Host

RULE = "bind_volume"


def pressed(host: Host, volume: Volume) -> tuple[str, int]:
    """SHA-256 and size of the volume's PDF, which is in the object store when this returns.

    Raises:
        RuleRefusedError: a page's picture is missing or none.
        UnavailableError: typst or the store does not answer.
    """
    front = _front(host, volume)
    back = closing_sheets(_closing_note(front, volume)) if volume.closing_note else b""
    chapters = [Chapter("卷宗封面 卷内目录", 0)]
    chapters += [Chapter(f"{e['title']} {e['number']}".strip(), e["first"]) for e in volume.entries]
    chapters += [Chapter("备考表", len(volume.page_ids) + 1)] if back else []
    with tempfile.TemporaryDirectory(prefix="anjuan-volume-") as folder:
        path = Path(folder) / "volume.pdf"
        try:
            title = f"{front.number} {front.kind}"
            write_volume(front_sheets(front), _leaves(host, volume), chapters, title, path, back)
        except ValueError as broken:
            raise RuleRefusedError(f"第 {broken} 页的图像已损坏，请重新扫描后替换") from broken
        return _kept(host, path)


def _kept(host: Host, path: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), path.stat().st_size
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
        file.seek(0)
        keep(host.objects, digest.hexdigest(), file, size, "application/pdf")
    return digest.hexdigest(), size


def _leaves(host: Host, volume: Volume) -> Iterator[Leaf]:
    uow: ArchiveUnit = host.begin_as_system(RULE)
    for number, page_id in enumerate(volume.page_ids, 1):
        with uow:
            page: Page = uow.pages.get(page_id)
            read = uow.readings.find(page.sha256, page.turned)
        try:
            picture = host.objects.get(sha256_key(page.sha256))
        except NotFoundError as missing:
            raise RuleRefusedError(f"《{page.title}》第 {page.number} 页的图像文件缺失，请重新扫描后替换") from missing
        if hashlib.sha256(picture).hexdigest() != page.sha256:
            raise RuleRefusedError(f"《{page.title}》第 {page.number} 页的图像文件已被改动，请重新扫描后替换")
        yield Leaf(picture, page.dpi or 200, page.turned, read.lines if read else (), number)


def _front(host: Host, volume: Volume) -> Front:
    uow: ArchiveUnit = host.begin_as_system(RULE)
    with uow:
        case = uow.cases.get(volume.case_id)
    return Front(
        body=case.body_name, kind=catalogue.KINDS["internal" if volume.is_internal else "main"], part=volume.part,
        number=case.name, title=case.title, cause=case.cause, parties=case.party_names, received_on=case.received_on,
        docketed_on=case.docketed_on, closed_on=case.closed_on, bound_on=str(volume.call["occurred_on"]),
        pages=len(volume.page_ids), entries=volume.entries,
    )  # fmt: skip


def _closing_note(front: Front, volume: Volume) -> ClosingNote:
    return ClosingNote(number=front.number, kind=front.kind, part=front.part, bound_by=volume.asked_by,
                       bound_on=front.bound_on, **volume.closing_note)  # fmt: skip
