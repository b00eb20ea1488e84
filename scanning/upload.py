"""Batches to the platform: announced by manifest, their bytes by tus 1.0, however often the line is cut."""

from __future__ import annotations

import base64
import logging
import uuid
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx

from scanning import durable
from scanning.door import Door, OfflineError, RefusedError, pieces, told_in
from scanning.folders import Folders
from scanning.ledger import Kept, Ledger
from scanning.pages import PageCopy, copy_path

# what is on its way when a line is cut may be lost: on a bad line smaller chunks are sent
LARGEST_CHUNK, SMALLEST_CHUNK = 8 * 1024 * 1024, 64 * 1024
_NAMESPACE = uuid.UUID("6f0b7a52-6c0f-4b6e-9d5c-0f4c1a3b7d11")
log = logging.getLogger("anjuan.scanning")


class SpoiledError(Exception):
    """Bytes on the station's own disk are no longer what they were; `number` 0 is the master."""

    def __init__(self, number: int) -> None:
        super().__init__(f"page {number}")
        self.number = number


def batch_id(station_id: str, sha256: str) -> str:
    """One master is one batch, even after the station has lost its ledger; see Ledger.put_batch."""
    return str(uuid.uuid5(_NAMESPACE, f"{station_id}:{sha256}"))


class Sender:
    """Gives the platform what is ready, and asks what has become of it."""

    def __init__(
        self, door: Door, folders: Folders, ledger: Ledger, stopping: Callable[[], bool] = lambda: False
    ) -> None:
        self.door, self.folders, self.ledger, self._stopping = door, folders, ledger, stopping
        self._chunk = LARGEST_CHUNK

    def send(self, kept: Kept) -> None:
        """Announce the batch, then give every byte that the platform does not have.

        Raises:
            OfflineError: later again; what has been given stays given.
            RefusedError: this batch cannot be taken.
            SpoiledError: the disk has changed a file.
        """
        pages = self.ledger.pages(kept.sha256)
        told = self._announce(kept, pages)
        places = self._places(kept, pages)
        for sha256 in told["missing_sha256"]:
            number, path, media_type, size = places[sha256]
            if not path.is_file() or path.stat().st_size != size:
                raise SpoiledError(number)
            url, offset = self._continued(sha256)
            if not url:
                if durable.sha256_of(path) != sha256:
                    raise SpoiledError(number)
                url, offset = self._begun(sha256, size, media_type, path.name if number else kept.name), 0
            self._give(url, offset, path, size)
        self.ledger.put(kept.sha256, "sent")

    def ask(self, kept: Kept) -> None:
        """Whether the platform has everything; what it lacks after all is given again.

        Raises:
            OfflineError, RefusedError.
        """
        try:
            found = told_in(self.door.ask("GET", f"/scan-batches/{kept.batch_id}"))
        except RefusedError as refusal:
            if refusal.status != 404:
                raise
            self.ledger.put(kept.sha256, "ready")  # the platform was restored from before this batch
            return
        if found["state"] == "received":
            for content in (kept.sha256, *(page.sha256 for page in self.ledger.pages(kept.sha256))):
                self.ledger.put_upload(content, "")
            self.folders.done(kept)
            log.info("batch_received", extra={"file": kept.name, "batch_id": kept.batch_id})
        elif found["missing_sha256"]:
            self.ledger.put(kept.sha256, "ready")

    def _announce(self, kept: Kept, pages: list[PageCopy]) -> Any:
        chosen = kept.batch_id or batch_id(self.ledger.fact("station_id"), kept.sha256)
        self.ledger.put_batch(kept.sha256, chosen)
        manifest = {
            "batch_id": chosen, "file_name": kept.name,
            "master_sha256": kept.sha256, "master_size": kept.size, "master_media_type": kept.media_type,
            "scanned_at": kept.taken_at, "pages": [asdict(page) for page in pages],
        }  # fmt: skip
        return told_in(self.door.ask("POST", "/scan-batches", json=manifest))

    def _places(self, kept: Kept, pages: list[PageCopy]) -> dict[str, tuple[int, Path, str, int]]:
        """By hash: page number (0: the master), path, media type, size."""
        home = self.folders.home(kept.sha256)
        found = {p.sha256: (p.number, copy_path(home, p.number), p.media_type, p.size) for p in pages}
        return found | {kept.sha256: (0, self.folders.master(kept.sha256), kept.media_type, kept.size)}

    def _give(self, url: str, offset: int, path: Path, size: int) -> None:
        while offset < size:
            if self._stopping():
                raise OfflineError("扫描站正在停止")
            offset = self._append(url, path, offset, min(self._chunk, size - offset))

    def _append(self, url: str, path: Path, offset: int, length: int) -> int:
        """One chunk; how far the upload is then."""
        headers = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream",
                   "Content-Length": str(length)}  # fmt: skip
        try:
            answer = self.door.ask("PATCH", url, headers=headers, content=pieces(path, offset, length))
        except OfflineError:
            self._chunk = max(min(self._chunk, length) // 2, SMALLEST_CHUNK)
            raise
        except RefusedError as refusal:
            if refusal.status == 413 and length > SMALLEST_CHUNK:
                self._chunk = max(length // 2, SMALLEST_CHUNK)
            elif refusal.slug not in ("conflict", "not-found"):
                raise
            # another offset than we thought, or expired: the platform knows best
            raise OfflineError(refusal.detail) from refusal
        self._chunk = min(self._chunk * 2, LARGEST_CHUNK)
        return _offset(answer)

    def _continued(self, sha256: str) -> tuple[str, int]:
        """Where an upload that was begun goes on; no url when there is none any more."""
        url = self.ledger.upload_url(sha256)
        if not url:
            return "", 0
        try:
            answer = self.door.ask("HEAD", url)
        except RefusedError as refusal:
            if refusal.status not in (404, 410):
                raise
            answer = None
        if answer is None or answer.headers.get("anjuan-upload-state") in ("failed", "expired", "stored"):
            self.ledger.put_upload(sha256, "")
            return "", 0
        return url, _offset(answer)

    def _begun(self, sha256: str, size: int, media_type: str, name: str) -> str:
        pairs = {"filename": name, "filetype": media_type, "sha256": sha256, "purpose": "scan_batch"}
        told = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())
        headers = {"Upload-Length": str(size), "Upload-Metadata": told}
        url = str(self.door.ask("POST", "/uploads", headers=headers).headers.get("location", ""))
        if not url:
            raise OfflineError("应答的不是平台，请检查平台地址和网络代理")
        self.ledger.put_upload(sha256, url)
        return url


def _offset(answer: httpx.Response) -> int:
    told = answer.headers.get("upload-offset", "")
    if not told.isdigit():
        raise OfflineError("应答的不是平台，请检查平台地址和网络代理")
    return int(told)
