"""Signing in: how many guesses a name has, and how long a session lasts."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from services.identity.settings import IdentitySettings


@dataclass(frozen=True)
class Guesses:
    """Attempts under one name since the last success; every one counts before its password is looked at."""

    count: int
    since: datetime
    locked_until: datetime | None = None

    def one_more(self, now: datetime, knobs: IdentitySettings) -> Guesses:
        """After another attempt: the last one allowed locks the name for those that follow."""
        fresh = now - self.since > knobs.guess_window
        count, since = (1, now) if fresh else (self.count + 1, self.since)
        return Guesses(count, since, now + knobs.lock if count >= knobs.guesses else None)

    def is_locked(self, now: datetime) -> bool:
        """Whether the next attempt is refused unseen."""
        return self.locked_until is not None and now < self.locked_until


@dataclass(frozen=True)
class Credential:
    """Who signs in under a name, and the argon2 hash of the password."""

    sign_in: str
    kind: str  # staff, party, operator
    holder_id: str
    password_hash: str


@dataclass(frozen=True)
class Session:
    """A browser's session; only the hash of its secret is kept."""

    digest: bytes
    kind: str
    holder_id: str
    acting_body_id: str
    created_at: datetime
    used_at: datetime
    ended_at: datetime | None = None

    def lives(self, now: datetime, knobs: IdentitySettings) -> bool:
        """Neither ended, nor idle for too long, nor too old."""
        return (
            self.ended_at is None and now - self.used_at <= knobs.idle and now - self.created_at <= knobs.session_life
        )


def new_secret() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(32)


def digest_of(secret: str) -> bytes:
    """What is kept of a session's secret."""
    return hashlib.sha256(secret.encode()).digest()
