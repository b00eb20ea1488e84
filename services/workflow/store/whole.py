"""A task with everything that decides whether somebody may act on it, in one read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from types import SimpleNamespace
from typing import Any

from sqlalchemy import text

from services.kit import clock
from services.workflow.model.audience import Person, Seat
from services.workflow.model.records import Instance, Task, Visit, frozen

_CARD = ("case_id", "body_id", "state", "department_id", "secrecy_level", "sealed", "involves_minor", "officer_ids",
         "panel_ids", "party_account_ids", "reporter_account_id")  # fmt: skip


@dataclass(frozen=True)
class Due:
    """The governing limit of a case as supervision told: its day (None while none runs), state and id."""

    on: date | None = None
    state: str = ""
    limit_id: str = ""


@dataclass(frozen=True)
class Whole:
    """`caller`: None where identity has not told of him (yet); `card`: what access asks of the case; `today`: the
    body's legal date."""

    task: Task
    visit: Visit
    instance: Instance
    due: Due
    caller: Person | None
    card: Any
    today: date
    seats: tuple[Seat, ...]


def _names(kind: type, alias: str) -> list[str]:
    return [f"{alias}.{f.name}" for f in fields(kind)]


_PARTS = (_names(Task, "t"), _names(Visit, "v"), _names(Instance, "i"), ["c.due_on", "c.due_state", "c.limit_id"],
          ["p.person_id", "p.name", "p.state", "p.appointments", "p.qualifications"],
          [f"c.{name}" for name in _CARD] + ["cb.ancestor_ids"])  # fmt: skip
# the caller's card lies beside the task: nothing joins the two but the question
READ = text(f"""
    select {", ".join(name for part in _PARTS for name in part)}, l.legal_on,
           (select coalesce(json_agg(json_build_array(a.key, a.rule, a.excluded_ids)), '[]') from task_audience a
            where a.task_id = t.task_id)
    from tasks t join visits v on v.visit_id = t.visit_id join instances i on i.instance_id = t.instance_id
    left join case_card c on c.case_id = i.case_id left join body_tree cb on cb.body_id = c.body_id
    left join body_tree b on b.body_id = i.body_id left join legal_dates l on l.root_id = b.root_id
    left join person_card p on p.person_id = :person_id
    where t.task_id = :task_id""")  # noqa: S608 - names of our own columns


def whole_of(row: Sequence[Any]) -> Whole:
    """From a row of READ."""
    at, parts = 0, []
    for part in _PARTS:
        parts.append(row[at : at + len(part)])
        at += len(part)
    task, visit, instance, due, person, card = parts
    return Whole(
        Task(*map(frozen, task)), Visit(*map(frozen, visit)), Instance(*map(frozen, instance)),
        Due(due[0], due[1] or "", due[2] or ""), _person(person), _card(card), row[at] or clock.today(),
        tuple(Seat(key, rule, tuple(excluded)) for key, rule, excluded in row[at + 1]),
    )  # fmt: skip


def _person(values: Sequence[Any]) -> Person | None:
    names = ("person_id", "name", "state", "appointments", "qualifications")
    return None if values[0] is None else Person.of(SimpleNamespace(**dict(zip(names, values, strict=True))))


def _card(values: Sequence[Any]) -> Any:
    names = (*_CARD, "ancestor_ids")
    return None if values[0] is None else SimpleNamespace(**dict(zip(names, values, strict=True)))
