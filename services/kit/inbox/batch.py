"""One transaction of the inbox: which of these events are next in their streams, and what they cause."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from services.kit import events, projections
from services.kit.database import UnitOfWork, traceparent
from services.kit.events import Event
from services.kit.identity import system

Stream = tuple[str, str]  # source, aggregate_id
Reaction = Callable[[Event, UnitOfWork], None]

_PAIRS = "select * from unnest(cast(:sources as text[]), cast(:ids as text[]))"
_LOCK = text(f"""
    insert into inbox (source, aggregate_id) {_PAIRS}
    on conflict (source, aggregate_id) do update set last_seq = inbox.last_seq
    returning source, aggregate_id, last_seq""")
_WAITING = text(f"""
    select source, aggregate_id, seq, parked_at is not null or retry_at is not null as held from inbox_waiting
    where (source, aggregate_id) in ({_PAIRS})""")  # noqa: S608
_BODY = text("delete from inbox_waiting where source = :source and aggregate_id = :id and seq = :seq returning body")
_ADVANCE = text("""
    update inbox set last_seq = n.last_seq, duplicates = inbox.duplicates + n.duplicates
    from unnest(cast(:sources as text[]), cast(:ids as text[]), cast(:last as bigint[]), cast(:more as int[]))
        as n (source, aggregate_id, last_seq, duplicates)
    where inbox.source = n.source and inbox.aggregate_id = n.aggregate_id""")
_WAIT = text("""
    insert into inbox_waiting (source, aggregate_id, seq, body) values (:source, :id, :seq, :body)
    on conflict do nothing""")


@dataclass(frozen=True)
class Delivery:
    """An event and the bytes it came as."""

    event: Event
    body: bytes

    @property
    def stream(self) -> Stream:
        return self.event.source, self.event.aggregate_id


class Batch:
    """Deliveries applied under the locks of their streams; `retried` ones are taken out of the waiting room first."""

    def __init__(self, uow: UnitOfWork, reaction_to: Callable[[Event], Reaction | None], drains: bool = True) -> None:
        self.uow, self.reaction_to, self.drains = uow, reaction_to, drains
        self.current: Event | None = None  # in hand: the culprit, should this fail
        self.last: dict[Stream, int] = {}
        self.applied: dict[Stream, int] = defaultdict(int)
        self.duplicates: dict[Stream, int] = defaultdict(int)
        self._held: set[tuple[Stream, int]] = set()  # parked, or waiting for their next attempt
        self._stored: set[tuple[Stream, int]] = set()  # waiting rows of earlier transactions
        self._early: dict[tuple[Stream, int], Delivery] = {}
        self._carded: set[str] = set()  # applied, or about to be, and their cards told
        self._copies: list[Event] = []  # applied, but projections not yet told

    def run(self, deliveries: Sequence[Delivery], retried: bool = False) -> None:
        """Apply, keep or skip each of them; everything is written when it returns, nothing is committed."""
        self._lock(sorted({d.stream for d in deliveries}))
        if retried:
            for d in deliveries:
                self._take_out(d.stream, d.event.seq)
        self._lock_cases(deliveries)
        self._tell_cards(deliveries)
        for delivery in deliveries:
            self._place(delivery)
        self._tell_projections()
        self._write()

    def _lock(self, streams: Sequence[Stream]) -> None:
        keys = {"sources": [s for s, _ in streams], "ids": [i for _, i in streams]}
        for source, aggregate_id, last in self.uow.connection.execute(_LOCK, keys):
            self.last[source, aggregate_id] = last
        for source, aggregate_id, seq, held in self.uow.connection.execute(_WAITING, keys):
            (self._held if held else self._stored).add(((source, aggregate_id), seq))

    def _lock_cases(self, deliveries: Sequence[Delivery]) -> None:
        """Own streams before any projection row, as use cases do: otherwise the two deadlock."""
        next_up = (d.event for d in deliveries if d.event.seq > self.last[d.stream])
        cases = {event.case_id for event in next_up if event.case_id and self.reaction_to(event)}
        if cases:
            self.uow.lock(*cases)

    def _tell_cards(self, deliveries: Sequence[Delivery]) -> None:
        """The case cards of what is next in its stream, in one statement; streams have no order among each other."""
        fit = {d.stream: d.event for d in deliveries if d.event.case_id and not self._waits(d)
               and d.event.seq == self.last[d.stream] + 1}  # fmt: skip
        projections.apply_all(self.uow.connection, fit.values())
        self._carded = {event.event_id for event in fit.values()}

    def _waits(self, delivery: Delivery) -> bool:
        key = (delivery.stream, delivery.event.seq)
        return any(key in known for known in (self._held, self._stored, self._early))

    def _place(self, delivery: Delivery) -> None:
        stream, seq = delivery.stream, delivery.event.seq
        if self._waits(delivery) or seq <= self.last[stream]:
            self.duplicates[stream] += 1
        elif seq > self.last[stream] + 1:
            self._early[stream, seq] = delivery
        else:
            self._apply(delivery.event)
            self._drain(stream)

    def _drain(self, stream: Stream) -> None:
        while self.drains:
            key = (stream, self.last[stream] + 1)
            if key in self._early:
                self._apply(self._early.pop(key).event)
            elif key in self._stored:
                self._apply(events.decode(self._take_out(*key)))
            else:
                return

    def _take_out(self, stream: Stream, seq: int) -> bytes:
        key = {"source": stream[0], "id": stream[1], "seq": seq}
        self._stored.discard((stream, seq))
        self._held.discard((stream, seq))
        return bytes(self.uow.connection.execute(_BODY, key).scalar() or b"")

    def _apply(self, event: Event) -> None:
        stream, self.current = (event.source, event.aggregate_id), event
        if event.event_id not in self._carded:
            self._copies.append(event)
        reaction = self.reaction_to(event)
        if reaction is not None:
            self._tell_projections()
            self.uow.acting(event.actor, event.event_id)
            outer = traceparent.set(event.traceparent)
            try:
                reaction(event, self.uow)
            finally:
                traceparent.reset(outer)
        self.last[stream] = event.seq
        self.applied[stream] += 1

    def _tell_projections(self) -> None:
        copies, self._copies = self._copies, []
        if copies:
            projections.apply_all(self.uow.connection, copies)

    def _write(self) -> None:
        changed = sorted(self.applied.keys() | self.duplicates.keys())
        if changed:
            self.uow.connection.execute(_ADVANCE, {
                "sources": [s for s, _ in changed], "ids": [i for _, i in changed],
                "last": [self.last[k] for k in changed], "more": [self.duplicates.get(k, 0) for k in changed],
            })  # fmt: skip
        for (stream, seq), delivery in self._early.items():
            row: dict[str, Any] = {"source": stream[0], "id": stream[1], "seq": seq, "body": delivery.body}
            self.uow.connection.execute(_WAIT, row)
        self.uow.acting(system("inbox"))
