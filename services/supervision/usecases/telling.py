"""Many clocks on their day: clocks, ledger, cards, audit and events, each written in one statement."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from google.protobuf.message import Message
from sqlalchemy import Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

from anjuan.kit.v1.cards_pb2 import SupervisionCard
from anjuan.supervision.v1.events_pb2 import AlertCardIssued, ClockDueSoon, TimeLimitExpired
from services.kit import clock
from services.kit.events import Event, to_raw
from services.supervision import tables
from services.supervision.model.clock import AUTHORITY, Clock, card, governed
from services.supervision.model.matching import entries_of
from services.supervision.model.rules import EXPIRED
from services.supervision.model.tick import Telling, next_act, rule_names, sentence, tell
from services.supervision.store import SupervisionUnit, as_json, bulk
from services.supervision.usecases.facts import Case, apart, enter, recount

# asked again under the locks: a fact may have moved a clock meanwhile
_CLOCKS = text("""
    select c.clock_id, c.case_id, c.body_id, c.limit_id, c.scope_id, c.pack_id, c.pack_version, c.name, c.kind, c.unit,
        c.law, c.article, c.state, c.due_on, c.governing, c.awaited, c.plan,
        k.officer_ids[1] as officer_id, coalesce(nullif(k.case_number, ''), k.title, '') as case_name,
        coalesce(k.limit_id, '') as led_by, k.due_on as led_to, coalesce(k.due_state, '') as led_state,
        coalesce(k.provisional, false) as led_provisionally, coalesce(k.due_unit, '') as led_unit,
        coalesce(k.yellow_cards, 0) as yellow, coalesce(k.red_cards, 0) as red
    from clocks c left join case_card k on k.case_id = c.case_id
    where c.clock_id = any(:ids) and c.next_act_on <= :day and (c.next_act_at is null or c.next_act_at <= :moment)
    order by c.case_id, c.due_on, c.clock_id""").bindparams(bindparam("ids", type_=ARRAY(Text)))
_MARK = text("""
    update clocks set plan = n.plan, done = clocks.done || n.done, next_act_on = n.next_act_on,
        next_act_at = n.next_act_at, soon_on = case when n.expired then null else clocks.soon_on end,
        state = case when n.expired and clocks.state = 'running' then 'overdue' else clocks.state end
    from jsonb_to_recordset(cast(:rows as jsonb)) as n (clock_id text, plan jsonb, done text[], next_act_on date,
        next_act_at timestamptz, expired boolean) where clocks.clock_id = n.clock_id""")
_EXPIRED = text("""
    insert into ledger (entry_id, case_id, limit_id, scope_id, kind, from_on, occurred_on, at, event_id, event_type)
    select n.entry_id, c.case_id, c.limit_id, c.scope_id, 'expired', c.due_on, :day, :now, :event_id, 'TimeLimitExpired'
    from unnest(:ids, :entry_ids) as n (clock_id, entry_id) join clocks c on c.clock_id = n.clock_id
    on conflict do nothing""").bindparams(
    bindparam("ids", type_=ARRAY(Text)), bindparam("entry_ids", type_=ARRAY(Text))
)  # fmt: skip
Given = dict[str, Any]  # a row of alert_cards


@dataclass(frozen=True)
class Tellings:
    """Clocks with what they tell on `day`, and the cards of their cases as these then stand."""

    uow: SupervisionUnit
    day: date
    found: Sequence[tuple[Any, Telling]]  # the row of the clock, what it tells

    @classmethod
    def of(cls, uow: SupervisionUnit, clock_ids: Sequence[str], day: date, moment: datetime) -> Tellings:
        """Read the clocks; their cases are locked."""
        rows = uow.connection.execute(_CLOCKS, {"ids": list(clock_ids), "day": day, "moment": moment}).all()
        return cls(uow, day, [(row, tell(row.plan, day.isoformat(), moment)) for row in rows])

    def write(self) -> None:
        """Everything, in the caller's transaction; then the limits that begin where others have run out."""
        self.uow.connection.execute(_MARK, {"rows": as_json([_mark(row, telling) for row, telling in self.found])})
        expired = [row for row, telling in self.found if telling.expired]
        if expired:
            self._enter(expired)
        issued = self._issued()
        bulk(self.uow.connection, tables.alert_cards, [given for cards in issued.values() for given in cards])
        self._emit(issued, self._cards(issued))
        for row in expired:
            if row.awaited:
                with apart(self.uow, row.case_id):
                    self._follow(row)

    def _enter(self, expired: Sequence[Any]) -> None:
        self.uow.connection.execute(_EXPIRED, {
            "ids": [row.clock_id for row in expired], "entry_ids": [clock.new_id() for _ in expired],
            "day": self.day, "now": clock.now(), "event_id": f"tick {self.day}",
        })  # fmt: skip
        for row in expired:
            self.uow.record("expire_clock", row.clock_id, case_id=row.case_id, body_id=row.body_id,
                            legal_on=self.day, detail={"due_on": row.due_on.isoformat()})  # fmt: skip

    def _follow(self, row: Any) -> None:
        """The expiry is a fact to other limits of the pack, too."""
        limits, case = self.uow.packs.limits(row.pack_id, row.pack_version), Case(row.case_id, row.body_id, self.day)
        (message,) = _messages(row, Telling([], [], [], [], True), (), SupervisionCard())
        event = Event(
            event_id=f"{row.clock_id} {row.due_on}", source=self.uow.service, type=EXPIRED, aggregate_id=row.case_id,
            seq=0, occurred_on=self.day, at=clock.now(), actor=self.uow.cause.actor, raw=to_raw(message),
        )  # fmt: skip
        if entries := entries_of(limits, event):
            enter(self.uow, limits, case, entries)
        recount(self.uow, limits, case, {row.limit_id})

    def _issued(self) -> dict[str, list[Given]]:
        """The cards, by clock."""
        names, issued = rule_names(), {}
        for row, telling in self.found:
            if telling.cards:
                given = [self._given(row, act, names.get(act["rule"], act["rule"])) for act in telling.cards]
                issued[row.clock_id] = given
        return issued

    def _given(self, row: Any, act: Mapping[str, Any], rule: str) -> Given:
        card_id = clock.new_id()
        self.uow.record("issue_alert_card", card_id, case_id=row.case_id, body_id=row.body_id, legal_on=self.day,
                        detail={"level": act["level"], "rule_id": act["rule"]})  # fmt: skip
        return {
            "card_id": card_id, "clock_id": row.clock_id, "rule_id": act["rule"], "level": act["level"],
            "case_id": row.case_id, "body_id": row.body_id, "limit_id": row.limit_id, "due_on": row.due_on,
            "issued_on": self.day, "person_id": row.officer_id or "", "text": sentence(row, act, rule),
        }  # fmt: skip

    def _emit(self, issued: Mapping[str, Sequence[Given]], whole: Mapping[str, SupervisionCard]) -> None:
        for row, telling in self.found:
            for message in _messages(row, telling, issued.get(row.clock_id, ()), whole[row.case_id]):
                self.uow.emit(message, stream=row.case_id, case_id=row.case_id, body_id=row.body_id,
                              occurred_on=self.day, pack=(row.pack_id, row.pack_version))  # fmt: skip

    def _cards(self, issued: Mapping[str, Sequence[Given]]) -> dict[str, SupervisionCard]:
        """The cards of the cases: as they stood, with what has changed in this pass."""
        more = Counter((given["case_id"], given["level"]) for cards in issued.values() for given in cards)
        found: dict[str, SupervisionCard] = {}
        led_anew: set[str] = set()
        for row, telling in self.found:
            if row.case_id not in found:
                found[row.case_id] = _card_of(row, more)
            if (telling.expired or telling.soon) and row.governing and row.state == "running":
                found[row.case_id].state = "overdue" if telling.expired else "due_soon"
                led_anew |= {row.case_id} if row.kind != AUTHORITY else set()
        return found | self._led_anew(led_anew, found)

    def _led_anew(self, case_ids: set[str], cards: Mapping[str, SupervisionCard]) -> dict[str, SupervisionCard]:
        """Cases whose governing limit has run out without binding the authority: the next one leads."""
        by_case: dict[str, list[Clock]] = defaultdict(list)
        for one in self.uow.clocks.of_cases(case_ids) if case_ids else ():
            by_case[one.case_id].append(one)
        after = {case_id: governed(clocks) for case_id, clocks in by_case.items()}
        pairs = [pair for case_id in after for pair in zip(after[case_id], by_case[case_id], strict=True)]
        self.uow.clocks.put([new for new, old in pairs if new != old])
        return {
            case_id: card(clocks, {"yellow": cards[case_id].yellow_cards, "red": cards[case_id].red_cards})
            for case_id, clocks in after.items()
        }  # fmt: skip


def _mark(row: Any, telling: Telling) -> dict[str, Any]:
    next_on, next_at = next_act(telling.left)
    return {
        "clock_id": row.clock_id, "plan": telling.left, "done": [act["key"] for act in telling.told],
        "next_act_on": next_on, "next_act_at": next_at, "expired": telling.expired,
    }  # fmt: skip


def _card_of(row: Any, more: Mapping[tuple[str, str], int]) -> SupervisionCard:
    return SupervisionCard(
        limit_id=row.led_by, due_on=row.led_to.isoformat() if row.led_to else "", state=row.led_state,
        provisional=row.led_provisionally, unit=row.led_unit,
        yellow_cards=row.yellow + more.get((row.case_id, "yellow"), 0),
        red_cards=row.red + more.get((row.case_id, "red"), 0),
    )  # fmt: skip


def _messages(row: Any, telling: Telling, issued: Sequence[Given], whole: SupervisionCard) -> Iterator[Message]:
    due_on = row.due_on.isoformat()
    for act in telling.soon:
        yield ClockDueSoon(clock_id=row.clock_id, limit_id=row.limit_id, scope_id=row.scope_id, due_on=due_on,
                           remaining=act["remaining"], card=whole)  # fmt: skip
    if telling.expired:
        yield TimeLimitExpired(clock_id=row.clock_id, limit_id=row.limit_id, scope_id=row.scope_id, due_on=due_on,
                               kind=row.kind, card=whole)  # fmt: skip
    for given in issued:
        yield AlertCardIssued(
            card_id=given["card_id"], level=given["level"], limit_id=row.limit_id, rule_id=given["rule_id"],
            person_id=given["person_id"], text=given["text"], clock_id=row.clock_id, due_on=due_on, card=whole,
        )  # fmt: skip
