"""What an index is built from: every issued instrument as its events told it, for operators alone."""

from __future__ import annotations

from typing import Any

import pytest

from anjuan.documents.v1 import documents_pb2 as pb
from services.documents import views
from services.documents.tests.packs import NOTICE
from services.documents.tests.scene import LEADER, Scene
from services.documents.tests.test_issue import NOTICE_FIELDS
from services.documents.tests.test_serving import begun
from services.kit.errors import NotAllowedError
from services.kit.identity import Actor

OPERATOR = Actor("operator", "p-operator", "运维")


def exported(scene: Scene) -> list[Any]:
    rows: list[Any] = []
    after = ""
    while True:
        with scene.begin(OPERATOR) as uow:
            answer = views.export_instruments(uow, pb.ExportInstrumentsRequest(after_id=after, limit=1))
        rows += answer.rows
        if not (after := answer.next_after_id):
            return rows


def test_the_export_gives_text_and_servings_as_they_were_told(scene: Scene) -> None:
    first, _ = begun(scene)
    scene.prove(first.serving_id, served_on="2025-03-05")
    scene.draft(scene.case(), NOTICE, NOTICE_FIELDS)
    (row,) = exported(scene)
    (issued,), (served,) = scene.told("InstrumentIssued"), scene.told("InstrumentServed")
    told = issued.data
    assert "江市监询通〔2025〕1号" in row.text
    assert (row.instrument_id, row.case_id, row.title, row.number, row.issued_on, row.internal, row.text) == (
        told.instrument_id, issued.case_id, told.title, told.number, told.issued_on, told.internal, told.text
    )  # fmt: skip
    (account,) = (list(one.account_ids) for one in row.served)
    assert account == list(served.data.account_ids) != []
    assert [one.serving_id for one in row.served] == [first.serving_id]


def test_only_operators_export(scene: Scene) -> None:
    with scene.begin(LEADER) as uow, pytest.raises(NotAllowedError):
        views.export_instruments(uow, pb.ExportInstrumentsRequest())
