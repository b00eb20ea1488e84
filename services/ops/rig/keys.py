"""The site's token key: identity signs with the private half, everybody checks with the public one."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from services.ops.rig.place import Place


def _write(path: Path, text: bytes) -> None:
    fresh = path.with_suffix(".fresh")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(text)
    fresh.replace(path)


def ensure_token_key(place: Place) -> None:
    """Make <data>/keys/token.pem and token.pub.pem (Ed25519, PEM, mode 600) unless they are there."""
    private = place.keys / "token.pem"
    if private.exists() and (place.keys / "token.pub.pem").exists():
        return
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    _write(place.keys / "token.pub.pem", public)
    _write(private, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
