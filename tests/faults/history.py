"""The checker: what clients were told ⊆ what databases hold ⊆ what every listener applied; nothing twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from services.kit.settings import Settings
from tests.faults.clients import History

CASE_ROOMS = ("intake", "workflow", "documents", "supervision", "archive", "notices")


@dataclass(frozen=True)
class Books:
    """Straight from the databases, past all our code."""

    settings: Settings
    rooms: tuple[str, ...]

    def rows(self, room: str, query: str) -> list[tuple[Any, ...]]:
        """Rows of a query in a room's own database."""
        s = self.settings
        where = f"host={s.postgres_host} port={s.postgres_port} password={s.postgres_password}"
        with psycopg.connect(f"{where} dbname=anjuan_{room} user=anjuan_{room}") as connection:
            return connection.execute(query).fetchall()


def faults(books: Books, history: History) -> list[str]:
    """Every lost or doubled id, by name; empty when the books balance."""
    found = list(_lost_filings(books, history))
    found += _streams(books)
    found += _listeners(books)
    found += _procedures(books, history)
    found += _doubled_reactions(books)
    found += _numbers(books)
    found += _effects(books)
    return found


def duplicates(books: Books) -> int:
    """Deliveries that came again and were suppressed."""
    return sum(int(books.rows(room, "select coalesce(sum(duplicates), 0) from inbox")[0][0]) for room in books.rooms)


def progress(books: Books) -> int:
    """Grows as long as anything is sent or applied."""
    sent = "select count(*) from outbox where sent_at is not null"
    applied = "select coalesce(sum(last_seq), 0) from inbox"
    return sum(int(books.rows(room, query)[0][0]) for room in books.rooms for query in (sent, applied))


def _missing(what: str, told: Iterable[str], kept: Iterable[str]) -> list[str]:
    return [f"LOST {what}: {one}" for one in sorted(set(told) - set(kept))]


def _doubled(what: str, kept: Iterable[Any]) -> list[str]:
    return [f"DOUBLED {what}: {one} ({times} times)" for one, times in Counter(kept).items() if times > 1]


def _lost_filings(books: Books, history: History) -> Iterable[str]:
    for room in CASE_ROOMS:
        cards = [row[0] for row in books.rows(room, "select case_id from case_card where body_id <> ''")]
        yield from _missing(f"acknowledged filing in {room}", history.filings, cards)
    titles = [row[0] for row in books.rows("intake", "select title from case_card")]
    yield from _doubled("filing in intake", titles)


def _streams(books: Books) -> Iterable[str]:
    """Each source's streams are whole: seq 1..n once each, as many as the stream's version, all sent."""
    for room in books.rooms:
        outbox = books.rows(room, "select aggregate_id, seq, event_id from outbox")
        yield from _doubled(f"position in {room}", [(stream, seq) for stream, seq, _ in outbox])
        yield from _doubled(f"event id in {room}", [event_id for _, _, event_id in outbox])
        last = Counter(stream for stream, _, _ in outbox)
        for stream, version in books.rows(room, "select aggregate_id, version from streams where version > 0"):
            if last[stream] != version:
                yield f"LOST events of {room} {stream}: {last[stream]} of {version} in the outbox"


def _listeners(books: Books) -> Iterable[str]:
    """Every listener has applied every stream of each source to its end, with nothing waiting or parked."""
    heads = "select aggregate_id, version from streams where version > 0"
    sent: Mapping[str, dict[str, int]] = {room: {a: n for a, n in books.rows(room, heads)} for room in books.rooms}  # noqa: C416
    for room in books.rooms:
        applied = {(s, a): n for s, a, n in books.rows(room, "select source, aggregate_id, last_seq from inbox")}
        for source in {s for s, _ in applied}:
            for stream, version in sent.get(source, {}).items():
                if (got := applied.get((source, stream), 0)) != version:
                    yield f"LOST at {room}: {source} {stream} applied {got} of {version}"
        left = books.rows(room, "select source, aggregate_id, seq, error from inbox_waiting")
        for source, stream, seq, error in left:
            again = seq <= applied.get((source, stream), 0)
            yield f"{'DOUBLED' if again else 'LEFT WAITING'} at {room}: {source} {stream} event {seq}: {error[:120]}"


def _procedures(books: Books, history: History) -> Iterable[str]:
    started = [row[0] for row in books.rows("workflow", "select case_id from instances")]
    yield from _missing("procedure of acknowledged filing", history.filings, started)
    yield from _doubled("procedure", started)
    clocks = [tuple(row) for row in books.rows("supervision", "select case_id, limit_id, scope_id from clocks")]
    yield from _missing("clock of acknowledged filing", history.filings, [c for c, _, _ in clocks])
    yield from _doubled("clock", clocks)
    done = {tuple(row) for row in books.rows("workflow", "select case_id, node_id from visits where state = 'done'")}
    yield from (f"LOST acknowledged act: {act}" for act in history.acts if act not in done)


def _doubled_reactions(books: Books) -> Iterable[str]:
    """An act of the system upon a case, done twice."""
    started = books.rows("workflow", "select case_id from audit where action = 'start_procedure'")
    yield from _doubled("start of a procedure", [row[0] for row in started])


def _numbers(books: Books) -> Iterable[str]:
    numbers = [row[0] for row in books.rows("intake", "select case_number from case_card where case_number <> ''")]
    yield from _doubled("case number", numbers)
    serials = sorted(int(number.rpartition("〕")[2].removesuffix("号")) for number in numbers)
    yield from (f"GAP in case numbers: {n}" for n in sorted(set(range(1, len(serials) + 1)) - set(serials)))


def _effects(books: Books) -> Iterable[str]:
    performed: Counter[str] = Counter()
    for room in books.rooms:
        performed.update(row[0] for row in books.rows(room, "select effect_id from effects_performed"))
    yield from (f"DOUBLED effect: {one}" for one, times in performed.items() if times > 1)
    asked = [row[0] for row in books.rows("workflow", "select effect_id from effects where state = 'requested'")]
    yield from (f"LOST answer of effect: {one}" for one in asked)
