"""A case that cannot be counted stops no other case of the tick."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest
import yaml
from sqlalchemy import text

from services.kit.settings import domain_dir
from services.supervision.tests.scene import Scene

pytestmark = pytest.mark.integration


def test_a_case_of_an_unknown_pack_does_not_hold_back_the_others(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for case in ("c1", "c2", "c3"):
        scene.file(case, "2026-12-25")  # 15 working days lead into 2027
    with scene.host.engine.begin() as connection:
        connection.execute(text("update clocks set pack_version = '0.0.0' where case_id = 'c2'"))
    shutil.copytree(domain_dir(), tmp_path / "domain")
    calendar = tmp_path / "domain" / "calendar.yaml"
    data = yaml.load(calendar.read_text(), Loader=yaml.CSafeLoader)
    data["years"][2027] = {"days_off_on_weekdays": ["2027-01-01"], "working_weekends": []}
    calendar.write_text(yaml.safe_dump(data, allow_unicode=True))
    monkeypatch.setenv("ANJUAN_DOMAIN_DIR", str(tmp_path / "domain"))
    scene.go("2025-03-04")
    due = [scene.clock(case, "samr-verify-clue")["due_on"] for case in ("c1", "c2", "c3")]
    assert due == [date(2027, 1, 18), date(2027, 1, 15), date(2027, 1, 18)]
    recounted = [e.case_id for e in scene.told("DueDayChanged") if e.data.why == "recounted"]
    assert recounted == ["c1", "c3"]
    assert [r.case_id for r in caplog.records if r.message == "case_not_counted"] == ["c2"]  # type: ignore[attr-defined]
