"""An operator builds the index anew: first half, the owners' exports go into the ledger, some at each call."""

from __future__ import annotations

from typing import Any

from anjuan.search.v1 import search_pb2 as pb
from services.kit import access, clock, jobs
from services.kit.errors import NotFoundError
from services.search.model.owners import OWNERS, Owners
from services.search.settings import KNOBS
from services.search.store import SearchUnit
from services.search.usecases.absorb import absorb_export

BUILD_INDEX = "build_index"
_TOLD = ("rebuild_id", "state", "exported", "documents", "differing", "removed", "problem")


def rebuild(uow: SearchUnit, owners: Owners, rebuild_id: str) -> pb.RebuildAnswer:
    """Go on with a rebuild for some seconds; without an id take up the one under way, or begin one.

    Raises:
        NotAllowedError: not an operator. NotFoundError: no such rebuild. UnavailableError: an owner is down.
    """
    with uow:
        access.require(uow.connection, uow.cause.actor, "operate")
        known = _found(uow, rebuild_id)
    until = clock.monotonic() + KNOBS.export_seconds
    while known["state"] == "exporting" and clock.monotonic() < until:
        rows, following = owners.read(known["owner"], known["after_id"])  # no transaction is open meanwhile
        known = _take(uow, known, rows, following)
    return pb.RebuildAnswer(**{name: known[name] for name in _TOLD})


def _found(uow: SearchUnit, rebuild_id: str) -> Any:
    known = uow.rebuilds.get(rebuild_id)
    if known is None and rebuild_id:
        raise NotFoundError("没有这次重建")
    if known is None:
        known = uow.rebuilds.get(uow.rebuilds.begin(OWNERS[0]))
        uow.record("rebuild_search", known["rebuild_id"])
    return known


def _take(uow: SearchUnit, before: Any, rows: Any, following: str) -> Any:
    """Rows of one export into the ledger; another caller may have taken them already."""
    rebuild_id = before["rebuild_id"]
    with uow:
        known = uow.rebuilds.get(rebuild_id)
        if (known["owner"], known["after_id"], known["state"]) == (before["owner"], before["after_id"], "exporting"):
            for row in sorted(rows, key=lambda row: row.case_id):
                uow.rebuilds.note_exported(absorb_export(uow, known["owner"], row, known["first_write"]))
            uow.rebuilds.set(rebuild_id, exported=known["exported"] + len(rows), after_id=following)
            if not following:
                _next_owner(uow, known)
        return uow.rebuilds.get(rebuild_id)


def _next_owner(uow: SearchUnit, known: Any) -> None:
    place = OWNERS.index(known["owner"]) + 1
    if place < len(OWNERS):
        uow.rebuilds.set(known["rebuild_id"], owner=OWNERS[place])
        return
    removed = uow.rebuilds.remove_nobodys(known["first_write"])
    uow.rebuilds.set(known["rebuild_id"], state="building", removed=removed)
    jobs.add(uow, BUILD_INDEX, {"rebuild_id": known["rebuild_id"]})
