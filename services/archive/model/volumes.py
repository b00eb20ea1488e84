"""Bound volumes: the lines of a catalogue, what stands in the way of binding, and how long a dossier is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any

from services.archive.model.catalogue import Item
from services.archive.model.pages import Page
from services.kit.clock import CHINA
from services.kit.errors import InvalidInputError

# 人民法院诉讼档案保管期限: 永久, 60 years, 20 years (domain/volumes.yaml). No store locks for ever: permanent is
# locked for a hundred years, and may be locked anew before they end.
RETENTION = {"permanent": ("永久", 100), "long_term": ("长期", 60), "short_term": ("短期", 20)}
UNSAID = ("未定", 20)  # locked as the shortest; a lock can be made longer, never shorter


@dataclass(frozen=True)
class Volume:
    """One bound book. `state`: asked, binding, bound, refused. `part`: 第几册; `page_ids` in order, from page 1.

    `closing_note`: what its 备考表 says (`note`, `missing`), empty without one; `asked_by`: who had it bound, 立卷人.
    """

    volume_id: str
    case_id: str
    body_id: str
    volume: str
    part: int
    is_internal: bool
    state: str
    reason: str
    call: dict[str, Any]
    page_ids: list[str]
    entries: list[dict[str, Any]]
    pdf_sha256: str
    size: int
    bound_on: date | None
    bound_at: datetime | None
    asked_by: str
    closing_note: dict[str, Any]


@dataclass(frozen=True)
class Paper:
    """A document that comes as a file and becomes pages: an instrument, its receipt, a material of the filing.

    `state`: expected (issued, but its own room has not told it here yet), waiting, filed, kept (it cannot be shown as
    pages; `reason` says why).
    """

    paper_id: str
    case_id: str
    body_id: str
    source: str
    source_id: str
    volume: str
    seq: int
    is_internal: bool
    title: str
    number: str
    dated: str
    sha256: str
    state: str
    reason: str


@dataclass(frozen=True)
class Dossier:
    """What is locked. `state`: asked, archiving, archived, refused; `is_locked`: the store itself forbids removal."""

    dossier_id: str
    case_id: str
    body_id: str
    state: str
    reason: str
    call: dict[str, Any]
    retention: str
    archived_on: date
    locked_until: datetime
    manifest_sha256: str
    objects: int
    is_locked: bool
    archived_at: datetime | None

    @property
    def lock_ends(self) -> str:
        """As people in China read it."""
        return self.locked_until.astimezone(CHINA).isoformat()


@dataclass(frozen=True)
class Entry:
    """One line of 卷内目录: pages of one document, in one catalogue item."""

    seq: int
    item: str
    title: str
    number: str
    dated: str
    first: int
    last: int

    def as_json(self) -> dict[str, Any]:
        """As it lies in the database."""
        return asdict(self)


def item_of(items: Sequence[Item], seq: int) -> Item:
    """The catalogue line of a page; one that is in the volume but in no line belongs to the rest, else to the last."""
    rest = next((i for i in items if i.rule is not None and i.rule.rest), items[-1])
    return next((i for i in items if i.seq == seq), rest)


def ordered(items: Sequence[Item], pages: Iterable[Page]) -> list[Page]:
    """Shown pages as they are bound: by catalogue line, then as they stand."""
    shown = [page for page in pages if page.is_shown]
    return sorted(shown, key=lambda page: (item_of(items, page.seq).seq, page.position, page.page_id))


def entries(items: Sequence[Item], pages: Sequence[Page], papers: Mapping[str, Paper]) -> list[Entry]:
    """Lines over ordered pages; scans of one line stand together, every paper for itself."""
    found: list[Entry] = []

    def document(numbered: tuple[int, Page]) -> tuple[int, str]:
        page = numbered[1]
        return item_of(items, page.seq).seq, "" if page.source == "scan" else page.source_id

    for (seq, source_id), group in groupby(enumerate(pages, 1), document):
        numbers = [number for number, _ in group]
        item, paper = item_of(items, seq), papers.get(source_id)
        found.append(Entry(
            seq, item.name, paper.title if paper else item.name, paper.number if paper else "",
            paper.dated if paper else "", numbers[0], numbers[-1],
        ))  # fmt: skip
    return found


def kept_until(retention: str, archived_on: date) -> tuple[str, date]:
    """Its Chinese name, and the day until which the bytes are locked.

    Raises:
        InvalidInputError: no such period.
    """
    if retention and retention not in RETENTION:
        raise InvalidInputError(f"保管期限“{retention}”有误，应为 {'、'.join(RETENTION)} 之一")
    name, years = RETENTION.get(retention, UNSAID)
    # 29 February ends on 1 March: never a day too early
    day = archived_on.replace(day=1, month=3) if (archived_on.month, archived_on.day) == (2, 29) else archived_on
    return name, day.replace(year=day.year + years)
