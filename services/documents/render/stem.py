"""The warm process that forks a child for each template: loading Python and docxtpl anew takes ten times the work."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

from services.documents.settings import KNOBS
from services.kit import clock
from services.kit.errors import UnavailableError

CHILD = Path(__file__).with_name("child.py")


class Stem:
    """Started when first needed, ends when idle or with this process. Any thread may ask; each job has a child."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._control: socket.socket | None = None

    def ask(self, job: bytes, seconds: float) -> bytes:
        """The child's answer; empty: it had none, or was killed after so many seconds.

        Raises:
            UnavailableError: no child can be started.
        """
        for _ in range(2):  # one that was idle may end just as it is asked
            with self._lane() as lane:
                if (child := _child(lane)) is not None:
                    return _answer(lane, child, job, seconds)
            self.stop()
        raise UnavailableError("生成文书的进程暂时无法启动，请稍后再试")

    def _lane(self) -> socket.socket:
        """Our end of a new child's socket."""
        ours, theirs = socket.socketpair()
        with self._guard, theirs:
            self._control = self._control or _started()
            with suppress(OSError):  # it has ended: nobody will answer
                socket.send_fds(self._control, [b"."], [theirs.fileno()])
        return ours

    def stop(self) -> None:
        """End it; harmless when there is none."""
        with self._guard:
            if self._control is not None:
                self._control.close()
            self._control = None


def _started() -> socket.socket:
    """What ends the stem when it is closed."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    env = {"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
    with theirs:
        process = subprocess.Popen(  # noqa: S603 our own program
            [sys.executable, "-I", str(CHILD), str(KNOBS.render_idle_seconds)], stdin=theirs.fileno(), env=env,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    threading.Thread(target=process.wait, name="stem", daemon=True).start()  # so that none is left behind when it ends
    return ours


def _child(lane: socket.socket) -> int | None:
    """A descriptor of the child; None when there is no stem any more."""
    lane.settimeout(KNOBS.render_start_seconds)
    with suppress(OSError):
        _, found, *_ = socket.recv_fds(lane, 1, 1)
        return found[0] if found else None
    return None


def _answer(lane: socket.socket, child: int, job: bytes, seconds: float) -> bytes:
    deadline, answer = clock.monotonic() + seconds, bytearray()
    try:
        lane.settimeout(seconds)
        lane.sendall(job)
        lane.shutdown(socket.SHUT_WR)
        while more := lane.recv(1024 * 1024):
            answer += more
            lane.settimeout(max(deadline - clock.monotonic(), 0.001))
    except OSError:  # too late, or it was killed by its own limits
        return b""
    finally:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(child, signal.SIGKILL)
        os.close(child)
    return bytes(answer)


STEM = Stem()
