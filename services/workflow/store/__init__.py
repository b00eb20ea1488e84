"""Workflow's unit of work and its repositories."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

from sqlalchemy import text

from services.workflow import tables
from services.workflow.model.records import Effect, Hearing, Instance, Opinion, PackBundle, Visit
from services.workflow.store.circle import People
from services.workflow.store.facts import Facts
from services.workflow.store.gathered import Gathered
from services.workflow.store.hearings import Bookings
from services.workflow.store.rows import Rows, Writing
from services.workflow.store.tasks import Tasks

# who waited for the lock is given the version that he then finds
_LOCK_OF = text("""
    select s.aggregate_id, s.version from tasks t join streams s on s.aggregate_id = t.case_id
    where t.task_id = :task_id for update of s""")


class WorkflowUnit(Writing):
    """One transaction over workflow's tables."""

    def lock_of(self, task_id: str) -> None:
        """Take the row lock of the stream of a task's case, in one statement; a task that is not there has none."""
        for stream, version in self.connection.execute(_LOCK_OF, {"task_id": task_id}):
            self._locked.setdefault(stream, int(version))

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """What the block changed is taken back too."""
        self.write()
        raised = set(self.tasks.raised)
        with super().savepoint():
            try:
                yield
                self.write()
            except BaseException:
                self.gathered = Gathered()
                self.tasks.raised = raised
                self.tasks.forget()
                self.published.clear()
                raise

    @cached_property
    def bundles(self) -> Rows[PackBundle]:
        """Stored packs by hash."""
        return Rows(self, tables.pack_bundles, PackBundle)

    @cached_property
    def instances(self) -> Rows[Instance]:
        """Procedure instances."""
        return Rows(self, tables.instances, Instance)

    @cached_property
    def visits(self) -> Rows[Visit]:
        """Visits of nodes."""
        return Rows(self, tables.visits, Visit)

    @cached_property
    def opinions(self) -> Rows[Opinion]:
        """Opinions of all rounds."""
        return Rows(self, tables.opinions, Opinion)

    @cached_property
    def effects(self) -> Rows[Effect]:
        """Effects of completed nodes."""
        return Rows(self, tables.effects, Effect)

    @cached_property
    def hearings(self) -> Rows[Hearing]:
        """Hearings."""
        return Rows(self, tables.hearings, Hearing)

    @cached_property
    def tasks(self) -> Tasks:
        """Tasks and their audience."""
        return Tasks(self)

    @cached_property
    def published(self) -> dict[tuple[str, str], str]:
        """Hashes of published packs by id and version, as far as this transaction has asked."""
        return {}

    @cached_property
    def facts(self) -> Facts:
        """Facts kept for nodes that open later."""
        return Facts(self)

    @cached_property
    def people(self) -> People:
        """People and bodies, from the projections."""
        return People(self)

    @cached_property
    def bookings(self) -> Bookings:
        """Rooms and people in time."""
        return Bookings(self)
