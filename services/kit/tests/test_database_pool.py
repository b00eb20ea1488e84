"""A connection that has rested is asked whether it lives; one that was just used is not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from services.kit import clock
from services.kit.database import RESTED_SECONDS, open_engine
from services.kit.errors import DATABASE, outage
from services.kit.testing import until
from services.ops.rig.session import Rig

pytestmark = pytest.mark.integration
PID, END = text("select pg_backend_pid()"), text("select pg_terminate_backend(:pid)")


@pytest.fixture(params=["psycopg", "psycopg2"])
def engines(rig: Rig, request: pytest.FixtureRequest) -> Iterator[tuple[Engine, Engine]]:
    """One with a single connection, and one by which that is cut."""
    settings = rig.fresh_database("pool")
    made = [open_engine(settings, "pool", request.param, pool=1) for _ in range(2)]
    yield made[0], made[1]
    for one in made:
        one.dispose()


def _used(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(PID).scalar_one())


def _cut(engine: Engine, pid: int) -> None:
    with engine.connect() as connection:
        connection.execute(END, {"pid": pid})


def test_one_that_was_cut_while_it_rested_is_replaced(engines: tuple[Engine, Engine]) -> None:
    engine, other = engines
    cut = _used(engine)
    _cut(other, cut)
    rested = clock.monotonic() + RESTED_SECONDS
    until(lambda: clock.monotonic() > rested, 5, "a rest")
    assert _used(engine) != cut


def test_one_that_was_cut_right_after_its_use_is_an_outage_once(engines: tuple[Engine, Engine]) -> None:
    engine, other = engines
    _used(other)
    cut = _used(engine)
    with other.connect() as connection:
        connection.execute(END, {"pid": cut})
        with pytest.raises(DBAPIError) as gone:
            _used(engine)
    assert outage(gone.value) == DATABASE
    assert _used(engine) != cut
