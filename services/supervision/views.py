"""Read-only: clocks and cards, of a case or of a body with those below it, as far as access lets the caller see."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Select, Text, and_, bindparam, func, literal, or_, select, tuple_

from anjuan.supervision.v1 import supervision_pb2 as pb
from services.kit import access, clock, paging, schema
from services.kit.errors import InvalidInputError, NotAllowedError, NotFoundError
from services.kit.identity import Actor
from services.kit.legal_calendar import LEGAL_ZONE
from services.supervision import messages, tables
from services.supervision.model.clock import NEVER, Clock
from services.supervision.model.fold import case_standings, of_scope, runs_of
from services.supervision.model.tick import rule_names
from services.supervision.settings import SETTINGS
from services.supervision.store import SupervisionUnit, clock_of

CLOCK, CARD, CASE, TREE = tables.clocks, tables.alert_cards, schema.case_card, schema.body_tree
STATES = ("running", "suspended", "stopped", "overdue")
_DUE = func.coalesce(CLOCK.c.due_on, literal(NEVER))


def list_clocks(uow: SupervisionUnit, request: pb.ListClocksRequest) -> pb.ListClocksAnswer:
    """Clocks by due day, of one case, or of a body and those below it.

    Raises:
        CaseNotKnownError: the case is unknown here, or not for this caller.
        InvalidInputError: state, day or cursor is none.
    """
    limit = _limit(request.limit)
    query = _clocks(uow.cause.actor).where(*_place(uow, request, CLOCK), *_wanted(request))
    if last := paging.after(request.cursor, 2):
        query = query.where(tuple_(_DUE, CLOCK.c.clock_id) > (_day(last[0], "cursor"), last[1]))
    rows = uow.connection.execute(query.order_by(_DUE, CLOCK.c.clock_id).limit(limit + 1)).mappings().all()
    key = (rows[limit - 1]["due_on"] or NEVER, rows[limit - 1]["clock_id"]) if len(rows) > limit else ()
    more = paging.cursor(*key) if key else ""
    return pb.ListClocksAnswer(clocks=[_message(row) for row in rows[:limit]], next_cursor=more)


def get_clock(uow: SupervisionUnit, clock_id: str) -> pb.Clock:
    """One clock, explained line by line, with its ledger.

    Raises:
        NotFoundError: no such clock, or not for this caller.
    """
    row = uow.connection.execute(_clocks(uow.cause.actor).where(CLOCK.c.clock_id == clock_id)).mappings().one_or_none()
    if row is None:
        raise NotFoundError("没有这个计时，或者您无权查看")
    one, answer = clock_of(row), _message(row)
    limits = uow.packs.limits(one.pack_id, one.pack_version)
    entries = uow.ledger.of_case(one.case_id, [one.limit_id])
    others = [c for c in uow.clocks.of_cases([one.case_id]) if c.limit_id != one.limit_id]
    standing = case_standings(limits, entries, [one.limit_id], {c.key: c.as_standing() for c in others})[one.key]
    answer.steps.extend(messages.step_message(step) for step in standing.steps)
    mine = of_scope(entries, one.limit_id, one.scope_id)
    runs = runs_of(limits.law(one.limit_id), mine)
    told = runs[one.run - 1][1] if len(runs) >= one.run else mine
    answer.ledger.extend(messages.interval_message(entry) for entry in told)
    return answer


def list_alert_cards(uow: SupervisionUnit, request: pb.ListAlertCardsRequest) -> pb.ListAlertCardsAnswer:
    """Cards of one case, or of a body and those below it, newest first. They are no matter of the parties.

    Raises:
        NotAllowedError: a party asks.
        CaseNotKnownError: the case is unknown here, or not for this caller.
    """
    actor, limit = uow.cause.actor, _limit(request.limit)
    if actor.kind == "party":
        raise NotAllowedError("黄牌、红牌是内部监督信息，当事人无权查看")
    person = schema.person_card
    joined = CARD.join(CASE, CASE.c.case_id == CARD.c.case_id)
    joined = joined.outerjoin(person, person.c.person_id == CARD.c.person_id)
    query = select(CARD, person.c.name.label("person_name"), CASE.c.case_number, CASE.c.title).select_from(joined)
    query = query.where(access.case_filter(actor, "view_case"), *_place(uow, request, CARD))
    if request.level:
        query = query.where(CARD.c.level == request.level)
    if last := paging.after(request.cursor):
        query = query.where(CARD.c.card_id < last[0])
    rows = uow.connection.execute(query.order_by(CARD.c.card_id.desc()).limit(limit + 1)).mappings().all()
    more = paging.cursor(rows[limit - 1]["card_id"]) if len(rows) > limit else ""
    names = rule_names()
    cards = [messages.card_message(row, names.get(row["rule_id"], "")) for row in rows[:limit]]
    return pb.ListAlertCardsAnswer(cards=cards, next_cursor=more)


def _clocks(actor: Actor) -> Select[Any]:
    """Started clocks that the actor may see, with the case and the legal day of its body."""
    joined = CLOCK.join(CASE, CASE.c.case_id == CLOCK.c.case_id).outerjoin(TREE, TREE.c.body_id == CLOCK.c.body_id)
    joined = joined.outerjoin(schema.legal_dates, schema.legal_dates.c.root_id == TREE.c.root_id)
    seen = [access.case_filter(actor, "view_case"), CLOCK.c.state != "waiting"]
    if actor.kind == "party":  # of the clocks inside the body a party sees those of the case and its own
        mine = func.jsonb_build_object("party_id", CLOCK.c.scope_id, "account_id", actor.account_id)
        seen.append(or_(CLOCK.c.scope == "case", CASE.c.parties.contains(func.jsonb_build_array(mine))))
    columns = (CLOCK, CASE.c.case_number, CASE.c.title, schema.legal_dates.c.legal_on)
    return select(*columns).select_from(joined).where(and_(*seen))


def _place(uow: SupervisionUnit, request: Any, table: Any) -> list[ColumnElement[bool]]:
    actor = uow.cause.actor
    if request.case_id:
        access.require(uow.connection, actor, "view_case", case_id=request.case_id)
        return [table.c.case_id == request.case_id]
    body_id = request.body_id or actor.body_id
    if not body_id:
        return []
    above = bindparam("above", [body_id], ARRAY(Text))
    below = select(TREE.c.body_id).where(TREE.c.ancestor_ids.bool_op("@>")(above))
    return [or_(table.c.body_id == body_id, table.c.body_id.in_(below))]


def _wanted(request: pb.ListClocksRequest) -> list[ColumnElement[bool]]:
    if request.state and request.state not in STATES:
        raise InvalidInputError(f"state 须为 {'、'.join(STATES)} 之一，收到“{request.state}”。")
    wanted = [CLOCK.c.state == request.state] if request.state else []
    wanted += [CLOCK.c.due_on >= _day(request.due_from, "due_from")] if request.due_from else []
    wanted += [CLOCK.c.due_on <= _day(request.due_to, "due_to")] if request.due_to else []
    return wanted + ([CLOCK.c.governing] if request.governing else [])


def _message(row: Any) -> pb.Clock:
    return messages.clock_message(clock_of(row), _now(clock_of(row), row["legal_on"]), row["case_number"], row["title"])


def _now(one: Clock, legal_on: date | None) -> date | datetime:
    if one.unit != "hour":
        return legal_on or clock.today()
    return datetime.combine(legal_on, datetime.min.time(), LEGAL_ZONE) if legal_on else clock.now()


def _limit(asked: int) -> int:
    if asked < 0:
        raise InvalidInputError("limit 不能为负数。")
    return min(asked or SETTINGS.page, SETTINGS.largest_page)


def _day(text: str, name: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInputError(f"{name} 须为日期（YYYY-MM-DD），收到“{text}”。") from error
