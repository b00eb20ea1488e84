"""Jobs: the index catches up with the ledger; a new index is built beside it, compared, and switched to.

Both run in the room's one worker, so there is one writer. What changes while a new index is built goes to both.
"""

from __future__ import annotations

from collections.abc import Mapping
from threading import Event
from typing import Any

from sqlalchemy import text

from services.kit.errors import UnavailableError
from services.kit.run import Host
from services.search.index import Index, open_index
from services.search.model.documents import document_of
from services.search.settings import KNOBS

_DONE = text("delete from jobs where kind = 'index_changes' and done_at is not null")


def index_changes(host: Host, payload: Mapping[str, Any]) -> None:
    """Job. Write what is due; a commit of the index for up to KNOBS.batch documents.

    Raises:
        UnavailableError: the engine does not answer, or the index is lost: tried again until it is there.
    """
    index = open_index(host.settings.search)
    if not index.current():
        _make_first(host, index)
    _catch_up(host, index, [""])
    with host.begin_as_system("index_changes") as uow:
        uow.connection.execute(_DONE)


def _make_first(host: Host, index: Index) -> None:
    with host.begin_as_system("index_changes") as uow:
        if not uow.ledger.is_empty():
            raise UnavailableError("检索索引已丢失，请运维人员执行 anjuan rebuild-search")
    index.switch(index.create())


def _catch_up(host: Host, index: Index, names: list[str]) -> None:
    """Until nothing is due; `names` are indexes, empty the current one."""
    while True:
        with host.begin_as_system("index_changes") as uow:
            entries = uow.ledger.due(KNOBS.batch)
        if not entries:
            return
        documents = [document_of(entry) for entry in entries]
        for name in names:
            index.write(documents, name)
        with host.begin_as_system("index_changes") as uow:
            uow.ledger.mark_written(entries)
        if KNOBS.busy <= len(entries) < KNOBS.batch:
            Event().wait(KNOBS.gather_seconds)


def build_index(host: Host, payload: Mapping[str, Any]) -> None:
    """Job. The second half of a rebuild: the ledger is as the owners exported it.

    Raises:
        UnavailableError: the engine does not answer; begun again from the ledger.
    """
    index, rebuild_id = open_index(host.settings.search), str(payload["rebuild_id"])
    with host.begin_as_system("build_index") as uow:
        known = uow.rebuilds.get(rebuild_id)
    if known is None or known["state"] != "building":
        return
    if known["index_name"] and known["index_name"] != index.current():
        index.drop(known["index_name"])  # left by an attempt that was cut off
    name = index.create()
    with host.begin_as_system("build_index") as uow:
        uow.rebuilds.set(rebuild_id, index_name=name)
    _fill(host, index, name)
    _finish(host, index, name, rebuild_id)


def _fill(host: Host, index: Index, name: str) -> None:
    both = [name, ""] if index.current() else [name]
    after = ""
    while True:
        with host.begin_as_system("build_index") as uow:
            entries = uow.ledger.after(after, KNOBS.batch)
        index.write([document_of(entry) for entry in entries], name)
        _catch_up(host, index, both)
        if len(entries) < KNOBS.batch:
            return
        after = entries[-1].document_id


def _finish(host: Host, index: Index, name: str, rebuild_id: str) -> None:
    index.refresh(name)
    with host.begin_as_system("build_index") as uow:
        differing = uow.rebuilds.compare(index.entries(name))
        if not differing:
            index.switch(name)
        uow.rebuilds.end(rebuild_id, differing)
        uow.record("rebuild_index", rebuild_id, detail={"index": name, "differing": differing})
    if differing:
        index.drop(name)
