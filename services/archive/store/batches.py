"""Scan batches and their piles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, exists, insert, select, tuple_, update

from services.archive.model.scans import Batch, Pile
from services.archive.tables import scan_batches, scan_contents, scan_piles, upload_sessions
from services.kit.errors import NotFoundError

_BATCH, _PILE = tuple(Batch.__dataclass_fields__), tuple(Pile.__dataclass_fields__)


def _batch(row: Row[Any]) -> Batch:
    return Batch(**{name: row._mapping[name] for name in _BATCH})


def _pile(row: Row[Any]) -> Pile:
    return Pile(**{name: row._mapping[name] for name in _PILE})


class Batches:
    """Batches, and which of their bytes are here."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def add(self, batch: Batch) -> None:
        """A new one."""
        self.connection.execute(insert(scan_batches).values(**{name: getattr(batch, name) for name in _BATCH}))
        self._await(batch)

    def replace(self, batch: Batch) -> None:
        """While it is being received its manifest may be told anew."""
        self.change(batch, manifest=batch.manifest, file_name=batch.file_name)
        self.connection.execute(delete(scan_contents).where(scan_contents.c.batch_id == batch.batch_id))
        self._await(batch)

    def _await(self, batch: Batch) -> None:
        rows = [{"batch_id": batch.batch_id, "sha256": sha256} for sha256 in sorted(batch.contents)]
        self.connection.execute(insert(scan_contents), rows)

    def find(self, batch_id: str, *, locked: bool = False) -> Batch | None:
        """None: unknown."""
        found = select(scan_batches).where(scan_batches.c.batch_id == batch_id)
        row = self.connection.execute(found.with_for_update() if locked else found).one_or_none()
        return None if row is None else _batch(row)

    def get(self, batch_id: str, *, locked: bool = False) -> Batch:
        """Raises NotFoundError."""
        if (found := self.find(batch_id, locked=locked)) is None:
            raise NotFoundError("没有这个扫描批次")
        return found

    def change(self, batch: Batch, **values: Any) -> None:
        """Set columns; its version goes up."""
        mine = scan_batches.c.batch_id == batch.batch_id
        self.connection.execute(update(scan_batches).where(mine).values(**values, version=batch.version + 1))

    def whole(self, most: int = 50) -> list[str]:
        """Ids of batches still being received of which every byte is here."""
        ours, contents = scan_batches, scan_contents
        brought = exists().where(
            upload_sessions.c.owner_id == ours.c.owner_id, upload_sessions.c.sha256 == contents.c.sha256,
            upload_sessions.c.state == "stored",
        )  # fmt: skip
        missing = exists().where(contents.c.batch_id == ours.c.batch_id, ~brought)
        query = select(ours.c.batch_id).where(ours.c.state == "receiving", ~missing).order_by(ours.c.batch_id)
        return list(self.connection.execute(query.limit(most)).scalars())

    def missing(self, batch: Batch, *states: str) -> list[str]:
        """Hashes that no upload of the sender in one of these states brings."""
        table = upload_sessions
        brought = exists().where(
            table.c.owner_id == batch.owner_id, table.c.sha256 == scan_contents.c.sha256, table.c.state.in_(states)
        )
        query = select(scan_contents.c.sha256).where(scan_contents.c.batch_id == batch.batch_id, ~brought)
        return list(self.connection.execute(query.order_by(scan_contents.c.sha256)).scalars())

    def waiting_for(self, owner_id: str, sha256: str) -> list[str]:
        """Ids of the sender's batches that wait for these bytes, in order."""
        table = scan_batches
        query = select(table.c.batch_id).join(scan_contents, scan_contents.c.batch_id == table.c.batch_id)
        mine = query.where(scan_contents.c.sha256 == sha256, table.c.owner_id == owner_id, table.c.state == "receiving")
        return list(self.connection.execute(mine.order_by(table.c.batch_id)).scalars())

    def listed(
        self, conditions: Iterable[ColumnElement[bool]], after: Sequence[str] | None, limit: int
    ) -> list[tuple[Batch, list[str]]]:
        """Newest first, each with its key."""
        at, key = scan_batches.c.registered_at, scan_batches.c.batch_id
        query = select(scan_batches).where(*conditions)
        if after:
            query = query.where(tuple_(at, key) < tuple_(datetime.fromisoformat(after[0]), after[1]))
        rows = self.connection.execute(query.order_by(at.desc(), key.desc()).limit(limit))
        return [(_batch(row), [row.registered_at.isoformat(), row.batch_id]) for row in rows]


class Piles:
    """Piles."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def add(self, pile: Pile) -> None:
        """A new one."""
        self.connection.execute(insert(scan_piles).values(**{name: getattr(pile, name) for name in _PILE}))

    def get(self, pile_id: str) -> Pile:
        """One pile, its row locked. Raises NotFoundError."""
        query = select(scan_piles).where(scan_piles.c.pile_id == pile_id).with_for_update()
        row = self.connection.execute(query).one_or_none()
        if row is None:
            raise NotFoundError("没有这一叠扫描件")
        return _pile(row)

    def of_batch(self, batch_id: str) -> list[Pile]:
        """In order."""
        query = select(scan_piles).where(scan_piles.c.batch_id == batch_id).order_by(scan_piles.c.ordinal)
        return [_pile(row) for row in self.connection.execute(query)]

    def change(self, pile: Pile, **values: Any) -> None:
        """Set columns; its version goes up."""
        mine = scan_piles.c.pile_id == pile.pile_id
        self.connection.execute(update(scan_piles).where(mine).values(**values, version=pile.version + 1))

    def listed(self, conditions: Iterable[ColumnElement[bool]], after: str, limit: int) -> list[Pile]:
        """Oldest first: who waits longest is served first."""
        query = select(scan_piles).where(*conditions, scan_piles.c.pile_id > after)
        return [_pile(row) for row in self.connection.execute(query.order_by(scan_piles.c.pile_id).limit(limit))]
