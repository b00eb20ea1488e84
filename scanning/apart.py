"""A kept file is taken apart in a child: whatever the file does to it, the station lives on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

from scanning.kinds import UnreadableFileError
from scanning.pages import PageCopy

ROOT = Path(__file__).parent.parent
CHILD = (sys.executable, "-m", "scanning.pipeline")


class BrokenOffError(Exception):
    """The child ended before it was through, and did not say why."""


def page_copies(master: Path, folder: Path, done: list[int]) -> Generator[PageCopy, None, None]:
    """The pages that are not `done`, each when its copy is on the disk; a caller that stops early ends the child.

    Raises:
        UnreadableFileError: the master cannot be taken apart.
        BrokenOffError: killed, out of memory, stuck on one page.
        OSError: a copy cannot be written; the file is not to blame.
    """
    command = [*CHILD, str(master.resolve()), str(folder.resolve()), json.dumps(done)]
    with subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE) as child:  # noqa: S603
        try:
            yield from _told(child)
        finally:
            child.kill()


def _told(child: subprocess.Popen[str]) -> Iterator[PageCopy]:
    for line in child.stdout or ():
        told = json.loads(line)
        if "problem" in told:
            raise UnreadableFileError(told["problem"])
        if "disk" in told:
            raise OSError(told["disk"])
        yield PageCopy(**told)
    if child.wait():
        raise BrokenOffError(f"the child ended with {child.returncode}")
