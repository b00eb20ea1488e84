"""Scanning stations: a key of their own, approved by the body, working offline for days."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta


def station_message(station_id: str, signed_at: str) -> bytes:
    """What a station signs to ask for a token."""
    return f"anjuan-station:{station_id}:{signed_at}".encode()


def is_fresh(signed_at: str, now: datetime, window: timedelta) -> datetime | None:
    """The instant of a station's signature, None when it is none, without zone, or out of the window."""
    try:
        at = datetime.fromisoformat(signed_at)
    except ValueError:
        return None
    return at if at.tzinfo is not None and abs(now - at) <= window else None


@dataclass(frozen=True)
class Station:
    """A scanning station. `state`: requested, approved, revoked."""

    station_id: str
    body_id: str
    name: str
    public_key: bytes
    state: str
    requested_by: str = ""
    decided_by: str = ""
    reason: str = ""
    last_signed_at: datetime | None = None
    version: int = 0

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the key in groups of four, for reading aloud."""
        text = hashlib.sha256(self.public_key).hexdigest()
        return " ".join(text[place : place + 4] for place in range(0, 32, 4))
