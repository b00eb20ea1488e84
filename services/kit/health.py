"""What a process tells those who watch it: /metrics for Prometheus, /healthz for the orchestrator."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST, Counter, generate_latest

from services.kit.settings import Settings

SENT = Counter("anjuan_relay_sent", "Events that the broker confirmed", ["room"])
APPLIED = Counter("anjuan_inbox_applied", "Events applied", ["room", "source"])
DUPLICATES = Counter("anjuan_inbox_duplicates", "Events seen before and suppressed", ["room", "source"])
FAILED = Counter("anjuan_inbox_failed", "Attempts at an event that failed", ["room", "source"])
PARKED = Counter("anjuan_parked", "Events and jobs given up until an operator looks", ["room", "kind"])
JOBS = Counter("anjuan_jobs", "Jobs by how the attempt ended", ["room", "kind", "outcome"])

Checks = Mapping[str, Callable[[], bool]]


def listen(settings: Settings, checks: Checks) -> ThreadingHTTPServer:
    """Answer on the metrics port from a thread of its own; /healthz is 503 and names what is not alive."""

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/metrics":
                self._answer(200, CONTENT_TYPE_LATEST, generate_latest())
            elif self.path == "/healthz":
                state = {name: check() for name, check in checks.items()}
                self._answer(200 if all(state.values()) else 503, "application/json", json.dumps(state).encode())
            else:
                self._answer(404, "text/plain", b"")

        def _answer(self, status: int, media_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            with suppress(ConnectionError):  # who asked has stopped waiting
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    host = "0.0.0.0" if settings.profile == "kubernetes" else "127.0.0.1"  # noqa: S104
    server = ThreadingHTTPServer((host, settings.metrics_port), Door)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    return server
