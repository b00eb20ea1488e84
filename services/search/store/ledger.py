"""The ledger: cases as told, and one row for each document that the index has to hold."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select, text

from services.kit import schema
from services.search.model.documents import Entry, circle_of
from services.search.tables import cases, documents

_ENTRY = (documents.c.document_id, documents.c.kind, documents.c.case_id, documents.c.version, documents.c.serial,
          documents.c.write, documents.c.content, cases.c.register, cases.c.circle)  # fmt: skip
# what every case brings is written by statements made once; an array keeps to the index, however many are told
_TOUCHED = """touched as (
        update documents set write = nextval('writes') {told} where case_id = any(array(select case_id from changed))
        returning case_id)"""
_TOLD = ", told = case kind when 'case' then nextval('writes') else told end"  # an export read before gives way to it
_REGISTERS = text(f"""
    with told as (select * from jsonb_to_recordset(cast(:rows as jsonb))
                      as r (case_id text, version bigint, register jsonb)),
    before as (select case_id, register from cases where case_id = any(array(select case_id from told))),
    kept as (
        insert into cases (case_id, version, register) select case_id, version, register from told order by case_id
        on conflict (case_id) do update set version = excluded.version, register = excluded.register
            where cases.version < excluded.version or cases.version = excluded.version and :first_write = 0
                or :first_write >= coalesce(
                    (select told from documents where document_id = 'case:' || excluded.case_id), 0)
        returning case_id, register),
    changed as (select case_id from kept left join before using (case_id)
                where kept.register is distinct from before.register),
    {_TOUCHED.format(told=_TOLD)}
    select case_id, case_id in (select case_id from touched) as touched, array(
        select document_id from documents d where d.case_id = kept.case_id and kind = 'party' and content is not null
    ) as parties from kept""")  # noqa: S608
_CIRCLES = text(f"""
    with changed as (
        insert into cases (case_id, circle)
        select * from jsonb_to_recordset(cast(:rows as jsonb)) as r (case_id text, circle jsonb) order by case_id
        on conflict (case_id) do update set circle = excluded.circle where cases.circle is distinct from excluded.circle
        returning case_id),
    {_TOUCHED.format(told="")}
    select exists(select from touched)""")  # noqa: S608
_PUT = text("""
    insert into documents (document_id, kind, case_id, version, content)
    select * from jsonb_to_recordset(cast(:rows as jsonb))
        as r (document_id text, kind text, case_id text, version bigint, content jsonb)
    on conflict (document_id) do update set kind = excluded.kind, case_id = excluded.case_id,
        version = excluded.version, content = excluded.content, told = nextval('writes'), write = nextval('writes')
    where (documents.version <= excluded.version or documents.told <= :first_write)
        and (documents.kind, documents.case_id, documents.version, documents.content)
            is distinct from (excluded.kind, excluded.case_id, excluded.version, excluded.content)""")
_WRITTEN = text("""
    update documents set written = n.write
    from unnest(cast(:ids as text[]), cast(:writes as bigint[])) as n (id, write)
    where document_id = n.id and written < n.write""")

# what every search asks is made once
JOINED = select(*_ENTRY).select_from(documents.outerjoin(cases, cases.c.case_id == documents.c.case_id))
_LATE = select(documents.c.case_id).where(documents.c.written < documents.c.write).distinct().limit(bindparam("limit"))
_LATE_ONE = _LATE.where(documents.c.case_id == bindparam("case"))

# the text of a page is never read here, and the rest of an instrument's stays in the server
_CLOSED = text("""
    select document_id, case_id, content is null as gone from documents
    where written < write and case_id = any(cast(:case_ids as text[])) and (content is null or kind = 'instrument' and (
        content @> '{"internal": true}' or cast(:account as text) is not null and not jsonb_path_exists(
            content, '$.served.*[*] ? (@ == $account)', jsonb_build_object('account', cast(:account as text)))))
    limit :limit""")


@dataclass(frozen=True)
class Told:
    """One document as its owner told it; `content` None: gone."""

    document_id: str
    kind: str
    case_id: str
    version: int
    content: Mapping[str, Any] | None


class Ledger:
    """`changed`: the index has something to catch up with."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.changed = False
        self._registers: dict[str, tuple[dict[str, Any], Sequence[Told]]] = {}
        self._circles: dict[str, dict[str, Any]] = {}

    def put(self, told: Sequence[Told], first_write: int = 0) -> None:
        """Keep documents; what is older than what is kept is dropped.

        A rebuild names its first write: what was kept before that gives way to what the owner exports.
        """
        rows = [vars(one) for one in {one.document_id: one for one in told}.values()]
        if not rows:
            return
        kept = self.connection.execute(_PUT, {"rows": _json(rows), "first_write": first_write})
        self.changed = self.changed or kept.rowcount > 0

    def tell_register(self, case_id: str, version: int, register: Mapping[str, Any], told: Sequence[Told]) -> None:
        """What intake tells of a case and its documents; the next `write` keeps it."""
        before = self._registers.get(case_id)
        if before is None or before[0]["version"] <= version:
            self._registers[case_id] = ({"case_id": case_id, "version": version, "register": register}, told)

    def tell_circle(self, case_id: str, circle: Mapping[str, Any]) -> None:
        """Who works on a case, as told last; the next `write` keeps it."""
        self._circles[case_id] = {"case_id": case_id, "circle": circle}

    def write(self, first_write: int = 0) -> None:
        """Keep what was told of cases (see put); a party that the register has dropped is gone."""
        circles, self._circles = self._circles, {}
        registers, self._registers = self._registers, {}
        if circles:  # first: documents that are new need not be touched
            touched = self.connection.execute(_CIRCLES, {"rows": _json(list(circles.values()))}).scalar()
            self.changed = self.changed or bool(touched)
        if registers:
            rows = _json([row for row, _ in registers.values()])
            kept = self.connection.execute(_REGISTERS, {"rows": rows, "first_write": first_write}).all()
            self.changed = self.changed or any(row.touched for row in kept)
            self.put([one for row in kept for one in _with_gone(*registers[row.case_id], row.parties)], first_write)

    def known_circle(self, case_id: str) -> dict[str, Any] | None:
        """Who works on the case by the room's copy of workflow's card; None: not known."""
        card = schema.case_card.c
        query = select(card.department_id, card.officer_ids, card.panel_ids).where(card.case_id == case_id)
        row = self.connection.execute(query).one_or_none()
        return None if row is None else circle_of(row)

    def content(self, document_id: str) -> tuple[int, dict[str, Any] | None]:
        """Version and content of a document; (-1, None) when it is not kept."""
        query = select(documents.c.version, documents.c.content).where(documents.c.document_id == document_id)
        row = self.connection.execute(query).one_or_none()
        return (-1, None) if row is None else (row.version, row.content)

    def due(self, limit: int) -> list[Entry]:
        """What the current index does not have as it is, the oldest write first."""
        late = JOINED.where(documents.c.written < documents.c.write).order_by(documents.c.write).limit(limit)
        return self._entries(late)

    def late_cases(self, case_id: str, limit: int) -> set[str]:
        """Cases of which the current index does not have everything as it is; only this one when one is named."""
        asked = {"case": case_id, "limit": limit}
        return set(self.connection.execute(_LATE_ONE if case_id else _LATE, asked).scalars())

    def late_closed(self, case_ids: Iterable[str], account_id: str | None, limit: int) -> Sequence[Any]:
        """Late documents of these cases that are gone, or instruments of the 副卷 or not served on the account."""
        asked = {"case_ids": list(case_ids), "account": account_id, "limit": limit}
        return self.connection.execute(_CLOSED, asked).all()

    def after(self, document_id: str, limit: int) -> list[Entry]:
        """Every row in the order of ids."""
        later = JOINED.where(documents.c.document_id > document_id).order_by(documents.c.document_id)
        return self._entries(later.limit(limit))

    def read(self, query: Select[Any], **asked: Any) -> list[tuple[Entry, Sequence[Any]]]:
        """Rows of a query made of JOINED; what else it asks for stands beside each."""
        rows, width = self.connection.execute(query, asked), len(_ENTRY)
        return [(Entry(*(*row[: width - 1], row[width - 1] or {})), row[width:]) for row in rows]

    def _entries(self, query: Select[Any]) -> list[Entry]:
        return [entry for entry, _ in self.read(query)]

    def mark_written(self, entries: Sequence[Entry]) -> None:
        """The index has these durably; what has changed since stays due."""
        marked = {"ids": [e.document_id for e in entries], "writes": [e.write for e in entries]}
        self.connection.execute(_WRITTEN, marked)

    def is_empty(self) -> bool:
        """Nothing was ever written to an index."""
        return self.connection.execute(select(documents.c.document_id).where(documents.c.written > 0).limit(1)
                                       ).first() is None  # fmt: skip


def _with_gone(row: Mapping[str, Any], told: Sequence[Told], parties: Sequence[str]) -> list[Told]:
    gone = set(parties) - {one.document_id for one in told}
    return [*told, *(Told(party, "party", row["case_id"], row["version"], None) for party in sorted(gone))]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
