"""Ask a server on this machine over HTTP."""

from __future__ import annotations

import http.client
import json
from typing import Any


def fetch(port: int, path: str, seconds: float = 3) -> tuple[int, bytes] | None:
    """Status and body, None when nobody answers in time."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def answers(port: int, path: str) -> bool:
    """Is it there, and does it say that it is well?"""
    answer = fetch(port, path)
    return answer is not None and answer[0] == 200


def complaints(port: int, path: str) -> list[str]:
    """Names of what a /healthz answer calls not alive; empty when it does not say."""
    answer = fetch(port, path)
    try:
        state: Any = json.loads(answer[1]) if answer else {}
    except ValueError:
        return []
    return [str(name) for name, alive in state.items() if alive is False] if isinstance(state, dict) else []
