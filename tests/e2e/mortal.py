"""`python -m tests.e2e.mortal POINTS FILE run …`: the station program over one folder, killed for good again and again.

POINTS is a JSON list; each is `before|after MODULE:NAME WORD NTH`: the n-th call of that function with that word among
its arguments. The program is forked anew for each of them and once more without; FILE gets a JSON list of how each
ended (as os.waitstatus_to_exitcode says it).
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from scanning.__main__ import app


def arm(point: str) -> None:
    """Make one function fatal."""
    when, where, word, nth = point.split()
    module, _, name = where.partition(":")
    owner: Any = importlib.import_module(module)
    *classes, last = name.split(".")
    for one in classes:
        owner = getattr(owner, one)
    original, seen = getattr(owner, last), 0

    def die(moment: str) -> None:
        if moment == when and seen == int(nth):
            os.kill(os.getpid(), signal.SIGKILL)

    @functools.wraps(original)
    def fatal(*args: Any, **named: Any) -> Any:
        nonlocal seen
        hit = word == "*" or word in args
        seen += hit
        if hit:
            die("before")
        answer = original(*args, **named)
        if hit:
            die("after")
        return answer

    setattr(owner, last, fatal)


def lived(point: str, arguments: list[str]) -> int:
    """Fork the program and wait for its end."""
    child = os.fork()
    if child == 0:
        if point:
            arm(point)
        app(arguments)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    ends = [lived(point, sys.argv[3:]) for point in [*json.loads(sys.argv[1]), ""]]
    Path(sys.argv[2]).write_text(json.dumps(ends), "utf-8")
