"""What an index is told of pages, fact by fact, is what the export gives it at once."""

from __future__ import annotations

from typing import Any

import pytest

from anjuan.archive.v1 import archive_pb2 as pb
from services.archive.model.reading import Line, Reading
from services.archive.tests import scans
from services.archive.tests.scene import CLERK, OFFICER, OPERATOR, TODAY, Scene
from services.archive.tests.test_batches import claimed, code, seen
from services.archive.tests.test_pages import arranged, filed, listed, replaced
from services.archive.usecases.facts import export_pages, tell_readings
from services.kit.errors import InvalidInputError, NotAllowedError
from services.kit.identity import system

Documents = dict[str, tuple[str, str, Any]]


def read(scene: Scene, *words: str) -> None:
    """As if read_page had read these pictures; the pages are told as it does."""
    with scene.begin(system("test")) as uow:
        for said in words:
            sha256 = scans.manifest([scans.text(said)], b"x").pages[0].sha256
            uow.readings.put(sha256, 0, Reading((Line(said, (0, 0, 9, 9), 0.9),), "test"))
            tell_readings(uow, [page.page_id for page in uow.pages.of_content(sha256) if page.case_id])


def told(scene: Scene) -> Documents:
    """An index that has only listened."""
    newest: dict[str, Any] = {}
    for event in [*scene.told("PageRead"), *scene.told("PageChanged")]:
        kept = newest.get(event.data.page_id)
        if kept is None or event.data.page.version > kept[1].data.page.version:
            newest[event.data.page_id] = (event.type == "PageRead" or event.data.read, event)
    return {key: (e.case_id, e.data.text, e.data.page) for key, (is_read, e) in newest.items() if is_read}


def exported(scene: Scene, limit: int = 2) -> Documents:
    """An index that was built anew."""
    found: Documents = {}
    after = ""
    while True:
        asked = pb.ExportPagesRequest(after_id=after, limit=limit)
        answer = export_pages(scene.begin(OPERATOR), OPERATOR, asked)
        found |= {row.page_id: (row.case_id, row.text, row.page) for row in answer.rows}
        assert all(row.version == row.page.version for row in answer.rows)
        if not (after := answer.next_after_id):
            return found


def test_the_export_gives_what_the_events_have_told(scene: Scene) -> None:
    case_id = filed(scene, *"一二三四", volume="main", seq=4)
    filed(scene, "五", case_id=case_id, volume="internal", seq=1)
    read(scene, *"一二三五七")
    first, second, third, fourth = listed(scene, case_id=case_id)
    pile = seen(scene, scans.bring(scene, scans.text("六")).batch_id).piles[0]
    (again,) = listed(scene, pile_id=pile.pile_id)
    read(scene, "六")
    replaced(scene, first, again.page_id)
    arranged(scene, second, volume="main", seq=7, hidden=True)
    arranged(scene, third, OFFICER, volume="internal", seq=3, turned=90)  # its text, turned, is not known yet
    arranged(scene, fourth, volume="main", seq=2)  # never read
    seventh = seen(scene, scans.bring(scene, scans.sheet(code(scene, case_id)), scans.text("七")).batch_id).piles[0]
    mine = scans.bring(scene, scans.text("五"))
    claimed(scene, seen(scene, mine.batch_id).piles[0], case_id)
    documents = exported(scene)
    assert documents == told(scene)
    assert {page.received_on for _, _, page in documents.values()} == {TODAY.isoformat()}  # the body's, not the wall's
    shown = {(text, page.volume_kind) for _, text, page in documents.values() if page.shown}
    assert shown == {("六", "main"), ("五", "internal"), ("七", ""), ("五", "")}
    assert {(text, page.state, page.hidden) for _, text, page in documents.values() if not page.shown} == {
        ("一", "replaced", False), ("二", "current", True)
    }  # fmt: skip
    assert seventh.state == "filed"


def test_only_operators_may_export(scene: Scene) -> None:
    filed(scene, "一")
    with pytest.raises(NotAllowedError):
        export_pages(scene.begin(CLERK), CLERK, pb.ExportPagesRequest())
    with pytest.raises(InvalidInputError):
        export_pages(scene.begin(OPERATOR), OPERATOR, pb.ExportPagesRequest(limit=501))
