"""A rebuild under way, and the comparison of what owners exported with what the new index holds."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.kit import clock
from services.search.index import Written
from services.search.store.ledger import Told
from services.search.tables import exported, indexed, rebuilds, writes

_UNDER_WAY = rebuilds.c.state.in_(("exporting", "building"))
# rows that no owner exported, nor has told of since the rebuild began
_NOBODYS = text("""
    with gone as (
        delete from documents d where d.told <= :first and not exists
            (select 1 from exported e where e.document_id = d.document_id) returning content)
    select count(*) from gone where content is not null""")
# Compared: rows that the index has as they are. Those written meanwhile go to both indexes and are not late.
_DIFFERING = text("""
    select count(*) from (
        select d.document_id from documents d left join indexed i using (document_id)
        where d.written = d.write and (i.document_id is null or i.version <> d.version or i.write <> d.write)
        union
        select i.document_id from indexed i left join documents d using (document_id) where d.document_id is null
        union
        select e.document_id from exported e left join indexed i using (document_id)
        where i.document_id is null or i.version < e.version) as differing""")


class Rebuilds:
    """At most one is under way."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def get(self, rebuild_id: str) -> Any:
        """A row by id, or that under way when no id is given; None when there is none."""
        which = rebuilds.c.rebuild_id == rebuild_id if rebuild_id else _UNDER_WAY
        return self.connection.execute(select(rebuilds).where(which).with_for_update()).mappings().one_or_none()

    def begin(self, owner: str) -> str:
        """A new one."""
        for table in (exported, indexed):
            self.connection.execute(delete(table))
        first = self.connection.execute(select(writes.next_value())).scalar_one()
        row = {"rebuild_id": clock.new_id(), "state": "exporting", "owner": owner, "first_write": first}
        self.connection.execute(insert(rebuilds).values(row))
        return str(row["rebuild_id"])

    def set(self, rebuild_id: str, **values: Any) -> None:
        """Keep how far it is."""
        self.connection.execute(update(rebuilds).where(rebuilds.c.rebuild_id == rebuild_id).values(values))

    def note_exported(self, told: Iterable[Told]) -> None:
        """What an owner has."""
        rows = [{"document_id": one.document_id, "version": one.version} for one in told]
        if rows:
            fresh = upsert(exported).values(rows)
            self.connection.execute(fresh.on_conflict_do_update(
                index_elements=[exported.c.document_id], set_={"version": fresh.excluded.version}
            ))  # fmt: skip

    def remove_nobodys(self, first_write: int) -> int:
        """Drop from the ledger what no owner has; how many."""
        return int(self.connection.execute(_NOBODYS, {"first": first_write}).scalar_one())

    def compare(self, entries: Iterable[Written]) -> int:
        """Ids that differ in being there or in version."""
        self.connection.execute(delete(indexed))
        rest = iter(entries)
        while part := [vars(one) for one in islice(rest, 1000)]:
            self.connection.execute(insert(indexed), part)
        return int(self.connection.execute(_DIFFERING).scalar_one())

    def end(self, rebuild_id: str, differing: int) -> None:
        """Done, or failed when something differs; what was compared is thrown away."""
        findable = select(func.count()).select_from(indexed).where(indexed.c.findable)
        told: dict[str, Any] = {"documents": self.connection.execute(findable).scalar_one(), "differing": differing}
        if differing:
            told["state"] = "failed"
            told["problem"] = f"新索引与各业务室的数据有 {differing} 处不一致，没有启用；请重新执行"
        self.set(rebuild_id, **{"state": "done"} | told)
        for table in (exported, indexed):
            self.connection.execute(delete(table))
