"""What an error of the database may say: its kind and its sentence, never the row or the parameters."""

from __future__ import annotations

import errno
import logging
from typing import Any

import psycopg2
import psycopg2.errors
import pytest
import structlog
from PIL import UnidentifiedImageError
from psycopg import errors as state
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from services.kit import logs
from services.kit.database import open_engine
from services.kit.errors import DATABASE, UnavailableError, outage
from services.kit.inbox.streams import _said
from services.ops.rig.session import Rig

NAME = "欧阳举报"
TWO_LINES = f"{NAME}\n第二行"


@pytest.mark.parametrize(("kind", "of_driver", "passes"), [
    (OperationalError, state.AdminShutdown(), True), (OperationalError, state.DeadlockDetected(), True),
    (OperationalError, state.DiskFull(), True), (OperationalError, state.IoError(), True),
    (OperationalError, state.LockNotAvailable(), True), (OperationalError, state.ConnectionFailure(), True),
    (InternalError, state.SerializationFailure(), True),
    (OperationalError, psycopg2.OperationalError("server closed the connection"), True),
    (InterfaceError, psycopg2.InterfaceError("connection already closed"), True),
    (OperationalError, state.ProgramLimitExceeded(), False), (OperationalError, state.StatementTooComplex(), False),
    (OperationalError, state.QueryCanceled(), False), (IntegrityError, state.UniqueViolation(), False),
    (IntegrityError, psycopg2.IntegrityError("no state"), False),
])  # fmt: skip
def test_only_trouble_of_the_database_passes(kind: type[DBAPIError], of_driver: Any, passes: bool) -> None:
    assert outage(kind("select 1", None, of_driver)) == (DATABASE if passes else "")


@pytest.mark.parametrize(("error", "away"), [
    (UnavailableError("案件尚未同步"), "相关服务"), (PoolTimeoutError("no connection"), DATABASE),
    (OSError(errno.ENOSPC, "No space left on device"), "文件存储"), (ConnectionRefusedError(), "相关服务"),
    (BrokenPipeError(), ""),
    (UnidentifiedImageError("no picture"), ""), (FileNotFoundError(errno.ENOENT, "no such program"), ""),
    (ValueError("ours"), ""),
])  # fmt: skip
def test_what_else_passes(error: Exception, away: str) -> None:
    assert outage(error) == away


@pytest.mark.integration
@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_no_error_names_the_reporter(rig: Rig, driver: str) -> None:
    engine = open_engine(rig.fresh_database("errors"), "errors", driver, pool=1)
    insert = text("insert into reporters values (:name)")
    with engine.connect() as connection:
        connection.execute(text("create temporary table reporters (name text unique)"))
        connection.execute(insert, {"name": NAME})
        with pytest.raises(IntegrityError) as refused:
            connection.execute(insert, {"name": NAME})
    engine.dispose()
    assert NAME in str(refused.value)  # the server's own DETAIL
    assert NAME not in str(refused.value.statement) + str(refused.value).split("[SQL:")[1]
    said = _said(refused.value)
    assert "23505 duplicate key value" in said
    assert NAME not in said


@pytest.mark.integration
def test_no_log_line_shows_a_row(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    engine = open_engine(rig.fresh_database("errors"), "errors", pool=1)
    before = logging.getLogger().handlers[:]
    logs.configure("left")
    try:
        with engine.begin() as connection:
            connection.execute(text("create temporary table t (name text check (name = ''))"))
            connection.execute(text("insert into t values (:name)"), {"name": TWO_LINES})
    except IntegrityError as error:
        logging.getLogger("anjuan.test").exception("refused", extra={"error": str(error)})
    finally:
        logging.getLogger().handlers[:] = before
        structlog.reset_defaults()
        engine.dispose()
    written = capsys.readouterr().err
    assert "violates check constraint" in written
    assert NAME not in written
    assert "第二行" not in written
