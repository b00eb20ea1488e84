"""What an audit row keeps of a value that it must not hold: a keyed hash, comparable by whoever holds the key."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Fingerprints:
    """Keyed, because an ID number is guessed from a plain hash; bound to case and field, so that equal values of two
    cases do not look alike. `secret` is any key of the room that others do not hold."""

    secret: bytes = field(repr=False)

    def of(self, case_id: str, pointer: str, value: Any) -> str:
        """hmac-sha256:<64 hex digits>; empty for what is empty."""
        if value in (None, "", (), []):
            return ""
        said = json.dumps([case_id, pointer, value], ensure_ascii=False, separators=(",", ":")).encode()
        key = hmac.digest(self.secret, b"anjuan-register-fingerprint", hashlib.sha256)
        return f"hmac-sha256:{hmac.digest(key, said, hashlib.sha256).hex()}"

    def changes(self, case_id: str, changed: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
        """JSON pointer -> fingerprints of the old and the new value."""
        return {at: {name: self.of(case_id, at, value) for name, value in values.items()}
                for at, values in changed.items()}  # fmt: skip
