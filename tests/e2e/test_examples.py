"""Every pack's examples over the public HTTP API, against their hand-written ends."""

from __future__ import annotations

import pytest

from services.kit.procedure.bundle import load_folder
from services.kit.testing import settle
from services.ops.demo import report
from services.ops.demo.cast import PASSWORD
from services.ops.demo.command import longest
from services.ops.demo.stage import Stage, pack_folders

ALL = [(folder, name) for folder in pack_folders() for name in sorted(load_folder(folder).examples)]
SHOWN = {folder: longest(load_folder(folder)) for folder in pack_folders()}


def cases() -> list[object]:
    """One example of each pack always, the others in the long run."""
    return [
        pytest.param(folder, name, id=f"{folder.name}-{name}", marks=() if SHOWN[folder] == name else pytest.mark.long)
        for folder, name in ALL
    ]


@pytest.mark.parametrize(("folder", "name"), cases())
def test_the_example_ends_as_written(stage: Stage, folder: object, name: str) -> None:
    play = stage.play(folder, name, f"e2e-{name}")  # type: ignore[arg-type]
    assert list(play.acts())
    settle(stage.rpc, stage.operator.token())
    voice = stage.voice(play.cast.sign_in(play.cast.reader()), PASSWORD, play.cast.body)
    assert report.differences(report.read(voice, play.case_id), play.cast.example["expect"]) == []
