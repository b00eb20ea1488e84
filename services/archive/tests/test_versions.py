"""Whoever changes paper says from which version: without it, or with one that has passed, nothing changes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from anjuan.archive.v1 import archive_pb2 as pb
from services.archive.tests import scans
from services.archive.tests.scene import CLERK, Scene
from services.archive.tests.test_batches import seen
from services.archive.tests.test_pages import filed, listed
from services.archive.usecases import batches, pages, piles
from services.kit.errors import PreconditionError, VersionMissingError

Act = Callable[[int], object]


def acts(scene: Scene) -> dict[str, Act]:
    """Each of them with the version that it names."""
    case_id = filed(scene, "一")
    (page,), bringing = listed(scene, case_id=case_id), scans.bring(scene, scans.text("二"))
    batch = seen(scene, bringing.batch_id)
    pile_id, (new,) = batch.piles[0].pile_id, listed(scene, pile_id=batch.piles[0].pile_id)

    def count(version: int) -> None:
        asked = pb.CountScanBatchRequest(batch_id=batch.batch_id, paper_pages=1, if_version=version)
        batches.count_scan_batch(scene.begin(CLERK), CLERK, asked)

    def claim(version: int) -> None:
        asked = pb.ClaimScanPileRequest(pile_id=pile_id, case_id=case_id, if_version=version)
        piles.claim_scan_pile(scene.begin(CLERK), scene.packs, CLERK, asked)

    def discard(version: int) -> None:
        asked = pb.DiscardScanPileRequest(pile_id=pile_id, reason="重复扫描", if_version=version)
        piles.discard_scan_pile(scene.begin(CLERK), CLERK, asked)

    def arrange(version: int) -> None:
        asked = pb.ArrangePageRequest(page_id=page.page_id, hidden=True, if_version=version)
        pages.arrange_page(scene.begin(CLERK), scene.packs, CLERK, asked)

    def replace(version: int) -> None:
        asked = pb.ReplacePageRequest(page_id=page.page_id, with_page_id=new.page_id, reason="模糊", if_version=version)
        pages.replace_page(scene.begin(CLERK), CLERK, asked)

    return {act.__name__: act for act in (count, claim, discard, arrange, replace)}


def test_paper_changes_only_as_it_was_read(scene: Scene) -> None:
    state = "select (select count(*) from audit) || ' ' || (select count(*) from outbox)"
    tried = acts(scene)
    before = scene.ask(state)
    for act in tried.values():
        with pytest.raises(VersionMissingError, match="If-Match"):
            act(0)
        with pytest.raises(PreconditionError):
            act(987_654_321)
    assert scene.ask(state) == before
