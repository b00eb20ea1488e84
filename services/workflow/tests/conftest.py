"""A clean desk for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.ops.rig.archive import ArchiveBeside
from services.ops.rig.session import Rig
from services.workflow.tests.desk import Desk


@pytest.fixture(scope="session")
def empty_desk(rig: Rig, archive_beside: ArchiveBeside) -> Iterator[Desk]:
    """One database and one door for all tests."""
    one = Desk(rig, archive_beside).open()
    try:
        yield one
    finally:
        one.close()


@pytest.fixture
def desk(empty_desk: Desk) -> Desk:
    """workflow with people in three bodies on 2025-03-03, no packs yet."""
    return empty_desk.furnish()
