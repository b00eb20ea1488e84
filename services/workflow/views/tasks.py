"""Work lists 待办 and 已办, and one task with its form."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    Date,
    Text,
    and_,
    column,
    func,
    lateral,
    literal,
    or_,
    select,
    true,
    tuple_,
)  # fmt: skip
from sqlalchemy.dialects.postgresql import ARRAY

from anjuan.workflow.v1 import workflow_pb2 as pb
from services.kit import access
from services.kit.errors import InvalidInputError
from services.kit.identity import Actor
from services.kit.legal_calendar import days_left
from services.kit.paging import cursor, size
from services.kit.schema import case_card
from services.workflow.store import WorkflowUnit
from services.workflow.tables import NO_DAY, effects, task_audience, tasks
from services.workflow.views.pages import after

_CARD = ("case_number", "party_names", "cause", "due_unit", "provisional")
_A = task_audience.c


def list_tasks(uow: WorkflowUnit, request: pb.ListTasksRequest) -> pb.ListTasksAnswer:
    """A page of the caller's work list; the counters are those of 待办 under the same filters."""
    actor = uow.cause.actor
    if request.state not in ("", "to_do", "done"):
        raise InvalidInputError("列表应为 to_do 或 done", [{"pointer": "/state", "detail": "应为 to_do 或 done"}])
    today = uow.legal_on(actor.body_id)
    keys = sorted(uow.people.keys(actor, today))
    rows, following = _done(uow, request) if request.state == "done" else _to_do(uow, request, keys, today)
    to_do, soon, over = _counts(uow, request, keys, today)
    shown = [_shown(uow, r, today) for r in rows]
    _tell_effects(uow, shown)
    return pb.ListTasksAnswer(tasks=shown, next_cursor=following, to_do=to_do, due_soon=soon, overdue=over)


def _mine(request: pb.ListTasksRequest, actor: Actor, today: date, with_state: bool) -> Any:
    """What of a key's tasks is wanted."""
    wanted = [~_A.excluded_ids.contains([actor.person_id])]
    for name, field in (("body_id", _A.body_id), ("procedure_id", _A.pack_id), ("case_id", _A.case_id)):
        if value := getattr(request, name):
            wanted.append(field == value)
    if with_state and request.due_state:
        wanted.append(_due_states(today).get(request.due_state, _A.due_state == request.due_state))
    return and_(*wanted)


def _due_states(today: date) -> dict[str, Any]:
    over = or_(_A.due_state == "overdue", _A.due_on < today)
    return {"overdue": over, "due_soon": and_(_A.due_state == "due_soon", _A.due_on >= today)}


def _to_do(uow: WorkflowUnit, request: pb.ListTasksRequest, keys: list[str], today: date) -> tuple[list[Any], str]:
    """The first rows of each key's range of the index, merged: never more than keys x page rows are touched."""
    limit, last, actor = size(request.limit), after(request.cursor, date.fromisoformat), uow.cause.actor
    if not keys:
        return [], ""
    mine = func.unnest(literal(keys, ARRAY(Text))).table_valued(column("key", Text), name="mine").render_derived()
    wanted = [_A.key == mine.c.key, _mine(request, actor, today, True)]
    if last is not None:
        wanted.append(tuple_(_A.due_on, _A.task_id) > tuple_(literal(last[0], Date), last[1]))
    range_ = select(_A.due_on, _A.task_id, _A.due_state).where(*wanted).order_by(_A.due_on, _A.task_id).limit(limit + 1)
    each = lateral(range_.correlate(mine), name="each")
    page = select(each.c.due_on, each.c.task_id, each.c.due_state).select_from(mine.join(each, true())).distinct()
    page_ = page.order_by(each.c.due_on, each.c.task_id).limit(limit + 1).subquery("page")
    joined = page_.join(tasks, tasks.c.task_id == page_.c.task_id)
    joined = joined.join(case_card, case_card.c.case_id == tasks.c.case_id)
    may = access.case_filter(actor, "list_cases", candidates=true())
    query = select(tasks, page_.c.due_on, page_.c.due_state, case_card.c.title.label("case_title"), *_card_columns())
    ordered = query.select_from(joined).where(may).order_by(page_.c.due_on, page_.c.task_id)
    return _page(uow, ordered, limit, lambda r: cursor(r.due_on, r.task_id))


def _card_columns() -> list[Any]:
    return [case_card.c[name] for name in _CARD]


def _page(uow: WorkflowUnit, query: Any, limit: int, key: Any) -> tuple[list[Any], str]:
    rows = list(uow.connection.execute(query))
    return rows[:limit], key(rows[limit - 1]) if len(rows) > limit else ""


def _done(uow: WorkflowUnit, request: pb.ListTasksRequest) -> tuple[list[Any], str]:
    """What the caller has done, latest first."""
    limit, last, actor = size(request.limit), after(request.cursor, datetime.fromisoformat), uow.cause.actor
    t, c = tasks.c, case_card.c
    wanted = [t.done_by == actor.person_id, t.done_at.is_not(None)]
    wanted.append(access.case_filter(actor, "list_cases", candidates=true()))
    for name, field in (("body_id", c.body_id), ("procedure_id", c.procedure_id), ("case_id", t.case_id)):
        if value := getattr(request, name):
            wanted.append(field == value)
    if request.due_state:
        wanted.append(c.due_state == request.due_state)
    if last is not None:
        done_at = literal(last[0], t.done_at.type)
        wanted.append(tuple_(t.done_at, t.task_id) < tuple_(done_at, last[1]))
    query = select(tasks, c.due_on, c.due_state, c.title.label("case_title"), *_card_columns())
    ordered = query.join(case_card, c.case_id == t.case_id).where(*wanted).order_by(t.done_at.desc(), t.task_id.desc())
    return _page(uow, ordered.limit(limit + 1), limit, lambda r: cursor(r.done_at.isoformat(), r.task_id))


def _counts(uow: WorkflowUnit, request: pb.ListTasksRequest, keys: list[str], today: date) -> tuple[int, int, int]:
    states, wanted = _due_states(today), (_A.key.in_(keys), _mine(request, uow.cause.actor, today, False))
    # One row a task first: grouping hashes, counting distinct ids would sort.
    soon, over = (func.bool_or(states[name]).label(name) for name in ("due_soon", "overdue"))
    one = select(_A.task_id, soon, over).where(*wanted).group_by(_A.task_id).subquery()
    counted = func.count()
    query = select(counted, counted.filter(one.c.due_soon), counted.filter(one.c.overdue))
    found = uow.connection.execute(query).one()
    return int(found[0]), int(found[1]), int(found[2])


def _shown(uow: WorkflowUnit, row: Any, today: date) -> pb.Task:
    due = row.due_on if row.due_on not in (None, NO_DAY) else None
    state = "overdue" if due is not None and due < today and row.due_state in ("running", "due_soon") else row.due_state
    return pb.Task(
        **task_fields(row), case_title=row.case_title, due_on=due.isoformat() if due else "", due_state=state or "",
        remaining=days_left(due, row.due_unit, today) if due else None,
        **{name: getattr(row, name) for name in _CARD},
    )  # fmt: skip


def task_fields(row: Any) -> dict[str, Any]:
    """What a task tells of itself."""
    same = ("task_id", "case_id", "body_id", "visit_id", "node_id", "title", "stage", "state", "kind", "level",
            "candidate_role", "from_name", "done_by", "refused_reason", "version")  # fmt: skip
    return {name: getattr(row, name) for name in same} | {
        "candidate_ids": list(row.candidate_ids), "opened_at": row.opened_at.isoformat(),
        "opened_on": row.opened_on.isoformat(), "done_at": row.done_at.isoformat() if row.done_at else "",
        "waiting_since": row.waiting_since.isoformat() if row.waiting_since else "",
    }  # fmt: skip


def _tell_effects(uow: WorkflowUnit, shown: list[pb.Task]) -> None:
    """What tasks that wait for effects wait for."""
    waiting = {t.visit_id: t for t in shown if t.state == "waiting_for_effects"}
    if not waiting:
        return
    out = effects.c.state.in_(("held", "requested")) & effects.c.awaited & effects.c.visit_id.in_(sorted(waiting))
    for effect in uow.effects.list(out, effects.c.position):
        waiting[effect.visit_id].waiting_for.append(effect.effect)
