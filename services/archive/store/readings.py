"""What was read, by content."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert as upsert

from services.archive.model.reading import Line, Reading
from services.archive.tables import page_readings

_KEY = (page_readings.c.sha256, page_readings.c.turned)


class Readings:
    """A picture is read once for each way it may be turned."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def put(self, sha256: str, turned: int, reading: Reading) -> None:
        """The first one stays."""
        fresh = upsert(page_readings).values(
            sha256=sha256, turned=turned, text=reading.text, lines=[line.as_json() for line in reading.lines],
            confidence=reading.confidence, engine=reading.engine,
        )  # fmt: skip
        self.connection.execute(fresh.on_conflict_do_nothing())

    def find(self, sha256: str, turned: int) -> Reading | None:
        """None: not read yet."""
        query = select(page_readings.c.lines, page_readings.c.engine)
        row = self.connection.execute(query.where(_KEY[0] == sha256, _KEY[1] == turned)).one_or_none()
        return None if row is None else Reading(tuple(Line.of(line) for line in row.lines), row.engine)

    def confidences(self, contents: Iterable[str]) -> dict[tuple[str, int], float]:
        """Of everything read among these contents."""
        query = select(*_KEY, page_readings.c.confidence).where(page_readings.c.sha256.in_(set(contents)))
        return {(row.sha256, row.turned): row.confidence for row in self.connection.execute(query)}
