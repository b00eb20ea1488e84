"""A copy of the real penalty pack that a test may spoil."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from services.kit.procedure.check import check_folder
from services.kit.procedure.model import Finding
from services.kit.settings import procedures_dir

# enough to be spoilt; the whole pack is checked by test_shipped_packs_are_clean
KEPT = ("report-docketed", "inspection-not-docketed")


class Copy:
    """A pack folder under tmp_path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace a text that must be there."""
        path = self.folder / file
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), "utf-8")

    def found(self) -> list[Finding]:
        """What the check says."""
        return check_folder(self.folder)

    def says(self, words: str) -> Finding:
        """The one finding with these words; it has a file, a line and a mend."""
        found = [f for f in self.found() if words in f.message]
        assert found, [str(f) for f in self.found()]
        assert found[0].mend
        return found[0]


@pytest.fixture
def penalty(tmp_path: Path) -> Copy:
    """procedures/admin-penalty-general, to be spoilt."""
    folder = tmp_path / "admin-penalty-general"
    shutil.copytree(procedures_dir() / "admin-penalty-general", folder)
    for example in folder.glob("examples/*.yaml"):
        if example.name.partition(".")[0] not in KEPT:
            example.unlink()
    return Copy(folder)
