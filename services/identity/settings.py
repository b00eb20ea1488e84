"""The identity room's own knobs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from services.kit.settings import Settings


@dataclass(frozen=True)
class IdentitySettings:
    """The site (audience of its tokens), where key and operator's credentials lie, and how long things last.

    `guesses` wrong passwords within `guess_window` lock a name for `lock`. A session ends after `idle`
    without use, and after `session_life` in any case. A station's signature is good within `station_window`.
    A confirmation code is good for `code_life` and `code_attempts`.
    """

    site: str
    token_private_key: Path
    operator_file: Path
    guesses: int = 5
    guess_window: timedelta = timedelta(minutes=15)
    lock: timedelta = timedelta(minutes=15)
    idle: timedelta = timedelta(minutes=30)
    session_life: timedelta = timedelta(hours=12)
    station_window: timedelta = timedelta(minutes=5)
    open_requests: int = 20  # stations of one body that wait for a decision
    code_life: timedelta = timedelta(minutes=30)
    code_attempts: int = 5

    @classmethod
    def of(cls, settings: Settings) -> IdentitySettings:
        """ANJUAN_TOKEN_PRIVATE_KEY replaces the key in the data folder."""
        keys = settings.data / "keys"
        private = os.environ.get("ANJUAN_TOKEN_PRIVATE_KEY", str(keys / "token.pem"))
        return cls(settings.site, Path(private), keys / "operator.json")
