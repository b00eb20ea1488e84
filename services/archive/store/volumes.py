"""Papers, volumes, dossiers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Row, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.archive.model.volumes import Dossier, Paper, Volume
from services.archive.tables import dossier_objects, dossiers, papers, scan_batches, scan_piles, volumes
from services.kit.errors import NotFoundError

_PAPER, _VOLUME = tuple(Paper.__dataclass_fields__), tuple(Volume.__dataclass_fields__)
_DOSSIER = tuple(Dossier.__dataclass_fields__)


def _paper(row: Row[Any]) -> Paper:
    return Paper(**{name: row._mapping[name] for name in _PAPER})


def _volume(row: Row[Any]) -> Volume:
    return Volume(**{name: row._mapping[name] for name in _VOLUME})


def _dossier(row: Row[Any]) -> Dossier:
    return Dossier(**{name: row._mapping[name] for name in _DOSSIER})


class Papers:
    """Papers."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def add(self, paper: Paper) -> bool:
        """Whether it is new here; one that is known, and not only expected, stays as it is."""
        values = {name: getattr(paper, name) for name in _PAPER}
        fresh = upsert(papers).values(**values).on_conflict_do_update(
            index_elements=["paper_id"], set_=values,
            where=(papers.c.state == "expected") & (literal(paper.state) != "expected"),
        )  # fmt: skip
        return self.connection.execute(fresh.returning(papers.c.paper_id)).first() is not None

    def get(self, paper_id: str) -> Paper:
        """Raises NotFoundError."""
        row = self.connection.execute(select(papers).where(papers.c.paper_id == paper_id)).one_or_none()
        if row is None:
            raise NotFoundError("没有这份文件")
        return _paper(row)

    def find(self, paper_id: str) -> Paper | None:
        """None: not known here."""
        row = self.connection.execute(select(papers).where(papers.c.paper_id == paper_id)).one_or_none()
        return None if row is None else _paper(row)

    def of_case(self, case_id: str) -> list[Paper]:
        """As they came."""
        query = select(papers).where(papers.c.case_id == case_id).order_by(papers.c.came_at, papers.c.paper_id)
        return [_paper(row) for row in self.connection.execute(query)]

    def change(self, paper_id: str, **values: Any) -> None:
        """Set columns."""
        self.connection.execute(update(papers).where(papers.c.paper_id == paper_id).values(**values))


class Volumes:
    """Volumes, and what a scan batch still keeps back from them."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def add(self, volume: Volume) -> None:
        """A new one."""
        self.connection.execute(insert(volumes).values(**{name: getattr(volume, name) for name in _VOLUME}))

    def get(self, volume_id: str) -> Volume:
        """Raises NotFoundError."""
        row = self.connection.execute(select(volumes).where(volumes.c.volume_id == volume_id)).one_or_none()
        if row is None:
            raise NotFoundError("没有这一卷")
        return _volume(row)

    def of_case(self, case_id: str, *states: str) -> list[Volume]:
        """By kind and part."""
        query = select(volumes).where(volumes.c.case_id == case_id)
        query = query.where(volumes.c.state.in_(states)) if states else query
        order = (volumes.c.is_internal, volumes.c.volume, volumes.c.part)
        return [_volume(row) for row in self.connection.execute(query.order_by(*order))]

    def change(self, volume_id: str, **values: Any) -> None:
        """Set columns."""
        self.connection.execute(update(volumes).where(volumes.c.volume_id == volume_id).values(**values))

    def refuse(self, volume_id: str, reason: str) -> None:
        """Its pages are free to change again."""
        self.change(volume_id, state="refused", reason=reason, page_ids=[], entries=[], closing_note={})

    def give_up(self, effect_id: str, reason: str) -> None:
        """What the effect asked for, unless it is bound."""
        asked = volumes.c.call["effect_id"].astext == effect_id, volumes.c.state.in_(("asked", "binding"))
        for volume_id in self.connection.execute(select(volumes.c.volume_id).where(*asked)).scalars().all():
            self.refuse(volume_id, reason)

    def open_batches(self, case_id: str) -> list[tuple[str, str, bool, int]]:
        """Scanned files with pages of the case: id, name, whether counted, how many of their piles wait unclaimed."""
        mine = select(scan_piles.c.batch_id).where(scan_piles.c.case_id == case_id, scan_piles.c.state == "filed")
        waits = func.count().filter(scan_piles.c.state == "unclaimed")
        batch = scan_batches.c
        query = select(batch.batch_id, batch.file_name, batch.paper_pages, waits).join(
            scan_piles, scan_piles.c.batch_id == batch.batch_id
        )
        grouped = query.where(batch.batch_id.in_(mine)).group_by(batch.batch_id).order_by(batch.batch_id)
        return [(row[0], row[1], row[2] is not None, row[3]) for row in self.connection.execute(grouped)]


class Dossiers:
    """Dossiers and the bytes that they hold."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def add(self, dossier: Dossier) -> None:
        """A new one."""
        self.connection.execute(insert(dossiers).values(**{name: getattr(dossier, name) for name in _DOSSIER}))

    def get(self, dossier_id: str) -> Dossier:
        """Raises NotFoundError."""
        row = self.connection.execute(select(dossiers).where(dossiers.c.dossier_id == dossier_id)).one_or_none()
        if row is None:
            raise NotFoundError("没有这份卷宗")
        return _dossier(row)

    def of_case(self, case_id: str) -> Dossier | None:
        """The one that is archived or being archived; None while the dossier is open."""
        alive = dossiers.c.case_id == case_id, dossiers.c.state.in_(("archiving", "archived"))
        row = self.connection.execute(select(dossiers).where(*alive)).one_or_none()
        return None if row is None else _dossier(row)

    def change(self, dossier_id: str, **values: Any) -> None:
        """Set columns."""
        self.connection.execute(update(dossiers).where(dossiers.c.dossier_id == dossier_id).values(**values))

    def refuse(self, dossier_id: str, reason: str) -> None:
        """The dossier is open again."""
        self.change(dossier_id, state="refused", reason=reason)

    def give_up(self, effect_id: str, reason: str) -> None:
        """What the effect asked for, unless it is archived."""
        asked = dossiers.c.call["effect_id"].astext == effect_id, dossiers.c.state.in_(("asked", "archiving"))
        self.connection.execute(update(dossiers).where(*asked).values(state="refused", reason=reason))

    def put_objects(self, dossier_id: str, sizes: Mapping[str, int]) -> None:
        """What its manifest names."""
        rows = [{"dossier_id": dossier_id, "sha256": sha256, "size": size} for sha256, size in sizes.items()]
        self.connection.execute(upsert(dossier_objects).on_conflict_do_nothing(), rows)

    def locked(self, hashes: Iterable[str]) -> set[str]:
        """Which of these belong to a dossier that the store itself has locked."""
        held = select(dossier_objects.c.sha256).join(
            dossiers, dossiers.c.dossier_id == dossier_objects.c.dossier_id
        )
        found = held.where(dossiers.c.state == "archived", dossier_objects.c.sha256.in_(list(hashes)))
        return set(self.connection.execute(found).scalars())
