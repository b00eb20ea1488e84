"""What the station knows of its files, in SQLite with every commit on the disk: it survives being killed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from scanning.pipeline import PageCopy
from services.kit import clock

_TABLES = """
create table if not exists files (
    sha256 text primary key, name text not null, size integer not null, media_type text not null, state text not null,
    reason text not null default '', taken_at text not null, done_at text not null default '');
create table if not exists pages (
    sha256 text not null, number integer not null, facts text not null, primary key (sha256, number));
create table if not exists uploads (content text primary key, url text not null);
create table if not exists facts (name text primary key, value text not null);
"""


@dataclass(frozen=True)
class Kept:
    """One file. `state`: taking, kept, ready (all pages copied), sent (all bytes given), done, problem."""

    sha256: str
    name: str
    size: int
    media_type: str
    state: str
    reason: str
    taken_at: str
    done_at: str


class Ledger:
    """One connection; each thread opens its own."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, timeout=60, isolation_level=None)
        self._database.executescript("pragma journal_mode = wal; pragma synchronous = full;")
        self._database.executescript(_TABLES)

    def close(self) -> None:
        """Nothing is lost without it."""
        self._database.close()

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        self._database.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._database.execute("rollback")
            raise
        self._database.execute("commit")

    def take(self, sha256: str, name: str, size: int, media_type: str) -> None:
        """A file is about to be moved in; what was known of the same bytes is forgotten."""
        with self._all_or_nothing():
            self._forget(sha256)
            row = (sha256, name, size, media_type, "taking", clock.now().isoformat())
            self._database.execute(
                "insert into files (sha256, name, size, media_type, state, taken_at) values (?, ?, ?, ?, ?, ?)", row
            )

    def forget(self, sha256: str) -> None:
        """The file never came in."""
        with self._all_or_nothing():
            self._forget(sha256)

    def _forget(self, sha256: str) -> None:
        for table in ("files", "pages"):
            self._database.execute(f"delete from {table} where sha256 = ?", (sha256,))  # noqa: S608

    def put(self, sha256: str, state: str, reason: str = "") -> None:
        """A file's next state."""
        done_at = clock.now().isoformat() if state in ("done", "problem") else ""
        changed = (state, reason, done_at, sha256)
        self._database.execute("update files set state = ?, reason = ?, done_at = ? where sha256 = ?", changed)

    def find(self, sha256: str) -> Kept | None:
        """One file."""
        return next(self._files("sha256 = ?", sha256), None)

    def in_state(self, state: str) -> list[Kept]:
        """Files, oldest first."""
        return list(self._files("state = ?", state))

    def _files(self, condition: str, value: str) -> Iterator[Kept]:
        query = "select sha256, name, size, media_type, state, reason, taken_at, done_at from files where "
        for row in self._database.execute(f"{query}{condition} order by taken_at, sha256", (value,)):
            yield Kept(*row)

    def add_page(self, sha256: str, page: PageCopy) -> None:
        """A page's copy is on the disk."""
        row = (sha256, page.number, json.dumps(asdict(page)))
        self._database.execute("insert or replace into pages values (?, ?, ?)", row)

    def pages(self, sha256: str) -> list[PageCopy]:
        """In order."""
        query = "select facts from pages where sha256 = ? order by number"
        return [PageCopy(**json.loads(facts)) for (facts,) in self._database.execute(query, (sha256,))]

    def drop_page(self, sha256: str, number: int) -> None:
        """Its copy is not what it was: it is made again."""
        self._database.execute("delete from pages where sha256 = ? and number = ?", (sha256, number))

    def upload_url(self, content: str) -> str:
        """Where the upload of these bytes goes on; empty: not begun."""
        row = self._database.execute("select url from uploads where content = ?", (content,)).fetchone()
        return str(row[0]) if row else ""

    def put_upload(self, content: str, url: str) -> None:
        """An empty url ends it."""
        if url:
            self._database.execute("insert or replace into uploads values (?, ?)", (content, url))
        else:
            self._database.execute("delete from uploads where content = ?", (content,))

    def fact(self, name: str) -> str:
        """station_id, body_id ...; empty: not known."""
        row = self._database.execute("select value from facts where name = ?", (name,)).fetchone()
        return str(row[0]) if row else ""

    def put_fact(self, name: str, value: str) -> None:
        """Keep a fact."""
        self._database.execute("insert or replace into facts values (?, ?)", (name, value))
