"""The identity room's unit of work and its repositories."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, Select, Table, delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.identity import tables as t
from services.identity.model.accounts import Account, ConfirmationCode
from services.identity.model.bodies import Body, Department
from services.identity.model.people import Appointment, Person, Qualification
from services.identity.model.sessions import Credential, Guesses, Session
from services.identity.model.stations import Station
from services.kit.database import UnitOfWork

Noun = TypeVar("Noun")


def _values(noun: Any) -> dict[str, Any]:
    return {f.name: getattr(noun, f.name) for f in fields(noun)}


def _noun(kind: type[Noun], row: Row[Any]) -> Noun:
    names = {f.name for f in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: value for name, value in row._mapping.items() if name in names})


class Repository:
    """Over one connection."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def _put(self, table: Table, values: dict[str, Any]) -> None:
        keys = [column.name for column in table.primary_key]
        statement = upsert(table).values(**values)
        changed = {name: value for name, value in values.items() if name not in keys}
        self.connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed))


def body_of(row: Row[Any]) -> Body:
    """A row of bodies."""
    found = _noun(Body, row)
    return Body(**_values(found) | {"ancestor_ids": tuple(found.ancestor_ids)})


class Bodies(Repository):
    """The tree and its departments."""

    def lock(self) -> None:
        """One import at a time; readers are not held up."""
        self.connection.execute(text("lock table bodies, people in share row exclusive mode"))

    def every(self) -> dict[str, Body]:
        """All bodies by id; a site has some thousands."""
        return {row.body_id: body_of(row) for row in self.connection.execute(select(t.bodies))}

    def get(self, body_id: str) -> Body | None:
        """One body."""
        row = self.connection.execute(select(t.bodies).where(t.bodies.c.body_id == body_id)).one_or_none()
        return None if row is None else body_of(row)

    def put(self, body: Body) -> None:
        """New or changed."""
        self._put(t.bodies, _values(body) | {"ancestor_ids": list(body.ancestor_ids)})

    def departments(self, body_ids: Collection[str] | None = None) -> dict[str, Department]:
        """Departments by id, of some bodies or of all."""
        wanted = select(t.departments).order_by(t.departments.c.department_id)
        if body_ids is not None:
            wanted = wanted.where(t.departments.c.body_id.in_(body_ids))
        return {row.department_id: _noun(Department, row) for row in self.connection.execute(wanted)}

    def put_department(self, department: Department) -> None:
        """New or changed."""
        self._put(t.departments, _values(department))


class People(Repository):
    """People with appointments and qualifications."""

    def find(self, person_ids: Collection[str] = (), sign_ins: Collection[str] = ()) -> list[Person]:
        """Those with one of the ids or names, in order of id."""
        table = t.people
        wanted = select(table).where(table.c.person_id.in_(person_ids) | table.c.sign_in.in_(sign_ins))
        return self.read(self.connection.execute(wanted.order_by(table.c.person_id)).all())

    def read(self, rows: Iterable[Row[Any]]) -> list[Person]:
        """Rows of people, completed by their parts."""
        found = [_noun(Person, row) for row in rows]
        ids = [person.person_id for person in found]
        appointed, qualified = self._parts(t.appointments, ids), self._parts(t.qualifications, ids)
        return [
            Person(**_values(person) | {
                "appointments": tuple(_noun(Appointment, row) for row in appointed[person.person_id]),
                "qualifications": tuple(_noun(Qualification, row) for row in qualified[person.person_id]),
            }) for person in found
        ]  # fmt: skip

    def _parts(self, table: Table, person_ids: Collection[str]) -> dict[str, list[Row[Any]]]:
        wanted = select(table).where(table.c.person_id.in_(person_ids)).order_by(table.c.person_id, table.c.place)
        parts: dict[str, list[Row[Any]]] = defaultdict(list)
        for row in self.connection.execute(wanted):
            parts[row.person_id].append(row)
        return parts

    def put(self, person: Person) -> None:
        """New or changed, with all its parts."""
        plain = _values(person)
        parts = {t.appointments: plain.pop("appointments"), t.qualifications: plain.pop("qualifications")}
        self._put(t.people, plain)
        for table, rows in parts.items():
            self.connection.execute(delete(table).where(table.c.person_id == person.person_id))
            if rows:
                placed = [{"person_id": person.person_id, "place": n, **_values(row)} for n, row in enumerate(rows)]
                self.connection.execute(insert(table), placed)


class Doors(Repository):
    """Credentials, guesses and sessions."""

    def credential(self, sign_in: str = "", holder_id: str = "") -> Credential | None:
        """By name, or by holder."""
        table = t.credentials
        by = table.c.sign_in == sign_in if sign_in else table.c.holder_id == holder_id
        row = self.connection.execute(select(table).where(by)).one_or_none()
        return None if row is None else _noun(Credential, row)

    def put_credential(self, credential: Credential) -> None:
        """New, or with another name or password."""
        self.connection.execute(delete(t.credentials).where(t.credentials.c.holder_id == credential.holder_id))
        self.connection.execute(insert(t.credentials).values(**_values(credential)))

    def change_hash(self, credential: Credential) -> None:
        """Another password hash; a credential that is gone meanwhile stays gone."""
        mine = t.credentials.c.holder_id == credential.holder_id
        self.connection.execute(update(t.credentials).where(mine).values(password_hash=credential.password_hash))

    def drop_credential(self, holder_id: str) -> None:
        """Nobody signs in under the name any more, and it is free."""
        self.connection.execute(delete(t.credentials).where(t.credentials.c.holder_id == holder_id))

    def guesses(self, name_digest: bytes, now: datetime) -> Guesses:
        """Attempts under a name, its row locked."""
        table = t.guesses
        fresh = upsert(table).values(name_digest=name_digest, count=0, since=now)
        # an update locks the row in the same step: another sign-in may forget it between two
        locked = fresh.on_conflict_do_update(index_elements=[table.c.name_digest], set_={"count": table.c.count})
        return _noun(Guesses, self.connection.execute(locked.returning(*table.c)).one())

    def put_guesses(self, name_digest: bytes, guesses: Guesses) -> None:
        """Count."""
        self._put(t.guesses, {"name_digest": name_digest, **_values(guesses)})

    def forget_guesses(self, name_digest: bytes, before: datetime) -> None:
        """After a success; names not tried since `before` go along."""
        old = (t.guesses.c.since < before) & (t.guesses.c.locked_until.is_(None) | (t.guesses.c.locked_until < before))
        self.connection.execute(delete(t.guesses).where((t.guesses.c.name_digest == name_digest) | old))

    def add_session(self, session: Session) -> None:
        """A new session."""
        self.connection.execute(insert(t.sessions).values(**_values(session)))

    def session(self, digest: bytes) -> Session | None:
        """One session, its row locked."""
        found = select(t.sessions).where(t.sessions.c.digest == digest).with_for_update()
        row = self.connection.execute(found).one_or_none()
        return None if row is None else _noun(Session, row)

    def change_session(self, digest: bytes, **values: Any) -> None:
        """Set columns."""
        self.connection.execute(update(t.sessions).where(t.sessions.c.digest == digest).values(**values))

    def end_sessions(self, holder_id: str, at: datetime) -> int:
        """All of one holder; how many."""
        table = t.sessions
        open_ = (table.c.holder_id == holder_id) & table.c.ended_at.is_(None)
        return self.connection.execute(update(table).where(open_).values(ended_at=at)).rowcount

    def drop_sessions(self, before: datetime) -> None:
        """Those begun before then are of no more use."""
        self.connection.execute(delete(t.sessions).where(t.sessions.c.created_at < before))


def account_of(row: Row[Any]) -> Account:
    """A row of accounts; `checked` is what a server of the release before goes on to write for `registered`."""
    found = _noun(Account, row)
    return replace(found, state="registered") if found.state == "checked" else found


class Accounts(Repository):
    """Parties' accounts."""

    def get(self, account_id: str) -> Account | None:
        """One account."""
        return self._one(select(t.accounts).where(t.accounts.c.account_id == account_id))

    def locked(self, account_id: str) -> Account | None:
        """One account, its row locked."""
        return self._one(select(t.accounts).where(t.accounts.c.account_id == account_id).with_for_update())

    def by_number(self, id_kind: str, id_number: str) -> Account | None:
        """The account bound to a number; blocked ones are bound to none."""
        c = t.accounts.c
        same = (c.id_kind == id_kind) & (c.id_number == id_number) & (c.state != "blocked")
        return self._one(select(t.accounts).where(same))

    def _one(self, query: Select[Any]) -> Account | None:
        row = self.connection.execute(query).one_or_none()
        return None if row is None else account_of(row)

    def add(self, account: Account) -> bool:
        """False when the number has an account already."""
        statement = upsert(t.accounts).values(**_values(account)).on_conflict_do_nothing()
        return self.connection.execute(statement.returning(t.accounts.c.account_id)).first() is not None

    def put(self, account: Account) -> None:
        """Changed."""
        self._put(t.accounts, _values(account))

    def code(self, account_id: str) -> ConfirmationCode | None:
        """The code that was given out for an account; the account's row is locked."""
        found = select(t.confirmation_codes).where(t.confirmation_codes.c.account_id == account_id)
        row = self.connection.execute(found).one_or_none()
        return None if row is None else _noun(ConfirmationCode, row)

    def put_code(self, code: ConfirmationCode) -> None:
        """A new one in place of the last, or one more attempt."""
        self._put(t.confirmation_codes, _values(code))

    def drop_code(self, account_id: str) -> None:
        """Used, or of no more use."""
        self.connection.execute(
            delete(t.confirmation_codes).where(t.confirmation_codes.c.account_id == account_id)
        )


class Stations(Repository):
    """Scanning stations."""

    def get(self, station_id: str) -> Station | None:
        """One station, its row locked."""
        found = select(t.stations).where(t.stations.c.station_id == station_id).with_for_update()
        row = self.connection.execute(found).one_or_none()
        return None if row is None else station_of(row)

    def by_key(self, public_key: bytes) -> Station | None:
        """The station of a key."""
        row = self.connection.execute(select(t.stations).where(t.stations.c.public_key == public_key)).one_or_none()
        return None if row is None else station_of(row)

    def waiting(self, body_id: str) -> int:
        """How many of a body wait for a decision."""
        wanted = (t.stations.c.body_id == body_id) & (t.stations.c.state == "requested")
        return int(self.connection.execute(select(func.count()).where(wanted)).scalar_one())

    def put(self, station: Station) -> None:
        """New or changed."""
        self._put(t.stations, _values(station))


def station_of(row: Row[Any]) -> Station:
    """A row of stations."""
    found = _noun(Station, row)
    return Station(**_values(found) | {"public_key": bytes(found.public_key)})


class IdentityUnit(UnitOfWork):
    """One transaction of the identity room."""

    @property
    def bodies(self) -> Bodies:
        """The tree."""
        return Bodies(self.connection)

    @property
    def people(self) -> People:
        """The staff."""
        return People(self.connection)

    @property
    def doors(self) -> Doors:
        """Ways in."""
        return Doors(self.connection)

    @property
    def accounts(self) -> Accounts:
        """Parties."""
        return Accounts(self.connection)

    @property
    def stations(self) -> Stations:
        """Scanning stations."""
        return Stations(self.connection)
