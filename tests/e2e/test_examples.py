"""The examples of every pack over the public HTTP API, against their hand-written ends; each PDF is looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pypdfium2  # type: ignore[import-untyped]
import pytest

from services.kit.testing import settle
from services.ops.demo import comparison, report
from services.ops.demo.cast import PASSWORD
from services.ops.demo.command import longest
from services.ops.demo.stage import Stage, filed_folders, pack_folders, pack_of

ALL = [(folder, name) for folder in filed_folders() for name in sorted(pack_of(folder).examples)]
SHOWN = {folder: longest(pack_of(folder)) for folder in filed_folders()}


def cases() -> list[object]:
    """One example of each pack always, the others in the long run."""
    return [
        pytest.param(folder, name, id=f"{folder.name}-{name}", marks=() if SHOWN[folder] == name else pytest.mark.long)
        for folder, name in ALL
    ]


def unread(path: Path, instrument: dict[str, Any], body: str) -> list[str]:
    """What a reader of the PDF would miss: title, number, body, marks that were to be filled in, ink on every page."""
    with pypdfium2.PdfDocument(path) as document:
        text = "".join("".join(page.get_textpage().get_text_bounded() for page in document).split())
        blank = [number for number, page in enumerate(document, 1) if _ink(page) < 0.002]
    wanted = [instrument["title"].split("（")[0], instrument["number"], body]  # 民事裁定书（撤诉） reads 民事裁定书
    missing = [word for word in wanted if "".join(word.split()) not in text]
    return missing + [mark for mark in ("【", "{{", "None") if mark in text] + [f"第 {n} 页空白" for n in blank]


def _ink(page: Any) -> float:
    """The share of a page that is not white."""
    grey = page.render(scale=0.5).to_pil().convert("L").histogram()
    return float(sum(grey[:200]) / sum(grey))


@pytest.mark.parametrize(("folder", "name"), cases())
def test_the_example_ends_as_written(stage: Stage, folder: Path, name: str, tmp_path: Path) -> None:
    for pack in pack_folders():
        stage.publish(pack)
    play = stage.play(folder, name, f"e2e-{name}")
    assert list(play.acts())
    settle(stage.rpc, stage.operator.token())
    voice = stage.voice(play.cast.sign_in(play.cast.reader()), PASSWORD, play.cast.body)
    story = report.read(voice, play.case_id, tmp_path)
    assert comparison.differences(story, play.cast.example["expect"]) == []
    assert comparison.doing_differences(play) == []
    body = str(play.cast.example["body"]["name"])
    found = {one["title"]: unread(story.papers[one["instrument_id"]], one, body) for one in story.instruments}
    assert {title: missing for title, missing in found.items() if missing} == {}
