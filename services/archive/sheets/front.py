"""封面 and 卷内目录 of a volume as PDF/A."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from services.archive.sheets.press import press


@dataclass(frozen=True)
class Front:
    """What stands on cover and catalogue; days as YYYY-MM-DD or empty, entries as in model/volumes.Entry."""

    body: str
    kind: str
    part: int
    number: str
    title: str
    cause: str
    parties: str
    received_on: str
    docketed_on: str
    closed_on: str
    bound_on: str
    pages: int
    entries: Sequence[dict[str, Any]]


def front_sheets(front: Front) -> bytes:
    """The cover, then as many catalogue pages as it takes."""
    return press("dossier", asdict(front))
