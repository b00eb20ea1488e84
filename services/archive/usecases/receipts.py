"""送达回证 that a dossier lacks: of which servings, whom that hinders, and what 备考表 and audit say of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.archive.model.volumes import Volume
from services.archive.store import ArchiveUnit
from services.kit.effects import EffectCall
from services.kit.procedure.model import Pack

NOTE = "receipts_note"


def expect_receipts(uow: ArchiveUnit, case_id: str, results: Mapping[str, Any]) -> None:
    """What `serve_instrument` has answered: the dossier lacks the receipts of what was begun until it is proven."""
    begun = results.get("begun") or ()
    uow.receipts.expect(case_id, [(str(one["instrument_id"]), str(one["party_id"])) for one in begun])


def receipts_missing(uow: ArchiveUnit, case_id: str, inner: bool = False) -> list[str]:
    """Servings that were begun and never proven; names of 副卷 only for `inner`."""
    return [_said(title if inner or not is_internal else "", name)
            for title, is_internal, name in uow.receipts.missing(case_id)]  # fmt: skip


def _said(title: str, name: str) -> str:
    return f"{f'《{title}》' if title else '文书'}对{name}的送达还没有证明（送达回证）"


def note_of(call: Mapping[str, Any]) -> str:
    """Why receipts are missing, as whoever archives says it."""
    return str(EffectCall.from_payload(call).params.get(NOTE) or "").strip()


def hindering(uow: ArchiveUnit, case_id: str, call: Mapping[str, Any]) -> list[str]:
    """What stands in the way of an effect whose pack lets one say why, when nobody has."""
    asked = NOTE in EffectCall.from_payload(call).params and not note_of(call)
    return receipts_missing(uow, case_id) if asked else []


def asks_why(pack: Pack) -> bool:
    """Whether this pack lets one say why; the forms of older ones have no room for it, so there nothing hinders."""
    return any(NOTE in rule.with_ for _, rule in pack.effects.values())


def closing_note(uow: ArchiveUnit, asked: Volume) -> dict[str, Any]:
    """备考表 of a volume: the note, and what its own papers lack; nothing when no note is given or others' lack alone.

    So 正卷 says nothing of papers of 副卷; a note when nothing lacks stands in 正卷.
    """
    note, lacking = note_of(asked.call), uow.receipts.missing(asked.case_id)
    mine = [_said(title, name) for title, is_internal, name in lacking if is_internal == asked.is_internal]
    is_due = bool(mine) or not (lacking or asked.is_internal)
    return {"note": note, "missing": mine} if note and is_due else {}


def audited(uow: ArchiveUnit, case_id: str, call: Mapping[str, Any]) -> dict[str, Any]:
    """For the audit row of a volume bound or a dossier archived."""
    told = {NOTE: note_of(call), "receipts_missing": receipts_missing(uow, case_id)}
    return {name: value for name, value in told.items() if value}
