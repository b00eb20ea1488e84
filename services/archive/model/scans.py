"""Scan batches: a manifest that fits together, and the piles between its separator sheets."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.kit.errors import InvalidInputError

MOST_PAGES = 2500
KINDS = ("page", "blank", "cover")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MASTERS = ("application/pdf", "image/tiff", "image/jpeg", "image/png")
_COPIES = ("image/jpeg", "image/png")
REASONS = {
    "no_cover": "没有分隔页", "unreadable": "分隔页无法识别", "foreign": "分隔页属于其他机关",
    "unknown": "分隔页不是本平台打印的", "archived": "案件已归档",
}  # fmt: skip


@dataclass(frozen=True)
class Batch:
    """One scanned file. `state`: receiving, received. `manifest`: its pages as the sender told them."""

    batch_id: str
    body_id: str
    owner_id: str
    owner_name: str
    file_name: str
    state: str
    master_sha256: str
    master_size: int
    master_media_type: str
    scanned_at: datetime
    received_at: datetime | None
    manifest: list[dict[str, Any]]
    paper_pages: int | None
    counted_by_name: str
    counted_at: datetime | None
    count_note: str
    version: int

    def of_kind(self, kind: str) -> int:
        """How many of its pages are page, blank or cover."""
        return sum(page["kind"] == kind for page in self.manifest)

    @property
    def count_state(self) -> str:
        """not_counted, agrees, differs."""
        if self.paper_pages is None:
            return "not_counted"
        return "agrees" if self.paper_pages == self.of_kind("page") else "differs"

    @property
    def contents(self) -> set[str]:
        """Hashes of all bytes that belong to it."""
        return {self.master_sha256, *(str(page["sha256"]) for page in self.manifest)}


@dataclass(frozen=True)
class Pile:
    """Pages behind one sheet. `state`: filed, unclaimed, discarded."""

    pile_id: str
    batch_id: str
    body_id: str
    ordinal: int
    state: str
    reason: str
    case_id: str
    volume: str
    seq: int
    pages: int
    blanks: int
    first_number: int
    last_number: int
    claimed_by: str
    claimed_by_name: str
    claimed_at: datetime | None
    claim_note: str
    received_at: datetime
    version: int


def check_batch(
    batch_id: str, master: tuple[str, int, str], scanned_at: str, pages: Sequence[Mapping[str, Any]]
) -> None:
    """All that is wrong with a manifest, at once; `master`: sha256, size, media type.

    Raises:
        InvalidInputError: with one entry for each wrong field.
    """
    wrong = [fault for fault in (
        _fault(_is_uuid(batch_id), "/batch_id", "须为 UUID"),
        _fault(bool(_SHA256.fullmatch(master[0])), "/master_sha256", "须为 64 位小写十六进制"),
        _fault(master[1] > 0, "/master_size", "文件不能为空"),
        _fault(master[2] in _MASTERS, "/master_media_type", f"须为 {'、'.join(_MASTERS)} 之一"),
        _fault(_is_instant(scanned_at), "/scanned_at", "须为带时区的时间，例如 2025-03-03T09:00:00+08:00"),
        _fault(1 <= len(pages) <= MOST_PAGES, "/pages", f"须有 1 至 {MOST_PAGES} 页"),
    ) if fault]  # fmt: skip
    for index, page in enumerate(pages[:MOST_PAGES]):
        wrong += _page_faults(index, page)
    if wrong:
        raise InvalidInputError("扫描批次清单有误，请检查扫描站的版本", wrong[:50])


def _fault(right: bool, pointer: str, detail: str) -> dict[str, str] | None:
    return None if right else {"pointer": pointer, "detail": detail}


def _page_faults(index: int, page: Mapping[str, Any]) -> list[dict[str, str]]:
    at = f"/pages/{index}"
    sizes = all(0 < int(page[name]) <= 100_000 for name in ("width", "height", "dpi"))
    return [fault for fault in (
        _fault(page["number"] == index + 1, f"{at}/number", f"页序应为 {index + 1}"),
        _fault(page["kind"] in KINDS, f"{at}/kind", f"须为 {'、'.join(KINDS)} 之一"),
        _fault(bool(_SHA256.fullmatch(page["sha256"])), f"{at}/sha256", "须为 64 位小写十六进制"),
        _fault(page["media_type"] in _COPIES, f"{at}/media_type", f"须为 {'、'.join(_COPIES)} 之一"),
        _fault(page["rotation"] in (0, 90, 180, 270), f"{at}/rotation", "须为 0、90、180 或 270"),
        _fault(bool(page["cover"]) == (page["kind"] == "cover"), f"{at}/cover", "分隔页须有识别内容，其他页不得有"),
        _fault(len(page["cover"]) <= 200 and sizes and int(page["size"]) > 0, at, "尺寸或内容超出范围"),
    ) if fault]  # fmt: skip


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _is_instant(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def piles_of(pages: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Pages cut before each sheet; blanks that lead the batch go with the first pile behind them."""
    cut: list[list[Mapping[str, Any]]] = []
    for page in pages:
        if not cut or (page["kind"] == "cover" and any(p["kind"] != "blank" for p in cut[-1])):
            cut.append([])
        cut[-1].append(page)
    return cut


def cover_of(pile: Sequence[Mapping[str, Any]]) -> str:
    """What the pile's sheet says; empty without one."""
    return next((str(page["cover"]) for page in pile if page["kind"] == "cover"), "")
