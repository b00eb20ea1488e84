"""What the validator's answer means."""

from __future__ import annotations

import pytest

from services.ops.rig import verapdf


@pytest.mark.parametrize(("told", "broken"), [
    ("holds\n", []), ("6.1-1 no metadata\nbroken\n", ["6.1-1 no metadata"]), ("broken\n", ["broken"]),
    ("something new\n", ["something new"]),
])  # fmt: skip
def test_only_the_word_holds_says_that_a_file_conforms(told: str, broken: list[str]) -> None:
    assert verapdf._broken(told) == broken


def test_the_version_stands_in_the_pom_alone() -> None:
    assert f"<version>{verapdf.VERSION}</version>" in (verapdf.HERE / "pom.xml").read_text("utf-8")
    assert verapdf.VERSION[0].isdigit()
    assert verapdf.VERSION not in (verapdf.HERE / "__init__.py").read_text("utf-8")
