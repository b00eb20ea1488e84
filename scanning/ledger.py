"""What the station knows of its files, in SQLite with every commit on the disk: it survives being killed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from scanning.pages import PageCopy
from services.kit import clock

_TABLES = """
create table if not exists files (
    sha256 text primary key, name text not null, size integer not null, media_type text not null, state text not null,
    reason text not null default '', batch_id text not null default '', breaks integer not null default 0,
    taken_at text not null, ended_at text not null default '');
create table if not exists pages (
    sha256 text not null, number integer not null, facts text not null, primary key (sha256, number));
create table if not exists uploads (content text primary key, url text not null);
create table if not exists shelf (path text primary key, sha256 text not null, shelved_at text not null);
create table if not exists facts (name text primary key, value text not null);
"""
_KEPT = "sha256, name, size, media_type, state, reason, batch_id, breaks, taken_at, ended_at"
ON_ITS_WAY = ("taking", "kept", "ready", "sent")


@dataclass(frozen=True)
class Kept:
    """One file. `state`: taking, kept, ready (all pages copied), sent (all bytes given), done, problem.

    `batch_id` is given when it is first announced; `breaks`: how often taking it apart broke off.
    """

    sha256: str
    name: str
    size: int
    media_type: str
    state: str
    reason: str
    batch_id: str
    breaks: int
    taken_at: str
    ended_at: str


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
        ended_at = clock.now().isoformat() if state in ("done", "problem") else ""
        changed = (state, reason, ended_at, sha256)
        self._database.execute("update files set state = ?, reason = ?, ended_at = ? where sha256 = ?", changed)

    def put_batch(self, sha256: str, batch_id: str) -> None:
        """Under which id the file is announced, whatever becomes of the station's own."""
        self._database.execute("update files set batch_id = ? where sha256 = ?", (batch_id, sha256))

    def count_break(self, sha256: str) -> int:
        """Taking the file apart broke off once more; how often by now."""
        self._database.execute("update files set breaks = breaks + 1 where sha256 = ?", (sha256,))
        found = self.find(sha256)
        return found.breaks if found else 0

    def find(self, sha256: str) -> Kept | None:
        """One file."""
        return next(self._files("sha256 = ?", sha256), None)

    def in_state(self, *states: str) -> list[Kept]:
        """Files, oldest first."""
        return list(self._files(f"state in ({', '.join('?' * len(states))})", *states))

    def ended_before(self, instant: datetime) -> list[Kept]:
        """Files that were given to the platform, or set aside, before then."""
        return list(self._files("ended_at <> '' and ended_at < ?", instant.isoformat()))

    def _files(self, condition: str, *values: str) -> Iterator[Kept]:
        query = f"select {_KEPT} from files where {condition} order by taken_at, sha256"  # noqa: S608
        for row in self._database.execute(query, values).fetchall():
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

    def shelve(self, path: Path, sha256: str) -> None:
        """A given file is about to be put where people see it."""
        row = (str(path), sha256, clock.now().isoformat())
        self._database.execute("insert or replace into shelf values (?, ?, ?)", row)

    def shelved_before(self, instant: datetime) -> list[tuple[Path, str]]:
        """Path and hash of files that have lain there since before then."""
        query = "select path, sha256 from shelf where shelved_at < ?"
        return [(Path(path), sha256) for path, sha256 in self._database.execute(query, (instant.isoformat(),))]

    def unshelve(self, path: Path) -> None:
        """It is there no longer."""
        self._database.execute("delete from shelf where path = ?", (str(path),))

    def fact(self, name: str) -> str:
        """station_id, link ...; empty: not known."""
        row = self._database.execute("select value from facts where name = ?", (name,)).fetchone()
        return str(row[0]) if row else ""

    def put_fact(self, name: str, value: str) -> None:
        """Keep a fact."""
        self._database.execute("insert or replace into facts values (?, ?)", (name, value))
