"""Rows as values: what a use case reads, and by which it decides."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any, Self


@dataclass(frozen=True)
class Record:
    """A row; `of` takes the columns it knows."""

    @classmethod
    def of(cls, row: Any, table: Any) -> Self:
        """From a SQLAlchemy row that holds the table's columns, perhaps among others."""
        known, columns = row._mapping, table.c
        return cls(**{f.name: frozen(known[columns[f.name]]) for f in fields(cls)})


def frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


@dataclass(frozen=True)
class Instance(Record):
    """A running procedure of one case, pinned to one pack version. `variables`: what conditions may ask."""

    instance_id: str
    case_id: str
    body_id: str
    pack_id: str
    pack_version: str
    pack_sha256: str
    started_on: date
    tokens: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    department_id: str = ""
    officer_ids: tuple[str, ...] = ()
    panel_ids: tuple[str, ...] = ()
    stage: str = ""
    concluded: bool = False
    outcome: str = ""
    concluded_on: date | None = None


@dataclass(frozen=True)
class PackBundle(Record):
    """A stored version of a pack; `state` is proposed or published."""

    sha256: str
    pack_id: str
    version: str
    title: str
    valid_from: date
    size: int
    state: str
    proposed_by: str
    confirmed_by: str = ""


@dataclass(frozen=True)
class Visit(Record):
    """One opening of a node. `people`: all who acted in it; `submitted_by` filled the form."""

    visit_id: str
    instance_id: str
    case_id: str
    node_id: str
    title: str
    stage: str
    kind: str
    state: str
    opened_on: date
    opened_at: datetime
    occurred_on: date | None = None
    done_at: datetime | None = None
    submitted_by: str = ""
    submitted_by_name: str = ""
    people: tuple[str, ...] = ()
    completed_by: str = ""
    completed_by_name: str = ""
    round: int = 0
    attempt: int = 0
    data: dict[str, Any] = field(default_factory=dict)
    act: dict[str, Any] = field(default_factory=dict)
    reason: str = ""
    from_name: str = ""


@dataclass(frozen=True)
class Task(Record):
    """What a person has to do at a visit: its form, or one level's approval of one round."""

    task_id: str
    instance_id: str
    case_id: str
    visit_id: str
    body_id: str
    node_id: str
    title: str
    stage: str
    kind: str
    level: str
    step: int
    round: int
    state: str
    candidate_role: str
    candidate_ids: tuple[str, ...]
    keys: tuple[str, ...]
    pinned_to: str
    opened_on: date
    opened_at: datetime
    from_name: str
    waiting_since: datetime | None
    refused_reason: str
    effect_id: str
    draft: dict[str, Any]
    done_at: datetime | None
    done_by: str
    done_by_name: str
    done_key: str
    version: int


@dataclass(frozen=True)
class Effect(Record):
    """One consequence of a completed node. `name` is its id in the pack, `effect` its name in the registry."""

    effect_id: str
    instance_id: str
    case_id: str
    visit_id: str
    node_id: str
    name: str
    effect: str
    owner: str
    attempt: int
    state: str
    awaited: bool
    after: tuple[str, ...]
    params: dict[str, Any]
    results: dict[str, Any]
    reason: str
    occurred_on: date
    requested_at: datetime | None = None


@dataclass(frozen=True)
class Opinion(Record):
    """What somebody said of a visit in a round."""

    visit_id: str
    task_id: str
    round: int
    level: str
    step: int
    person_id: str
    person_name: str
    decision: str
    text: str
    occurred_on: date
    given_at: datetime


@dataclass(frozen=True)
class Hearing(Record):
    """A room, a time and the people who sit."""

    hearing_id: str
    case_id: str
    body_id: str
    kind: str
    room: str
    starts_at: datetime
    ends_at: datetime
    panel_ids: tuple[str, ...]
    state: str
