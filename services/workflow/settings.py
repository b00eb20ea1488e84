"""The room's own knobs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WorkflowSettings:
    """Sizes: `bundle_bytes` in bytes, `cached_packs` in packs; of more than `told_approvers` nobody is told."""

    bundle_bytes: int = 15 * 1024 * 1024
    cached_packs: int = 64
    told_approvers: int = 20


KNOBS = WorkflowSettings()
