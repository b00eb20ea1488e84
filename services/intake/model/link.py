"""Links between cases (关联案件)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class CaseLink:
    """`linked_case_id` is empty when the other case is not in this register."""

    link_id: str
    relation: str
    case_number: str
    linked_case_id: str
    reason: str
    linked_on: date
