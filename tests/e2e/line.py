"""A TCP line to the gateway that is cut where the test says."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable
from contextlib import suppress


class Line:
    """Each connection in turn is cut after so many bytes to the platform; those after the last are not."""

    def __init__(self, address: str, cut_after: Iterable[int] = ()) -> None:
        host, port = address.removeprefix("http://").split(":")
        self._target, self._left = (host, int(port)), list(cut_after)
        self.cuts, self.sent = 0, 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Nobody gets through any more."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                ours, _ = self._listener.accept()
                theirs = socket.create_connection(self._target)
                left = self._left.pop(0) if self._left else 1 << 62
                threading.Thread(target=self._up, args=(ours, theirs, left), daemon=True).start()
                threading.Thread(target=self._down, args=(ours, theirs), daemon=True).start()

    def _up(self, ours: socket.socket, theirs: socket.socket, left: int) -> None:
        with suppress(OSError):
            while data := ours.recv(65536):
                theirs.sendall(data[:left])
                left, self.sent = left - len(data), self.sent + len(data)
                if left <= 0:
                    self.cuts += 1
                    break
        _end(ours, theirs)

    def _down(self, ours: socket.socket, theirs: socket.socket) -> None:
        with suppress(OSError):
            while data := theirs.recv(65536):
                ours.sendall(data)
        _end(ours, theirs)


def _end(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
