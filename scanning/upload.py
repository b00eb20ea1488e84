"""Batches to the platform: announced by manifest, their bytes by tus 1.0, however often the line is cut."""

from __future__ import annotations

import base64
import logging
import uuid
from dataclasses import asdict
from pathlib import Path
from typing import Any

from scanning import durable
from scanning.door import Door, OfflineError, RefusedError, pieces
from scanning.folders import Folders
from scanning.ledger import Kept, Ledger
from scanning.pipeline import PageCopy, copy_path

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
    """One master is one batch, even after the station has lost its ledger."""
    return str(uuid.uuid5(_NAMESPACE, f"{station_id}:{sha256}"))


class Sender:
    """Gives the platform what is ready, and asks what has become of it."""

    def __init__(self, door: Door, folders: Folders, ledger: Ledger) -> None:
        self.door, self.folders, self.ledger = door, folders, ledger
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
            number, path, media_type = places[sha256]
            url, offset = self._continued(sha256)
            if not url:
                if not path.is_file() or durable.sha256_of(path) != sha256:
                    raise SpoiledError(number)
                name = path.name if number else kept.name
                url, offset = self._begun(sha256, path.stat().st_size, media_type, name), 0
            self._give(url, offset, path)
        self.ledger.put(kept.sha256, "sent")

    def ask(self, kept: Kept) -> bool:
        """Whether the platform has everything; what it lacks after all is given again.

        Raises:
            OfflineError, RefusedError.
        """
        try:
            found = self.door.ask("GET", f"/scan-batches/{self._batch_id(kept)}").json()
        except RefusedError as refusal:
            if refusal.status != 404:
                raise
            self.ledger.put(kept.sha256, "ready")  # the platform was restored from before this batch
            return False
        if found["state"] == "received":
            self.ledger.put(kept.sha256, "done")
            for page in self.ledger.pages(kept.sha256):
                self.ledger.put_upload(page.sha256, "")
            log.info("batch_received", extra={"file": kept.name, "batch_id": found["batch_id"]})
            return True
        if found["missing_sha256"]:
            self.ledger.put(kept.sha256, "ready")
        return False

    def _batch_id(self, kept: Kept) -> str:
        return batch_id(self.ledger.fact("station_id"), kept.sha256)

    def _announce(self, kept: Kept, pages: list[PageCopy]) -> Any:
        manifest = {
            "batch_id": self._batch_id(kept), "body_id": self.ledger.fact("body_id"), "file_name": kept.name,
            "master_sha256": kept.sha256, "master_size": kept.size, "master_media_type": kept.media_type,
            "scanned_at": kept.taken_at, "pages": [asdict(page) for page in pages],
        }  # fmt: skip
        return self.door.ask("POST", "/scan-batches", json=manifest).json()

    def _places(self, kept: Kept, pages: list[PageCopy]) -> dict[str, tuple[int, Path, str]]:
        home = self.folders.home(kept.sha256)
        found = {p.sha256: (p.number, copy_path(home, p.number), p.media_type) for p in pages}
        return found | {kept.sha256: (0, self.folders.master(kept.sha256), kept.media_type)}

    def _give(self, url: str, offset: int, path: Path) -> None:
        size = path.stat().st_size
        while offset < size:
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
            if refusal.slug not in ("conflict", "not-found"):
                raise
            # another offset than we thought, or expired: the platform knows best
            raise OfflineError(refusal.detail) from refusal
        self._chunk = min(self._chunk * 2, LARGEST_CHUNK)
        return int(answer.headers["upload-offset"])

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
        if answer is None or answer.headers["anjuan-upload-state"] in ("failed", "expired"):
            self.ledger.put_upload(sha256, "")
            return "", 0
        return url, int(answer.headers["upload-offset"])

    def _begun(self, sha256: str, size: int, media_type: str, name: str) -> str:
        pairs = {"filename": name, "filetype": media_type, "sha256": sha256, "purpose": "scan_batch",
                 "body_id": self.ledger.fact("body_id")}  # fmt: skip
        told = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())
        headers = {"Upload-Length": str(size), "Upload-Metadata": told}
        url = self.door.ask("POST", "/uploads", headers=headers).headers["location"]
        self.ledger.put_upload(sha256, url)
        return str(url)
