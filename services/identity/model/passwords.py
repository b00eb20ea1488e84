"""Passwords by argon2id. A name that nobody has costs the same time as one that somebody has."""

from __future__ import annotations

import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from argon2.low_level import Type

# OWASP's smaller setting (19 MiB, two passes): sixteen threads of a server stay under 320 MiB
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, type=Type.ID)
_AT_ONCE = threading.BoundedSemaphore(4)


def hash_password(password: str) -> str:
    """A salted hash with its parameters."""
    with _AT_ONCE:
        return _HASHER.hash(password)


@cache
def _nobody() -> str:
    return _HASHER.hash("nobody has this password")


def verify(known: str | None, password: str) -> bool:
    """Whether the password is the one hashed; None (nobody by that name) costs as much and is False."""
    with _AT_ONCE:
        try:
            right = _HASHER.verify(known or _nobody(), password)
        except VerificationError:
            return False
    return right and known is not None


def is_outdated(known: str) -> bool:
    """Whether a hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(known)
