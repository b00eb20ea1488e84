"""Pages come to a case: at its end, or behind a page that is there."""

from __future__ import annotations

from collections.abc import Sequence

from anjuan.archive.v1.events_pb2 import PagesReceived
from services.archive.model import catalogue
from services.archive.model.pages import Page
from services.archive.model.scans import Pile
from services.archive.store import ArchiveUnit
from services.archive.store.cases import CaseCard
from services.archive.store.packs import Packs
from services.archive.store.pages import STEP
from services.archive.usecases.facts import tell_readings
from services.archive.usecases.telling import card, tell
from services.kit.errors import InvalidInputError


def place_of(uow: ArchiveUnit, packs: Packs, case: CaseCard, volume: str, seq: int) -> tuple[str, int, bool]:
    """Volume, item, and whether it is the internal volume; all empty for pages not yet catalogued.

    Raises:
        InvalidInputError: no such volume or item in the case's pack.
    """
    if not volume:
        if seq:
            raise InvalidInputError("指定目录项时须同时指定卷", [{"pointer": "/volume", "detail": "必填"}])
        return "", 0, False
    pack = packs.pinned(uow.connection, case.pack)
    if seq:
        return volume, seq, catalogue.item(pack, volume, seq).is_internal
    return volume, 0, catalogue.rule_of(pack, volume).kind == "internal"


def positions_behind(uow: ArchiveUnit, case_id: str, after_page_id: str, count: int) -> list[int]:
    """Positions for so many new pages; pages behind the place move on when there is no room between them.

    Raises:
        InvalidInputError: the page to insert behind is not a current page of the case.
    """
    if not after_page_id:
        last = uow.pages.last_position(case_id)
        return [last + STEP * (n + 1) for n in range(count)]
    current = sorted(uow.pages.of_case(case_id), key=lambda page: page.position)
    at = next((n for n, page in enumerate(current) if page.page_id == after_page_id), None)
    if at is None:
        wrong = [{"pointer": "/after_page_id", "detail": "不是本案现有的页"}]
        raise InvalidInputError("要插入的位置不是本案现有的页，请刷新后再选", wrong)
    start = current[at].position
    following = current[at + 1 :]
    room = (following[0].position - start if following else STEP * (count + 1)) // (count + 1)
    if room < 1:
        uow.pages.place({page.page_id: page.position + STEP * (count + 1) for page in following})
        room = STEP
    return [start + room * (n + 1) for n in range(count)]


def file_pages(
    uow: ArchiveUnit, case: CaseCard, pile: Pile, pages: Sequence[Page], place: tuple[str, int, bool],
    after_page_id: str = "",
) -> None:  # fmt: skip
    """Give pages of a pile to a case, and tell it; the case is locked by the caller."""
    volume, seq, is_internal = place
    spots = positions_behind(uow, case.case_id, after_page_id, len(pages))
    ids = [page.page_id for page in pages]
    uow.pages.change(ids, case_id=case.case_id, volume=volume, seq=seq, is_internal=is_internal)
    uow.pages.place(dict(zip(ids, spots, strict=True)))
    told = [page.page_id for page in pages if page.kind != "cover"]
    tell(uow, case, PagesReceived(
        batch_id=pile.batch_id, pages=sum(page.is_shown for page in pages), pile_id=pile.pile_id, volume=volume,
        seq=seq, page_ids=told, card=card(uow, case.case_id),
    ))  # fmt: skip
    tell_readings(uow, ids)
