"""The pack's checklist against what a filing has brought: what is missing is an open item, never a refusal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from services.intake.model.filing import Defect, Material
from services.intake.model.people import Party
from services.kit.procedure.conditions import Scope, holds
from services.kit.procedure.model import ChecklistItem, Pack


def applicable(pack: Pack, case: Mapping[str, Any]) -> list[ChecklistItem]:
    """The items that this filing must bring. `case` is what the pack's conditions may ask.

    Raises:
        ConditionError: a condition of the pack cannot be decided.
    """
    scope = Scope(case=case)
    return [item for item in pack.checklist if not item.optional and holds(item.when, scope)]


def open_items(
    pack: Pack, case: Mapping[str, Any], parties: Sequence[Party], materials: Sequence[Material]
) -> tuple[Defect, ...]:
    """Every item that is missing or brought in too few copies, all at once and in the pack's order."""
    return tuple(_missing(applicable(pack, case), parties, materials))


def _missing(
    items: Sequence[ChecklistItem], parties: Sequence[Party], materials: Sequence[Material]
) -> Iterator[Defect]:
    for item in items:
        people = sum(p.role == item.per_party for p in parties) if item.per_party else 1
        wanted = item.copies * people
        brought = sum(m.copies for m in materials if m.checklist_item == item.id)
        if brought == 0 and wanted:
            yield Defect(item.id, item.defect or f"缺少{item.title}")
        elif brought < wanted:
            yield Defect(item.id, f"{item.title}应有{wanted}份，现有{brought}份")
