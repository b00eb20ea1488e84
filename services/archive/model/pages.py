"""Pages of a dossier."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

BROKEN = "broken"  # in place of a thumbnail: the copy is no picture


@dataclass(frozen=True)
class Page:
    """One side of a leaf.

    `kind`: page, blank, cover. `state`: current, replaced (kept, no longer shown), discarded. `number` is its place
    in the scanned file, `position` that among the pages of its case, `page_number` that in a bound volume. `turned`:
    degrees clockwise that a clerk has turned the copy by. `source`: scan, instrument, material; `source_id` its batch,
    instrument, or the material's hash. `told`: how many facts others have been told of it.
    """

    page_id: str
    batch_id: str
    pile_id: str
    body_id: str
    case_id: str
    number: int
    kind: str
    sha256: str
    media_type: str
    width: int
    height: int
    dpi: int
    turned: int
    is_hidden: bool
    is_internal: bool
    volume: str
    seq: int
    position: int
    state: str
    replaced_by: str
    replaces: str
    thumbnail_sha256: str
    volume_id: str
    page_number: int
    received_at: datetime
    version: int
    source: str = "scan"
    source_id: str = ""
    title: str = ""
    master_sha256: str = ""
    master_media_type: str = ""
    told: int = 0
    received_on: date | None = None  # the body's legal date; pages from before it was kept have none

    @property
    def is_shown(self) -> bool:
        """Whether it counts as a page of the dossier."""
        return self.state == "current" and not self.is_hidden
