"""Servings, rows <-> model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, fields
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from services.documents.model.serving import Serving
from services.documents.tables import servings
from services.kit.errors import CaseNotKnownError

_FIELDS = [f.name for f in fields(Serving)]


def _serving(row: Any) -> Serving:
    values: dict[str, Any] = {n: tuple(row[n]) if n == "account_ids" else row[n] for n in _FIELDS}
    return Serving(**values)


def _values(serving: Serving) -> dict[str, Any]:
    return asdict(serving) | {"account_ids": list(serving.account_ids)}


class Servings:
    """The caller holds the lock of the case's stream before it changes anything."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def get(self, serving_id: str) -> Serving:
        """Raises CaseNotKnownError, the same answer as for one that is not the caller's to see."""
        found = next(self._where(servings.c.serving_id == serving_id), None)
        if found is None:
            raise CaseNotKnownError("案件尚未同步到此处，或者您无权查看")
        return found

    def of(self, instrument_ids: list[str]) -> list[Serving]:
        """All of these instruments, oldest first."""
        return list(self._where(servings.c.instrument_id.in_(instrument_ids)))

    def _where(self, which: ColumnElement[bool]) -> Iterator[Serving]:
        rows = self.connection.execute(select(servings).where(which).order_by(servings.c.serving_id))
        yield from (_serving(row) for row in rows.mappings())

    def add(self, serving: Serving) -> None:
        """A new one."""
        self.connection.execute(insert(servings).values(_values(serving)))

    def save(self, serving: Serving) -> None:
        """Write what an act has changed; from now on its day is reckoned again."""
        mine = servings.c.serving_id == serving.serving_id
        self.connection.execute(update(servings).where(mine).values(_values(serving) | {"unreckoned_on": None}))

    def put_off(self, serving_id: str, on: date) -> None:
        """Its day could not be reckoned on this one: not again before the next."""
        mine = servings.c.serving_id == serving_id
        self.connection.execute(update(servings).where(mine).values(unreckoned_on=on))

    def published(self, bodies: Any, on: date, most: int) -> list[Serving]:
        """Published ones of these bodies whose day has come and that were not put off, the earliest first."""
        t = servings.c
        due = select(servings).where(t.state == "published", t.served_on <= on, t.body_id.in_(bodies))
        due = due.where(t.unreckoned_on.is_(None) | (t.unreckoned_on < on))
        rows = self.connection.execute(due.order_by(t.served_on, t.serving_id).limit(most))
        return [_serving(row) for row in rows.mappings()]

    def next_deemed(self, bodies: Any, after: date) -> date | None:
        """The next day on which a published one of these bodies counts as served."""
        t = servings.c
        query = select(func.min(t.served_on)).where(t.state == "published", t.served_on > after, t.body_id.in_(bodies))
        return self.connection.execute(query).scalar()
