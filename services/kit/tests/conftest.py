"""The two test rooms, fresh for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.kit.tests.house import House
from services.ops.rig.session import Rig


@pytest.fixture
def house(rig: Rig) -> Iterator[House]:
    one = House(rig)
    try:
        yield one.open()
    finally:
        one.close()
