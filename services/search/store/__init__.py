"""The search room's unit of work: whoever changes the ledger also wakes the worker that writes the index."""

from __future__ import annotations

from functools import cached_property

from sqlalchemy import text

from services.kit import events, jobs
from services.kit.database import UnitOfWork
from services.search.store.ledger import Ledger
from services.search.store.rebuilds import Rebuilds

INDEX_CHANGES = "index_changes"
# A job that a worker is about to lease is skipped: it may have looked already. One we hold it cannot lease before we
# have committed, and then it sees our rows.
_WAITS = text("""
    select 1 from jobs where kind = :kind and done_at is null and parked_at is null and lease_until is null
    limit 1 for share skip locked""")


class SearchUnit(UnitOfWork):
    """One transaction of the search room."""

    @cached_property
    def ledger(self) -> Ledger:
        """What the index has to hold."""
        return Ledger(self.connection)

    @cached_property
    def rebuilds(self) -> Rebuilds:
        """How far a rebuild is."""
        return Rebuilds(self.connection)

    def flush(self) -> list[events.Event]:
        """As kit's; and a job for what has changed, unless one waits already."""
        if "ledger" in self.__dict__:
            self.ledger.write()
            if self.ledger.changed:
                self.ledger.changed = False
                if self.connection.execute(_WAITS, {"kind": INDEX_CHANGES}).first() is None:
                    jobs.add(self, INDEX_CHANGES, {})
                self.waking.add("jobs")
        return super().flush()
