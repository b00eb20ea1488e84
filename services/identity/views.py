"""Read-only questions: bodies, people, stations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, exists, or_, select, tuple_

from anjuan.identity.v1 import identity_pb2 as pb
from services.identity import messages
from services.identity import tables as t
from services.identity.store import IdentityUnit, body_of, station_of
from services.kit import access, paging, schema
from services.kit.errors import ConflictError, NotFoundError


def get_body(uow: IdentityUnit, request: pb.GetBodyRequest) -> pb.Body:
    """By id, or by a code that one body alone has.

    Raises:
        NotFoundError: none.
        ConflictError: several bodies have this code.
    """
    by = t.bodies.c.body_id == request.body_id if request.body_id else t.bodies.c.code == request.code
    rows = uow.connection.execute(select(t.bodies).where(by).limit(2)).all()
    if not rows:
        raise NotFoundError("没有这个机关")
    if len(rows) > 1:
        raise ConflictError("有多个机关使用该代字，请按编号查询")
    return _bodies(uow, rows)[0]


def list_bodies(uow: IdentityUnit, request: pb.ListBodiesRequest) -> pb.ListBodiesAnswer:
    """In order of code."""
    table, wanted = t.bodies, []
    for name in ("parent_id", "kind"):
        if value := getattr(request, name):
            wanted.append(table.c[name] == value)
    if request.name_contains:
        wanted.append(table.c.name.contains(request.name_contains, autoescape=True))
    rows, more = _page(uow, table, (table.c.code, table.c.body_id), wanted, request)
    return pb.ListBodiesAnswer(bodies=_bodies(uow, rows), next_cursor=more)


def _bodies(uow: IdentityUnit, rows: Sequence[Any]) -> list[pb.Body]:
    dates = {row.root_id: row.legal_on.isoformat() for row in uow.connection.execute(select(schema.legal_dates))}
    found = [body_of(row) for row in rows]
    return [messages.body_message(body, dates.get(body.root_id, "")) for body in found]


def list_people(uow: IdentityUnit, request: pb.ListPeopleRequest) -> pb.ListPeopleAnswer:
    """Who belongs to a body or is appointed in it, perhaps in one role; of the caller's own body by default.

    Raises:
        NotAllowedError: not this caller's to see.
    """
    actor = uow.cause.actor
    body_id = request.body_id or actor.body_id
    access.require(uow.connection, actor, "list_people", body_id=body_id)
    in_charge = access.allowed(uow.connection, actor, "administer_body", body_id=body_id)
    parts = t.appointments
    appointed = (parts.c.person_id == t.people.c.person_id) & (parts.c.body_id == body_id)
    wanted: list[ColumnElement[bool]]
    if request.role:
        wanted = [exists().where(appointed & (parts.c.role == request.role))]
    else:
        wanted = [or_(t.people.c.body_id == body_id, exists().where(appointed))]
    rows, more = _page(uow, t.people, (t.people.c.person_id,), wanted, request)
    people = [messages.person_message(person, in_charge) for person in uow.people.read(rows)]
    return pb.ListPeopleAnswer(people=people, next_cursor=more)


def list_stations(uow: IdentityUnit, request: pb.ListStationsRequest) -> pb.ListStationsAnswer:
    """Stations of a body that the caller administers, his own by default.

    Raises:
        NotAllowedError: he does not.
    """
    actor = uow.cause.actor
    body_id = request.body_id or actor.body_id
    access.require(uow.connection, actor, "administer_body", body_id=body_id)
    table = t.stations
    rows, more = _page(uow, table, (table.c.station_id,), [table.c.body_id == body_id], request)
    return pb.ListStationsAnswer(
        stations=[messages.station_message(station_of(row)) for row in rows], next_cursor=more
    )


def _page(
    uow: IdentityUnit, table: Table, key: tuple[Any, ...], wanted: Sequence[ColumnElement[bool]], request: Any
) -> tuple[Sequence[Any], str]:
    """Rows after the cursor in order of the key, and the cursor of what follows."""
    limit, position = paging.size(request.limit), paging.after(request.cursor, len(key))
    query = select(table).where(*wanted).order_by(*key).limit(limit + 1)
    if position is not None:
        query = query.where(tuple_(*key) > tuple_(*position))
    rows = uow.connection.execute(query).all()
    if len(rows) <= limit:
        return rows, ""
    last = [getattr(rows[limit - 1], column.name) for column in key]
    return rows[:limit], paging.cursor(*last)
