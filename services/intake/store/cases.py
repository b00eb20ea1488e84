"""The register: cases with their filings, parties and materials, rows <-> model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, and_, delete, exists, insert, select, text, update

from services.intake import tables
from services.intake.model.case import Case
from services.intake.model.filing import Defect, Filing, Material
from services.intake.model.people import Party, Representative
from services.intake.store.accounts import stands_behind
from services.kit import schema
from services.kit.errors import CaseNotKnownError

UNKNOWN = "案件尚未同步到此处，或者您无权查看"  # the same words as where access refuses

Rows = Sequence[Party | Material]
_NESTED = {"filing", "parties", "materials"}
_OF_CASE = [f.name for f in fields(Case) if f.name not in _NESTED]
_OF_FILING = [f.name for f in fields(Filing)]
_PLACE = ["case_id", "position"]
_FILINGS = [tables.filings.c[name].label(f"filing_{name}") for name in _OF_FILING]


def _adding(table: Table, names: Sequence[str]) -> str:
    columns = ", ".join(names)
    return (f"insert into {table.name} ({columns}) select {columns} "  # noqa: S608 - names of our own tables
            f"from json_populate_recordset(null::{table.name}, cast(:{table.name} as json))")  # fmt: skip


# a new case is one statement, whatever belongs to it
_ADD = text(f"""
    with c as ({_adding(tables.cases, _OF_CASE)}), f as ({_adding(tables.filings, [*_OF_FILING, "case_id"])}),
    p as ({_adding(tables.parties, [f.name for f in fields(Party)] + _PLACE)})
    {_adding(tables.materials, [f.name for f in fields(Material)] + _PLACE)}""")


def taken_in_by(submitter: str, case_id: ColumnElement[str] | str) -> ColumnElement[bool]:
    """Whether a case, by its column or its id, came by this person of staff or this account."""
    mine = (tables.filings.c.case_id == case_id) & (tables.filings.c.submitted_by == submitter)
    return exists().where(mine)


def filed_for_itself(account_id: str, case_id: ColumnElement[str] | str) -> ColumnElement[bool]:
    """Whether a case came by this account, confirmed or not, and it stands behind one of its parties."""
    return and_(taken_in_by(account_id, case_id), exists().where(
        tables.parties.c.case_id == case_id, stands_behind(account_id)))  # fmt: skip


def defects_of(rows: Sequence[Mapping[str, str]]) -> tuple[Defect, ...]:
    return tuple(Defect(**row) for row in rows)


def _party(row: RowMapping) -> Party:
    values = {f.name: row[f.name] for f in fields(Party)}
    return Party(**values | {"representatives": tuple(Representative(**r) for r in row["representatives"])})


class Cases:
    """The register."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def get(self, case_id: str) -> Case:
        """Raises CaseNotKnownError."""
        if (found := self._find(tables.cases.c.case_id == case_id)) is None:
            raise CaseNotKnownError(UNKNOWN)
        return found

    def id_of_filing(self, filing_id: str) -> str:
        """The case of a filing; raises CaseNotKnownError."""
        query = select(tables.filings.c.case_id).where(tables.filings.c.filing_id == filing_id)
        if (found := self.connection.execute(query).scalar()) is None:
            raise CaseNotKnownError(UNKNOWN)
        return str(found)

    def holds(self, about_a_case: ColumnElement[bool]) -> bool:
        """Whether it is so."""
        return bool(self.connection.execute(select(about_a_case)).scalar())

    def opened_to(self, case_id: str) -> set[str]:
        """The accounts that the case's card names, as it was told last."""
        card = schema.case_card.c
        query = select(card.party_account_ids).where(card.case_id == case_id)
        return set(self.connection.execute(query).scalar() or ())

    def id_of_number(self, case_number: str) -> str:
        """The case of a number, empty when it is not in this register."""
        query = select(tables.cases.c.case_id).where(tables.cases.c.case_number == case_number)
        return str(self.connection.execute(query).scalar() or "")

    def channel(self, case_id: str) -> str | None:
        """By which channel a case came, None when it is not in this register."""
        query = select(tables.cases.c.channel).where(tables.cases.c.case_id == case_id)
        return self.connection.execute(query).scalar()

    def _find(self, which: ColumnElement[bool]) -> Case | None:
        joined = tables.cases.join(tables.filings, tables.filings.c.case_id == tables.cases.c.case_id)
        query = select(*(tables.cases.c[name] for name in _OF_CASE), *_FILINGS).select_from(joined).where(which)
        row = self.connection.execute(query).mappings().one_or_none()
        if row is None:
            return None
        filing = {name: row[f"filing_{name}"] for name in _OF_FILING}
        filing |= {name: defects_of(filing[name]) for name in ("defects", "open_items")}
        return Case(
            **{name: row[name] for name in _OF_CASE}, filing=Filing(**filing),
            parties=tuple(_party(r) for r in self._rows(tables.parties, row["case_id"])),
            materials=tuple(
                Material(**{f.name: r[f.name] for f in fields(Material)})
                for r in self._rows(tables.materials, row["case_id"])
            ),
        )  # fmt: skip

    def _rows(self, table: Table, case_id: str) -> Iterator[RowMapping]:
        query = select(table).where(table.c.case_id == case_id).order_by(table.c.position)
        yield from self.connection.execute(query).mappings()

    def add(self, case: Case) -> None:
        """A case new in the register."""
        filing = _filing_values(case.filing) | {"case_id": case.case_id}
        new = {"cases": [_case_values(case)], "filings": [filing], "parties": _values(case.case_id, case.parties),
               "materials": _values(case.case_id, case.materials)}  # fmt: skip
        self.connection.execute(_ADD, {name: json.dumps(rows, default=date.isoformat) for name, rows in new.items()})

    def save(self, before: Case, after: Case) -> None:
        """Write what an act has changed; the caller holds the case's stream lock."""
        mine = tables.cases.c.case_id == after.case_id
        self.connection.execute(update(tables.cases).where(mine).values(_case_values(after)))
        if before.filing != after.filing:
            mine = tables.filings.c.case_id == after.case_id
            self.connection.execute(update(tables.filings).where(mine).values(_filing_values(after.filing)))
        if before.parties != after.parties:
            self._replace(tables.parties, after.case_id, after.parties)
        if before.materials != after.materials:
            self._replace(tables.materials, after.case_id, after.materials)

    def _replace(self, table: Table, case_id: str, rows: Rows) -> None:
        self.connection.execute(delete(table).where(table.c.case_id == case_id))
        self._insert(table, case_id, rows)

    def _insert(self, table: Table, case_id: str, rows: Rows) -> None:
        if values := _values(case_id, rows):
            self.connection.execute(insert(table), values)


def _values(case_id: str, rows: Rows) -> list[dict[str, Any]]:
    return [asdict(row) | {"case_id": case_id, "position": place} for place, row in enumerate(rows)]


def _case_values(case: Case) -> dict[str, Any]:
    return {name: getattr(case, name) for name in _OF_CASE}


def _filing_values(filing: Filing) -> dict[str, Any]:
    return asdict(filing) | {"content": dict(filing.content)}
