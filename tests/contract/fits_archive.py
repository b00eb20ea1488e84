"""For each operation on scans and dossiers a request that fits; see fits."""

from __future__ import annotations

import base64
import hashlib
import io
import uuid
from collections.abc import Mapping
from typing import Any

from PIL import Image, ImageDraw

from services.kit.testing import until
from tests.contract.fits import CHUNK, Fit, _plain, fits
from tests.contract.fits_documents import FITS
from tests.contract.world import DOCKETED, World

__all__ = ["FITS"]
INVESTIGATE = {"do": "complete", "who": "zhang", "with": ["li"], "node": "investigation", "form": {
    "summary": "当事人已注销，没有承受人", "rights_told": True, "termination": "当事人已注销，没有权利义务承受人",
    "evidence": [{"kind": "inspection_record", "name": "现场笔录", "taken_on": "2025-03-03"}],
}}  # fmt: skip
TERMINATE = {"do": "complete", "who": "zhang", "node": "terminate_investigation",
             "form": {"reason": "当事人已注销，并且没有权利义务承受人，调查无法继续"}}  # fmt: skip
CLOSE = {"do": "complete", "who": "zhang", "node": "closing_approval",
         "form": {"disposition": "investigation_terminated", "performance": "终止调查，无须执行", "reason": "终止调查"}}
ARCHIVE = {"do": "complete", "who": "zhang", "node": "archive",
           "form": {"complete": True, "retention": "long_term", "receipts_note": "现场交付，未另作回证"}}  # fmt: skip


def _approved(node: str) -> list[dict[str, str]]:
    return [{"do": "approve", "who": who, "node": node} for who in ("chen", "wang")]


ENDED: tuple[Mapping[str, Any], ...] = (
    INVESTIGATE, TERMINATE, *_approved("terminate_investigation"), CLOSE, *_approved("closing_approval"), ARCHIVE,
)  # fmt: skip


def _picture(words: str) -> bytes:
    sheet, out = Image.new("L", (200, 120), 250), io.BytesIO()
    ImageDraw.Draw(sheet).text((20, 40), words, fill=0)
    sheet.save(out, "JPEG", quality=80)
    return out.getvalue()


def _give(world: World, data: bytes, media_type: str) -> str:
    """Bytes of a scan, uploaded by the registrar; their hash."""
    sha256 = hashlib.sha256(data).hexdigest()
    pairs = {"filename": "扫描.pdf", "filetype": media_type, "sha256": sha256, "purpose": "scan_batch",
             "body_id": world.play.cast.body}  # fmt: skip
    told = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in pairs.items())
    voice = world.play.speak("deng")
    opened = voice.ask("POST", "/uploads", headers={"Upload-Length": str(len(data)), "Upload-Metadata": told})
    upload_id = opened.headers["location"].rpartition("/")[2]
    voice.ask("PATCH", f"/uploads/{upload_id}", headers={"Upload-Offset": "0", "Content-Type": CHUNK}, content=data)
    return sha256


def _manifest(world: World, sides: int = 1) -> dict[str, Any]:
    """A batch without a separator sheet, its bytes already here."""
    pages = []
    for number in range(1, sides + 1):
        copy = _picture(f"page {world.next()}")
        pages.append({"number": number, "kind": "page", "sha256": _give(world, copy, "image/jpeg"), "size": len(copy),
                      "media_type": "image/jpeg", "width": 200, "height": 120, "dpi": 100})  # fmt: skip
    master = b"%PDF-1.4 " + uuid.uuid4().bytes
    return {
        "batch_id": str(uuid.uuid4()), "body_id": world.play.cast.body, "file_name": "扫描.pdf",
        "master_sha256": _give(world, master, "application/pdf"), "master_size": len(master),
        "master_media_type": "application/pdf", "scanned_at": "2025-03-03T09:00:00+08:00", "pages": pages,
    }  # fmt: skip


def _batch(world: World, sides: int = 1) -> dict[str, Any]:
    """A received batch; its one pile waits for a clerk."""
    told = _manifest(world, sides)
    made: dict[str, Any] = world.play.speak("deng").post("/scan-batches", told)
    world.note(batch=made["batch_id"], pile=made["piles"][0]["pile_id"])
    return made


def _claimed(world: World, sides: int, case_id: str, seq: int) -> str:
    """A pile that has come into a line of the case's main volume."""
    pile = _batch(world, sides)["piles"][0]
    body = {"case_id": case_id, "volume": "main", "seq": seq}
    world.play.speak("deng").post(f"/scan-piles/{pile['pile_id']}/claim", body, f'"{pile["version"]}"')
    return str(pile["pile_id"])


def _unclaimed(world: World) -> str:
    return str(_batch(world)["piles"][0]["pile_id"])


def _pages(world: World, sides: int = 1) -> list[dict[str, Any]]:
    """Pages of an open case, in the line for evidence of its main volume, thumbnails made."""
    pile_id, voice = _claimed(world, sides, world.known["docketed"][0], 4), world.play.speak("deng")

    def drawn() -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = voice.get(f"/scan-piles/{pile_id}/pages")["pages"]
        return listed if all(page["thumbnail"] for page in listed) else []

    listed = until(drawn, 60, "缩略图")
    world.note(page=listed[0]["page_id"])
    return listed


def _archived(world: World) -> str:
    """A case that was led to its end and archived; one is enough."""
    if "archived" not in world.known:
        respondent = {"role": "respondent", "kind": "organisation", "name": "滨江鑫源商行"}
        one = world.case(*DOCKETED, *ENDED, parties=[respondent])
        shown = one.speak("wang").get(f"/cases/{one.case_id}/dossier")
        world.note(archived=one.case_id, volume=shown["volumes"][0]["volume_id"])
    return world.known["archived"][0]


_plain("GET", "/scan-batches", "registrar")
_plain("GET", "/scan-piles", "registrar", state="")
_plain("GET", "/cases/{case_id}/dossier", "leader", "case")
_plain("GET", "/cases/{case_id}/separator-sheet", "registrar", "case")


@fits("POST", "/scan-batches")
def _register(world: World) -> Fit:
    return Fit("registrar", body=_manifest(world))


@fits("GET", "/scan-batches/{batch_id}")
def _one_batch(world: World) -> Fit:
    return Fit("registrar", {"batch_id": _batch(world)["batch_id"]})


@fits("POST", "/scan-batches/{batch_id}/count")
def _count(world: World) -> Fit:
    made = _batch(world)
    return Fit("registrar", {"batch_id": made["batch_id"]}, {"paper_pages": 1},
               headers={"If-Match": f'"{made["version"]}"'})  # fmt: skip


@fits("GET", "/scan-piles/{pile_id}/pages")
def _pile_pages(world: World) -> Fit:
    return Fit("registrar", {"pile_id": _unclaimed(world)})


@fits("POST", "/scan-piles/{pile_id}/claim")
def _claim(world: World) -> Fit:
    pile = _batch(world)["piles"][0]
    body = {"case_id": world.known["docketed"][0], "volume": "main", "seq": 4}
    return Fit("registrar", {"pile_id": pile["pile_id"]}, body,
               headers={"If-Match": f'"{pile["version"]}"'})  # fmt: skip


@fits("POST", "/scan-piles/{pile_id}/discard")
def _discard(world: World) -> Fit:
    pile = _batch(world)["piles"][0]
    return Fit("registrar", {"pile_id": pile["pile_id"]}, {"reason": "重复扫描"},
               headers={"If-Match": f'"{pile["version"]}"'})  # fmt: skip


@fits("GET", "/cases/{case_id}/pages")
def _case_pages(world: World) -> Fit:
    _pages(world)
    return Fit("officer", {"case_id": world.known["docketed"][0]})


@fits("POST", "/cases/{case_id}/page-order")
def _order(world: World) -> Fit:
    """A case of its own: every page of the place has to be named."""
    one = world.case(*DOCKETED)
    pile_id = _claimed(world, 2, one.case_id, 6)
    ids = [page["page_id"] for page in world.play.speak("deng").get(f"/scan-piles/{pile_id}/pages")["pages"]]
    return Fit("registrar", {"case_id": one.case_id}, {"volume": "main", "seq": 6, "page_ids": ids[::-1]})


@fits("GET", "/pages/{page_id}")
def _page(world: World) -> Fit:
    return Fit("officer", {"page_id": _pages(world)[0]["page_id"]})


@fits("GET", "/pages/{page_id}/image")
def _image(world: World) -> Fit:
    return Fit("officer", {"page_id": _pages(world)[0]["page_id"]})


@fits("GET", "/pages/{page_id}/text")
def _text(world: World) -> Fit:
    return Fit("officer", {"page_id": _pages(world)[0]["page_id"]})


@fits("POST", "/pages/{page_id}/arrangement")
def _arrange(world: World) -> Fit:
    page = _pages(world)[0]
    return Fit("registrar", {"page_id": page["page_id"]}, {"volume": "main", "seq": 7},
               headers={"If-Match": f'"{page["version"]}"'})  # fmt: skip


@fits("POST", "/pages/{page_id}/replacement")
def _replace(world: World) -> Fit:
    old, new = _pages(world, 2)
    return Fit("registrar", {"page_id": old["page_id"]}, {"with_page_id": new["page_id"], "reason": "模糊，重新扫描"},
               headers={"If-Match": f'"{old["version"]}"'})  # fmt: skip


@fits("GET", "/cases/{case_id}/dossier/manifest")
def _manifest_of(world: World) -> Fit:
    return Fit("leader", {"case_id": _archived(world)})


@fits("GET", "/volumes/{volume_id}/file")
def _volume(world: World) -> Fit:
    _archived(world)
    return Fit("officer", {"volume_id": world.known["volume"][0]})
