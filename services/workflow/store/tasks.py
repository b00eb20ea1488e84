"""Tasks, and under whose keys the open ones wait."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Text, bindparam, func, select, text, update

from services.kit import schema
from services.workflow.model.audience import Seat
from services.workflow.model.records import Instance, Task
from services.workflow.store.rows import Rows, Writing
from services.workflow.store.whole import READ, Due, Whole, whole_of
from services.workflow.tables import NO_DAY, instances, opinions, task_audience, tasks

# statements of every act are made once
_SEATS = text("select key, rule, excluded_ids from task_audience where task_id = :task_id")
_CARD = schema.case_card
_GOVERNED = instances.outerjoin(_CARD, _CARD.c.case_id == instances.c.case_id)
_DUE = (_CARD.c.due_on, _CARD.c.due_state, _CARD.c.limit_id)
_AMONG: Any = func.any(bindparam("ids", type_=ARRAY(Text)))
_INSTANCES = select(instances, *_DUE).select_from(_GOVERNED).where(instances.c.case_id == _AMONG)


def _due(row: Any) -> Due:
    return Due(row.due_on, row.due_state or "", row.limit_id or "")


class Tasks(Rows[Task]):
    """A change of a task raises its version, once in a unit of work."""

    def __init__(self, uow: Writing) -> None:
        super().__init__(uow, tasks, Task)
        self.raised: set[str] = set()
        self._ahead: dict[str, Any] = {}  # rows of locked cases, until they are asked for
        self._asked: set[str] = set()

    def whole(self, task_id: str, person_id: str = "") -> Whole | None:
        """A task with what decides whether this person may act on it."""
        asked = {"task_id": task_id, "person_id": person_id}
        row = self.uow.connection.execute(READ, asked).one_or_none()
        return None if row is None else whole_of(row)

    def instance_with_due(self, case_id: str) -> tuple[Instance, Due] | None:
        """The procedure instance of a locked case, with the case's governing due day."""
        row = self._instance_row(case_id)
        return None if row is None else (Instance.of(row, instances), _due(row))

    def _instance_row(self, case_id: str) -> Any:
        """Those of all cases under lock are read at once; who asks again may have changed his, and reads it anew."""
        if case_id not in self._ahead:
            wanted = {case_id, *(self.uow.locked - self._asked)}
            rows = self.uow.connection.execute(_INSTANCES, {"ids": sorted(wanted)})
            self._ahead |= dict.fromkeys(wanted) | {row.case_id: row for row in rows}
            self._asked |= wanted
        return self._ahead.pop(case_id)

    def forget(self) -> None:
        """What was read ahead may have been taken back."""
        self._ahead.clear()

    def of_visit(self, visit_id: str) -> list[Task]:
        """Its tasks, oldest first."""
        return self.list(tasks.c.visit_id == visit_id, tasks.c.opened_at, tasks.c.task_id)

    def open_of_instance(self, instance_id: str) -> list[Task]:
        """Those that somebody can act on now."""
        return self.list((tasks.c.instance_id == instance_id) & (tasks.c.state == "open"), tasks.c.task_id)

    def change(self, key: str, *, raised: str = "version", **values: Any) -> None:
        """Set columns; the version goes up by one, however often this is said."""
        super().change(key, raised="" if key in self.raised else raised, **values)
        self.raised.add(key)

    def seat(self, task_id: str, seats: Iterable[Seat], instance: Instance, due: Due) -> None:
        """Let a task wait under these keys."""
        if self.uow.gathered.unseats(task_id):
            self.uow.write()
        for s in seats:
            self.uow.gathered.add(task_audience, {
                "task_id": task_id, "key": s.key, "rule": s.rule, "excluded_ids": s.excluded,
                "case_id": instance.case_id, "body_id": instance.body_id, "pack_id": instance.pack_id,
                "due_on": due.on or NO_DAY, "due_state": due.state,
            })  # fmt: skip

    def reseat(self, task_id: str, seats: Sequence[Seat], people: Sequence[str], instance: Instance, due: Due) -> None:
        """Other people may take it from now on; who has it open before him need not load it again."""
        self.unseat(task_id)
        super().change(task_id, candidate_ids=list(people), keys=[s.key for s in seats], pinned_to="")
        self.seat(task_id, seats, instance, due)

    def unseat(self, *task_ids: str) -> None:
        """Take tasks off every work list."""
        if self.uow.gathered.adds_to(task_audience):
            self.uow.write()
        self.uow.gathered.unseat(task_ids)

    def cancel(self, visit_ids: Sequence[str]) -> None:
        """Open tasks of these visits are nobody's any more."""
        self.drop(tasks.c.visit_id.in_(visit_ids) & tasks.c.state.in_(("open", "waiting_for_effects")))

    def drop(self, mine: ColumnElement[bool]) -> None:
        """These tasks are nobody's any more."""
        gone = update(tasks).where(mine).values(state="cancelled", version=tasks.c.version + 1)
        ids = self.uow.connection.execute(gone.returning(tasks.c.task_id)).scalars().all()
        self.unseat(*ids)

    def seats_of(self, task_id: str) -> tuple[Seat, ...]:
        """Under which keys an open task waits."""
        rows = self.uow.connection.execute(_SEATS, {"task_id": task_id})
        return tuple(Seat(r.key, r.rule, tuple(r.excluded_ids)) for r in rows)

    def keep_draft(self, task_id: str, draft: dict[str, Any]) -> None:
        """What is typed so far."""
        super().change(task_id, draft=draft)

    def speak(self, task: Task, round_: int, decision: str, text_: str, person_id: str, name: str, on: date) -> None:
        """Write down what somebody says of a visit."""
        self.uow.gathered.add(opinions, {
            "case_id": task.case_id, "visit_id": task.visit_id, "task_id": task.task_id, "round": round_,
            "level": task.level, "step": task.step, "person_id": person_id, "person_name": name, "decision": decision,
            "text": text_, "occurred_on": on,
        })  # fmt: skip

    def last_act_on(self, visit_id: str) -> date | None:
        """The day of the last act at a visit."""
        query = select(func.max(opinions.c.occurred_on)).where(opinions.c.visit_id == visit_id)
        return self.uow.connection.execute(query).scalar()

    def is_candidate(self, case_id: str, keys: Iterable[str], person_id: str) -> bool:
        """Whether any open task of the case waits for a person with these keys."""
        a = task_audience.c
        query = select(func.count()).where(
            a.case_id == case_id, a.key.in_(sorted(keys)), ~a.excluded_ids.contains([person_id])
        )
        return bool(self.uow.connection.execute(query).scalar())

    def redate(self, case_id: str) -> None:
        """Bring the open tasks of a case to the governing limit's day and state, as supervision told them."""
        self.uow.gathered.redated.add(case_id)
        self._ahead.pop(case_id, None)  # read with the day before

    def has_instance(self, case_id: str) -> bool:
        """Whether a locked case has its procedure instance."""
        return self._instance_row(case_id) is not None
