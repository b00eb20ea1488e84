"""Batches as a station brings them, without the station: any bytes may stand for a page's copy."""

from __future__ import annotations

import hashlib
import io
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont, UnidentifiedImageError

from anjuan.archive.v1 import archive_pb2 as pb
from services.archive.model.scans import Batch
from services.archive.tests.scene import STATION, Scene
from services.archive.usecases import batches, uploads
from services.kit.identity import Actor

FONT = "/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc"


def picture(text: str, size: tuple[int, int] = (420, 594), letter: int = 20) -> bytes:
    """A small page with a line of text; every text is another picture."""
    sheet = Image.new("L", size, 250)
    font = ImageFont.truetype(FONT, letter, index=2)
    for row, line in enumerate(text.split("\n")):
        ImageDraw.Draw(sheet).text((size[0] * 0.1, size[1] * 0.1 + row * letter * 2), line, fill=0, font=font)
    out = io.BytesIO()
    sheet.save(out, "JPEG", quality=85)
    return out.getvalue()


@dataclass(frozen=True)
class Side:
    """One page: its copy, and what it is; a `cover` makes it a sheet."""

    copy: bytes
    kind: str = "page"
    cover: str = ""


def sheet(code: str) -> Side:
    """A separator sheet."""
    return Side(picture("分隔页 " + code[:12]), "cover", code)


def blank() -> Side:
    """An empty back."""
    return Side(picture(""), "blank")


def text(words: str) -> Side:
    """A written side."""
    return Side(picture(words))


def manifest(
    sides: Sequence[Side], master: bytes, batch_id: str = "", body_id: str = ""
) -> pb.RegisterScanBatchRequest:
    """What the station tells."""
    pages = []
    for number, side in enumerate(sides, 1):
        width, height = _size(side.copy)
        pages.append(pb.ScannedPage(
            number=number, kind=side.kind, sha256=hashlib.sha256(side.copy).hexdigest(), size=len(side.copy),
            media_type="image/jpeg", cover=side.cover, width=width, height=height, dpi=50,
        ))  # fmt: skip
    return pb.RegisterScanBatchRequest(
        batch_id=batch_id or str(uuid.uuid4()), body_id=body_id, file_name="扫描0001.pdf",
        master_sha256=hashlib.sha256(master).hexdigest(), master_size=len(master),
        master_media_type="application/pdf", scanned_at="2025-03-03T09:00:00+08:00", pages=pages,
    )  # fmt: skip


def _size(copy: bytes) -> tuple[int, int]:
    try:
        return Image.open(io.BytesIO(copy)).size
    except UnidentifiedImageError:
        return 100, 100  # what a faulty station would say


def register(scene: Scene, told: pb.RegisterScanBatchRequest, actor: Actor = STATION) -> Batch:
    """Announce."""
    return batches.register_scan_batch(scene.begin(actor), actor, told)


def give(
    scene: Scene, data: bytes, media_type: str, actor: Actor = STATION, purpose: str = "scan_batch"
) -> None:
    """Bytes by an upload session, in one piece."""
    asked = pb.OpenUploadRequest(size=len(data), sha256=hashlib.sha256(data).hexdigest(), file_name="x",
                                 media_type=media_type, purpose=purpose)  # fmt: skip
    session = uploads.open_upload(scene.begin(actor), actor, asked)
    uploads.append(scene.begin(actor), scene.host.objects, actor, session.upload_id, 0, data)


def bring(scene: Scene, *sides: Side, master: bytes = b"", actor: Actor = STATION, name: str = "") -> Batch:
    """A whole batch, received."""
    master = master or b"%PDF-1.4 " + uuid.uuid4().bytes
    told = manifest(sides, master)
    told.file_name = name or told.file_name
    batch = register(scene, told, actor)
    for data in {side.copy for side in sides}:
        give(scene, data, "image/jpeg", actor)
    give(scene, master, "application/pdf", actor)
    with scene.begin(actor) as uow:
        return uow.batches.get(batch.batch_id)
