"""What every service knows of bodies, people and cases: copies, each written only from its owner's stream.

The owner's own copy is written by the same code in the owner's transaction (UnitOfWork.flush).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Table, text

from services.kit import schema
from services.kit.events import Event

CARD_SOURCES = ("identity", "intake", "workflow", "supervision", "archive")
Copy = tuple[Table, dict[str, Any], dict[str, Any]]  # table, key, values
Statement = tuple[str, dict[str, Any]]  # with its values
_clause = lru_cache(maxsize=64)(text)  # made once


def _intake(card: Any) -> dict[str, Any]:
    parties = [
        {"party_id": p.party_id, "name": p.name, "role": p.role, "account_id": p.account_id} for p in card.parties
    ]
    accounts = [p.account_id for p in card.parties if p.account_id] + list(card.representative_account_ids)
    plain = ("body_id", "state", "title", "procedure_id", "pack_version", "case_type_code", "case_number", "cause",
             "secrecy_level", "sealed", "involves_minor", "channel", "disposition", "reporter_account_id")  # fmt: skip
    days = {name: getattr(card, name) or None for name in ("received_on", "docketed_on", "closed_on")}
    return {name: getattr(card, name) for name in plain} | days | {
        "parties": parties, "party_names": "、".join(p.name for p in card.parties),
        "party_account_ids": sorted(set(accounts)),
    }  # fmt: skip


def _workflow(card: Any) -> dict[str, Any]:
    return {
        "department_id": card.department_id, "officer_ids": list(card.officer_ids), "panel_ids": list(card.panel_ids),
        "stage": card.stage, "open_node_ids": list(card.open_node_ids), "concluded": card.concluded,
        "outcome": card.outcome,
    }  # fmt: skip


def _supervision(card: Any) -> dict[str, Any]:
    return {
        "limit_id": card.limit_id, "due_on": card.due_on or None, "due_state": card.state,
        "provisional": card.provisional, "due_unit": card.unit, "yellow_cards": card.yellow_cards,
        "red_cards": card.red_cards,
    }  # fmt: skip


def _archive(card: Any) -> dict[str, Any]:
    return {"dossier_state": card.dossier_state, "pages": card.pages}


_CARDS = {"intake": _intake, "workflow": _workflow, "supervision": _supervision, "archive": _archive}


def _body(event: Event) -> Copy:
    body, ancestors = event.data.body, list(event.data.ancestor_ids)
    root = ancestors[-1] if ancestors else body.body_id
    departments = {d.department_id: {"name": d.name, "kind": d.kind} for d in event.data.departments}
    return schema.body_tree, {"body_id": body.body_id}, {
        "parent_id": body.parent_id or None, "root_id": root, "ancestor_ids": ancestors, "name": body.name,
        "kind": body.kind, "tier": body.tier, "code": body.code, "departments": departments,
    }  # fmt: skip


def _person(event: Event) -> Copy:
    person = event.data.person
    return schema.person_card, {"person_id": person.person_id}, {
        "name": person.name, "body_id": person.body_id, "state": person.state,
        "appointments": [
            {"body_id": a.body_id, "department_id": a.department_id, "role": a.role} for a in person.appointments
        ],
        "qualifications": [
            {"kind": q.kind, "number": q.number, "valid_from": q.valid_from, "valid_to": q.valid_to}
            for q in person.qualifications
        ],
    }  # fmt: skip


def _legal_date(event: Event) -> Copy:
    return schema.legal_dates, {"root_id": event.data.root_body_id}, {"legal_on": event.data.legal_on}


def _pack(event: Event) -> Copy:
    pack = event.data
    key = {"pack_id": pack.pack_id, "version": pack.version}
    return schema.packs, key, {"sha256": pack.sha256, "valid_from": pack.valid_from}


_PLAIN = {
    "identity.BodyChanged": _body,
    "identity.PersonChanged": _person,
    "identity.LegalDateAdvanced": _legal_date,
    "workflow.PackPublished": _pack,
}


def _copy(event: Event) -> Copy | None:
    plain = _PLAIN.get(f"{event.source}.{event.type}")
    if plain is not None:
        return plain(event)
    if event.case_id and "card" in event.raw and event.source in _CARDS:
        return schema.case_card, {"case_id": event.case_id}, _CARDS[event.source](event.data.card)
    return None


def apply_all(connection: Connection, told: Iterable[Event]) -> None:
    """Bring the copies up to these events."""
    for statement, values in statements(told):
        connection.execute(_clause(statement), values)


def statements(told: Iterable[Event]) -> list[Statement]:
    """What brings them up, in key order so that no two deadlock; of two that say the same anew the later alone."""
    latest: dict[tuple[str, str], dict[tuple[str, ...], Copy]] = {}
    for event in told:
        copy = _copy(event)
        if copy is not None:
            latest.setdefault((copy[0].name, event.source), {})[tuple(copy[1].values())] = copy
    return [_put([copies[key] for key in sorted(copies)]) for _, copies in sorted(latest.items())]


def _put(copies: Sequence[Copy]) -> Statement:
    table, key, values = copies[0]
    rows = json.dumps([k | v for _, k, v in copies], ensure_ascii=False)
    return _upsert(table.name, tuple(key), tuple(values)), {table.name: rows}


@lru_cache(maxsize=64)
def _upsert(table: str, key: tuple[str, ...], values: tuple[str, ...]) -> str:
    """One statement for any number of rows of one shape, written in the order given."""
    columns, replaced = ", ".join(key + values), ", ".join(f"{name} = excluded.{name}" for name in values)
    return (
        f"insert into {table} ({columns}) select {columns} "  # noqa: S608 - names of our own tables
        f"from jsonb_populate_recordset(null::{table}, cast(:{table} as jsonb)) "
        f"on conflict ({', '.join(key)}) do update set {replaced}"
    )
