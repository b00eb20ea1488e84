"""The sockets by which LibreOffice is spoken to: it makes them in /tmp whatever TMPDIR says, and leaves them there when
it is killed."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import psutil

NAME = "OSL_PIPE_"
LIST = "sockets"  # in the folder of an office: for whoever clears up after one that was killed with its owner


def note(folder: Path, pid: int) -> None:
    """Write down what the process and its children listen on."""
    found: set[str] = set()
    with suppress(psutil.NoSuchProcess):
        tree = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        found = {str(c.laddr) for one in tree for c in one.net_connections("unix") if NAME in str(c.laddr)}
    (folder / LIST).write_text("\n".join(sorted(found)), encoding="utf-8")


def clear(folder: Path) -> None:
    """Remove what was noted there, sockets of ours with LibreOffice's name alone; who listened is dead."""
    noted = folder / LIST
    for path in map(Path, noted.read_text(encoding="utf-8").splitlines() if noted.exists() else ()):
        if path.name.startswith(NAME) and path.is_socket() and path.stat().st_uid == os.geteuid():
            path.unlink(missing_ok=True)
