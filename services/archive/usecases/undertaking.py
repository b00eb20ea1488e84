"""The frame of slow effects: frozen, worked, finished or refused. Killed anywhere and begun again it ends the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from services.archive.store import ArchiveUnit
from services.kit import effects
from services.kit.effects import EffectCall
from services.kit.errors import DomainError, UnavailableError


def undertake(
    uow: ArchiveUnit, rows: Callable[[], Any], held_id: str, working: str,
    freeze: Callable[[Any], Any], work: Callable[[Any], Any], finish: Callable[[Any, Any], None],
) -> None:  # fmt: skip
    """A volume or dossier that is `asked`: `freeze` puts it into the state `working`, or answers None: nothing to do.

    `freeze` and `finish` run in a transaction, the case locked; `work` between them.
    """
    try:
        with uow:
            asked = _locked(uow, rows, held_id)
            frozen = freeze(asked) if asked.state == "asked" else asked if asked.state == working else None
        if frozen is None:
            return
        made = work(frozen)
        with uow:
            now = _locked(uow, rows, held_id)
            if now.state == working:  # else another worker, to whom we had lost the lease, was faster
                finish(now, made)
    except UnavailableError:
        raise
    except DomainError as refusal:
        with uow:
            held = _locked(uow, rows, held_id)
            if held.state in ("asked", working):
                rows().refuse(held_id, refusal.detail)
                effects.refused(uow, EffectCall.from_payload(held.call), refusal)


def _locked(uow: ArchiveUnit, rows: Callable[[], Any], held_id: str) -> Any:
    uow.lock(rows().get(held_id).case_id)
    return rows().get(held_id)
