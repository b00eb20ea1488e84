"""The real parts are there for every test, beside the service or under tests/; a session leaves no process."""

from __future__ import annotations

import pytest

from services.ops.rig import leftovers

pytest_plugins = ["services.ops.rig.fixtures"]


def pytest_sessionstart() -> None:
    """Everything that is started from here on is known as this session's."""
    leftovers.mark()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A process that outlives its session is a failure of that session, not of the next one."""
    if left := list(leftovers.end(leftovers.lasting())):
        lines = "\n".join(f"LEFT RUNNING: {one}" for one in left)
        session.config.get_terminal_writer().line(f"\n{lines}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
