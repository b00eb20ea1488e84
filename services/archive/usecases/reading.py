"""Jobs: small pictures of a batch's pages, then reading every written side; pages that have a case are told."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from services.archive.model.pages import BROKEN, Page
from services.archive.model.reading import Reading
from services.archive.store import ArchiveUnit
from services.archive.usecases.facts import tell_readings
from services.kit import clock, jobs
from services.kit.objects import put_bytes, sha256_key
from services.kit.run import Host

PREPARE, READ = "prepare_batch", "read_page"
# before the pages that wait to be read: somebody waits for it
AHEAD = timedelta(days=1)
log = logging.getLogger("anjuan.archive")


def prepare_batch(host: Host, payload: Mapping[str, Any]) -> None:
    """Job: thumbnails, then a reading for each written side. Safe to run twice."""
    from services.archive.optics.pictures import thumbnail

    uow: ArchiveUnit = host.begin_as_system(PREPARE)
    with uow:
        pages = uow.pages.of_batch(str(payload["batch_id"]))
    made: dict[str, str] = {}
    for page in pages:
        if page.sha256 in made or page.thumbnail_sha256:
            continue
        try:
            small = thumbnail(host.objects.get(sha256_key(page.sha256)))
            made[page.sha256] = put_bytes(host.objects, small, "image/jpeg")
        except (OSError, ValueError) as error:
            made[page.sha256] = BROKEN
            log.warning("page_is_no_picture", extra={"page_id": page.page_id, "error": str(error)})
    with uow:
        uow.pages.put_thumbnails(made)
        want_readings(uow, pages)


def want_readings(uow: ArchiveUnit, pages: Iterable[Page]) -> None:
    """A job for every written side that nobody has read; the thumbnails of all go first."""
    wanted = {(page.sha256, page.turned) for page in pages if page.kind == "page" or page.is_shown}
    known = uow.readings.confidences(sha256 for sha256, _ in wanted)
    for sha256, turned in sorted(wanted - known.keys()):
        jobs.add(uow, READ, {"sha256": sha256, "turned": turned})


def read_page(host: Host, payload: Mapping[str, Any]) -> None:
    """Job: read one picture and tell it for every page of a case that shows it. Safe to run twice."""
    from services.archive.optics.ocr import read_picture

    sha256, turned = str(payload["sha256"]), int(payload["turned"])
    uow: ArchiveUnit = host.begin_as_system(READ)
    with uow:
        found = uow.readings.find(sha256, turned)
    if found is None:
        began = clock.monotonic()
        found = read_picture(host.objects.get(sha256_key(sha256)), turned)
        log.info("page_read", extra={"sha256": sha256, "seconds": round(clock.monotonic() - began, 1)})
        while not _kept(uow, sha256, turned, found):
            log.info("page_claimed_meanwhile", extra={"sha256": sha256})


def _kept(uow: ArchiveUnit, sha256: str, turned: int, found: Reading) -> bool:
    """Cases are locked before pages, as whoever claims does; False when a page came to another case in between."""
    with uow:
        cases = {page.case_id for page in uow.pages.of_content(sha256) if page.case_id}
        uow.lock(*cases)
        pages = uow.pages.of_content(sha256, locked=True)
        if not {page.case_id for page in pages if page.case_id} <= cases:
            return False
        if uow.readings.find(sha256, turned) is not None:
            return True
        uow.readings.put(sha256, turned, found)
        tell_readings(uow, [page.page_id for page in pages if page.case_id and page.turned == turned])
        return True
