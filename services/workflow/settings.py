"""The room's own knobs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WorkflowSettings:
    """Sizes: `page` and `longest_page` in rows, `bundle_bytes` in bytes, `cached_packs` in packs."""

    page: int = 20
    longest_page: int = 100
    bundle_bytes: int = 15 * 1024 * 1024
    cached_packs: int = 64


KNOBS = WorkflowSettings()
