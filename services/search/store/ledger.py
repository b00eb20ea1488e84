"""The ledger: cases as told, and one row for each document that the index has to hold."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, select, text

from services.kit import schema
from services.search.model.documents import Entry, circle_of
from services.search.tables import cases, documents

_ENTRY = (documents.c.document_id, documents.c.kind, documents.c.case_id, documents.c.version, documents.c.serial,
          documents.c.write, documents.c.content, cases.c.register, cases.c.circle)  # fmt: skip
# what every case brings is written by statements made once
_TOUCHED = """touched as (
        update documents set write = nextval('writes') where case_id = :case_id and (select changed from kept)
        returning document_id)"""
# the select within returning sees the row as it was before the statement
_REGISTER = text(f"""
    with kept as (
        insert into cases (case_id, version, register) values (:case_id, :version, cast(:register as jsonb))
        on conflict (case_id) do update set version = excluded.version, register = excluded.register
            where cases.version <= excluded.version or :first_write >= coalesce(
                (select told from documents where document_id = 'case:' || excluded.case_id), 0)
        returning register is distinct from (select c.register from cases c where c.case_id = :case_id) as changed),
    {_TOUCHED}
    select exists(select from touched) as touched, array(
        select document_id from documents where case_id = :case_id and kind = 'party' and content is not null
    ) as parties from kept""")  # noqa: S608
_CIRCLE = text(f"""
    with kept as (
        insert into cases (case_id, circle) values (:case_id, cast(:circle as jsonb))
        on conflict (case_id) do update set circle = excluded.circle where cases.circle is distinct from excluded.circle
        returning true as changed),
    {_TOUCHED}
    select exists(select from touched) as touched from kept""")  # noqa: S608
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

    def put(self, told: Sequence[Told], first_write: int = 0) -> None:
        """Keep documents; what is older than what is kept is dropped.

        A rebuild names its first write: what was kept before that gives way to what the owner exports.
        """
        rows = [vars(one) for one in {one.document_id: one for one in told}.values()]
        if not rows:
            return
        self.connection.execute(_PUT, {"rows": _json(rows), "first_write": first_write})
        self.changed = True

    def put_register(
        self, case_id: str, version: int, register: Mapping[str, Any], first_write: int = 0
    ) -> set[str] | None:
        """Keep what intake told of a case; the ids of its party documents that are not gone.

        None: a later version is kept (see put).
        """
        told = {"case_id": case_id, "version": version, "register": _json(dict(register)), "first_write": first_write}
        kept = self.connection.execute(_REGISTER, told).one_or_none()
        if kept is None:
            return None
        self.changed = self.changed or kept.touched
        return set(kept.parties)

    def put_circle(self, case_id: str, circle: Mapping[str, Any]) -> None:
        """Keep who works on a case."""
        touched = self.connection.execute(_CIRCLE, {"case_id": case_id, "circle": _json(dict(circle))}).scalar()
        self.changed = self.changed or bool(touched)

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
        late = _joined().where(documents.c.written < documents.c.write).order_by(documents.c.write).limit(limit)
        return self._entries(late)

    def late_cases(self, case_id: str, limit: int) -> set[str]:
        """Cases of which the current index does not have everything as it is; only this one when one is named."""
        late = select(documents.c.case_id).where(documents.c.written < documents.c.write).distinct().limit(limit)
        return set(self.connection.execute(late.where(documents.c.case_id == case_id) if case_id else late).scalars())

    def late_closed(self, case_ids: Iterable[str], account_id: str | None, limit: int) -> Sequence[Any]:
        """Late documents of these cases that are gone, or instruments of the 副卷 or not served on the account."""
        asked = {"case_ids": list(case_ids), "account": account_id, "limit": limit}
        return self.connection.execute(_CLOSED, asked).all()

    def after(self, document_id: str, limit: int) -> list[Entry]:
        """Every row in the order of ids."""
        later = _joined().where(documents.c.document_id > document_id).order_by(documents.c.document_id)
        return self._entries(later.limit(limit))

    def some(self, ids: Iterable[str]) -> dict[str, Entry]:
        """Rows by id."""
        found = self._entries(_joined().where(documents.c.document_id.in_(list(ids))))
        return {entry.document_id: entry for entry in found}

    def _entries(self, query: Select[Any]) -> list[Entry]:
        rows = self.connection.execute(query).mappings()
        return [Entry(**{**row, "circle": row["circle"] or {}}) for row in rows]

    def mark_written(self, entries: Sequence[Entry]) -> None:
        """The index has these durably; what has changed since stays due."""
        marked = {"ids": [e.document_id for e in entries], "writes": [e.write for e in entries]}
        self.connection.execute(_WRITTEN, marked)

    def is_empty(self) -> bool:
        """Nothing was ever written to an index."""
        return self.connection.execute(select(documents.c.document_id).where(documents.c.written > 0).limit(1)
                                       ).first() is None  # fmt: skip


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _joined() -> Select[Any]:
    return select(*_ENTRY).select_from(documents.outerjoin(cases, cases.c.case_id == documents.c.case_id))
