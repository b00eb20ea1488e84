"""One scripted platform with a door of the tests' own and a world of objects that different people made."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from services.ops.demo.stage import Stage, open_stage
from services.ops.trial import Platform
from tests.contract import fits_accounts, fits_search  # noqa: F401 add their requests
from tests.contract.door import open_door
from tests.contract.world import World, build


@pytest.fixture(scope="session")
def stage(platform: Platform) -> Iterator[Stage]:
    """The session's platform, spoken to by its operator."""
    with open_stage(platform.installation) as one:
        yield one


@pytest.fixture(scope="session")
def http(platform: Platform) -> Iterator[httpx.Client]:
    """Nobody's way to the API; rates are out of the way."""
    address = open_door(platform.environment, per_minute=10**6, sign_in_per_minute=10**6)
    with address as where, httpx.Client(base_url=where, timeout=120) as client:
        yield client


@pytest.fixture(scope="session")
def world(stage: Stage, http: httpx.Client) -> World:
    """Built once."""
    return build(stage, http)
