"""Publications whose day cannot be reckoned."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import text

from services.documents.tests.scene import PROVINCE, Scene
from services.documents.tests.test_serving import begun
from services.documents.usecases import serve
from services.kit.identity import system


def test_those_that_cannot_be_reckoned_starve_no_later_one(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """They fill all that is taken at once; they are tried and named once a legal day, and again when mended."""
    monkeypatch.setattr(serve, "AT_ONCE", 1)
    first, second = begun(scene)
    scene.moves(PROVINCE, date(2026, 12, 20))
    for serving in (first, second):
        proven = scene.prove(serving.serving_id, method="publication", left_on="2026-12-15", note="下落不明")
    last = date.fromisoformat(proven.served_on)
    rule = text("update servings set limit_rule = limit_rule || cast(:rule as jsonb) where serving_id = :s returning 1")
    with scene.host.engine.begin() as connection:
        kept = connection.execute(text("select limit_rule::text from servings where serving_id = :s"),
                                  {"s": first.serving_id}).scalar_one()  # fmt: skip
        connection.execute(rule, {"rule": '{"id": "no-such", "amount": "?"}', "s": first.serving_id})

    def named() -> int:
        return len([one for one in caplog.records if one.message == "serving_not_reckoned"])

    scene.moves(PROVINCE, last)
    assert [told.data.serving_id for told in scene.told("InstrumentServed")] == [second.serving_id]
    with scene.begin(system("tick")) as uow:
        serve.deem_published(uow, PROVINCE)
    assert named() == 1
    scene.moves(PROVINCE, last + timedelta(days=1))
    assert named() == 2
    with scene.host.engine.begin() as connection:
        connection.execute(rule, {"rule": kept, "s": first.serving_id})
    scene.moves(PROVINCE, last + timedelta(days=2))
    assert named() == 2
    assert scene.told("InstrumentServed")[1].data.serving_id == first.serving_id
