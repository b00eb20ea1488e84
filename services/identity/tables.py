"""The identity room's own tables."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

metadata = MetaData()
INSTANT = DateTime(timezone=True)


def _text(name: str, default: str | None = None) -> Column[str]:
    return Column(name, Text, nullable=False, server_default=default)


def _version() -> Column[int]:
    return Column("version", BigInteger, nullable=False)


bodies = Table(
    "bodies", metadata,
    Column("body_id", Text, primary_key=True),
    _text("parent_id"), _text("name"), _text("kind"), _text("tier"), _text("code"), _text("region"),
    Column("ancestor_ids", ARRAY(Text), nullable=False), _version(),
    Index("bodies_list", "code", "body_id"),
    Index("bodies_parent", "parent_id", "code", "body_id"),
)  # fmt: skip

departments = Table(
    "departments", metadata,
    Column("department_id", Text, primary_key=True),
    Column("body_id", Text, ForeignKey("bodies.body_id"), nullable=False, index=True),
    _text("name"), _text("kind"),
)  # fmt: skip

people = Table(
    "people", metadata,
    Column("person_id", Text, primary_key=True),
    Column("sign_in", Text, nullable=False, unique=True),
    _text("name"), Column("body_id", Text, ForeignKey("bodies.body_id"), nullable=False), _text("state"), _version(),
    Index("people_body", "body_id", "person_id"),
)  # fmt: skip

appointments = Table(
    "appointments", metadata,
    Column("person_id", Text, ForeignKey("people.person_id"), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("body_id", Text, ForeignKey("bodies.body_id"), nullable=False),
    _text("department_id"), _text("role"),
    Index("appointments_body", "body_id", "role", "person_id"),
)  # fmt: skip

qualifications = Table(
    "qualifications", metadata,
    Column("person_id", Text, ForeignKey("people.person_id"), primary_key=True),
    Column("place", Integer, primary_key=True),
    _text("kind"), _text("number"), _text("valid_from"), _text("valid_to"),
)  # fmt: skip

# every name that signs in with a password: staff, parties, operators
credentials = Table(
    "credentials", metadata,
    Column("sign_in", Text, primary_key=True),
    _text("kind"), Column("holder_id", Text, nullable=False, unique=True), _text("password_hash"),
)  # fmt: skip

# by the hash of the name, so that names that nobody has cost the same and are not collected here
guesses = Table(
    "guesses", metadata,
    Column("name_digest", LargeBinary, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("since", INSTANT, nullable=False, index=True),
    Column("locked_until", INSTANT),
)  # fmt: skip

sessions = Table(
    "sessions", metadata,
    Column("digest", LargeBinary, primary_key=True),
    _text("kind"), Column("holder_id", Text, nullable=False, index=True), _text("acting_body_id"),
    Column("created_at", INSTANT, nullable=False), Column("used_at", INSTANT, nullable=False),
    Column("ended_at", INSTANT),
)  # fmt: skip

accounts = Table(
    "accounts", metadata,
    Column("account_id", Text, primary_key=True),
    _text("name"), _text("id_kind"), _text("id_number"), _text("phone"), _text("state"),
    # a blocked account leaves its number free
    Index("accounts_number", "id_kind", "id_number", unique=True, postgresql_where=text("state <> 'blocked'")),
)  # fmt: skip

# what a clerk gave out after seeing the document, until it is used
confirmation_codes = Table(
    "confirmation_codes", metadata,
    Column("account_id", Text, ForeignKey("accounts.account_id"), primary_key=True),
    _text("code_hash"), _text("issued_by"), _text("body_id"), Column("issued_at", INSTANT, nullable=False),
    Column("attempts", Integer, nullable=False),
)  # fmt: skip

stations = Table(
    "stations", metadata,
    Column("station_id", Text, primary_key=True),
    Column("body_id", Text, ForeignKey("bodies.body_id"), nullable=False),
    _text("name"), Column("public_key", LargeBinary, nullable=False, unique=True), _text("state"),
    _text("requested_by"), _text("decided_by"), _text("reason"), Column("last_signed_at", INSTANT), _version(),
    Index("stations_list", "body_id", "station_id"),
)  # fmt: skip
