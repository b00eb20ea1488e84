"""One line of the doctor's answer."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Finding:
    """What was looked at, whether it is well, what was found, and how to mend it (in Chinese)."""

    check: str
    ok: bool
    found: str
    mend: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
