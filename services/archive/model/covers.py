"""Separator sheets: what their QR says. A sheet names its case by a random token, so paper tells nothing of it."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass

VERSION = "AJ1"
UNREADABLE = "?"  # what the station writes when a page has a sheet's bars but no code that can be read
# Crockford's: no I, L, O, U, and all of it is in the QR's short alphanumeric mode
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_WRITTEN = re.compile(rf"{VERSION}-([{ALPHABET}]{{8}})-([{ALPHABET}]{{16}})-([{ALPHABET}]{{4}})")


@dataclass(frozen=True)
class Cover:
    """What a readable sheet says: the mark of the body that printed it, and the token of one of its sheets."""

    body_mark: str
    token: str


def _letters(data: bytes, count: int) -> str:
    number = int.from_bytes(hashlib.sha256(data).digest(), "big")
    return "".join(ALPHABET[number >> 5 * n & 31] for n in range(count))


def new_token() -> str:
    """80 random bits: nobody makes a sheet for a case that the platform did not print."""
    return "".join(secrets.choice(ALPHABET) for _ in range(16))


def body_mark(body_id: str) -> str:
    """40 bits of a body's id, to tell our sheets from another body's."""
    return _letters(f"body:{body_id}".encode(), 8)


def written(body_id: str, token: str) -> str:
    """The text of the QR: version, body, token, check."""
    said = f"{VERSION}-{body_mark(body_id)}-{token}"
    return f"{said}-{_letters(said.encode(), 4)}"


def read(text: str) -> Cover | None:
    """The reverse; None when it is none of ours or was changed."""
    found = _WRITTEN.fullmatch(text)
    if found is None or _letters(text.rpartition("-")[0].encode(), 4) != found[3]:
        return None
    return Cover(found[1], found[2])
