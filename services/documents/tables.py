"""Tables of the documents room."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.kit.schema import INSTANT, NOW

metadata = MetaData()


def _words(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


def _names(name: str) -> Column[list[str]]:
    return Column(name, ARRAY(Text), nullable=False, server_default=text("'{}'"))


instruments = Table(
    "instruments", metadata,
    Column("instrument_id", Text, primary_key=True),
    Column("case_id", Text, nullable=False),
    Column("body_id", Text, nullable=False),
    Column("pack_id", Text, nullable=False),
    Column("pack_version", Text, nullable=False),
    Column("instrument", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("is_internal", Boolean, nullable=False),
    Column("volume", Text, nullable=False),
    Column("catalogue_seq", Integer, nullable=False),
    Column("token", Text, nullable=False),
    Column("fields", JSONB, nullable=False),
    _names("gaps"), _names("rendered"), _names("unsettled"),
    Column("addressees", JSONB, nullable=False),
    _words("number"), Column("issued_on", Date), _words("approved_sha256"), _words("docx_sha256"),
    _words("pdf_sha256"), Column("pages", Integer, nullable=False), _words("node_id"), _words("effect_id"),
    Column("attempts", Integer, nullable=False), _words("reason"), Column("version", BigInteger, nullable=False),
    Index("instruments_case", "case_id", "instrument_id"),
    # of each kind a case has at most one that is not issued yet: the one that the next effect issues
    Index("instruments_open", "case_id", "instrument", unique=True, postgresql_where=text("state <> 'issued'")),
)  # fmt: skip

versions = Table(
    "versions", metadata,
    Column("instrument_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("sha256", Text, nullable=False),
    Column("made_at", INSTANT, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_by_name", Text, nullable=False),
    Column("origin", Text, nullable=False),
)  # fmt: skip

signatures = Table(
    "signatures", metadata,
    Column("instrument_id", Text, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("person_id", Text, nullable=False),
    Column("person_name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("signed_at", INSTANT, nullable=False),
)  # fmt: skip

# the last number of a series; its row is locked until the transaction ends, so a rollback gives the number back
number_series = Table(
    "number_series", metadata,
    Column("body_id", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("last", Integer, nullable=False),
)  # fmt: skip

# every number ever taken, and which were given up and why
numbers = Table(
    "numbers", metadata,
    Column("body_id", Text, primary_key=True),
    Column("number", Text, primary_key=True),
    Column("instrument_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("year", Integer, nullable=False),
    Column("serial", Integer, nullable=False),
    Column("taken_at", INSTANT, nullable=False, server_default=NOW),
    _words("void_reason"),
    Index("numbers_instrument", "instrument_id"),
)  # fmt: skip

servings = Table(
    "servings", metadata,
    Column("serving_id", Text, primary_key=True),
    Column("instrument_id", Text, nullable=False),
    Column("case_id", Text, nullable=False),
    Column("body_id", Text, nullable=False),
    Column("addressee_id", Text, nullable=False),
    Column("addressee_name", Text, nullable=False),
    Column("addressee_role", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("started_on", Date, nullable=False),
    Column("state", Text, nullable=False),
    Column("served_on", Date), Column("left_on", Date), _words("proof_sha256"), _words("consent_sha256"),
    Column("is_abroad", Boolean, nullable=False), _words("limit_id"),
    Column("is_provisional", Boolean, nullable=False), _words("note"), _names("account_ids"),
    Column("limit_rule", JSONB, nullable=False, server_default=text("'{}'")),
    Column("unreckoned_on", Date),  # the last legal day on which the day of a publication could not be reckoned
    UniqueConstraint("instrument_id", "addressee_id", "method"),
    Index("servings_deemed", "body_id", "served_on", postgresql_where=text("state = 'published'")),
    Index("servings_accounts", "account_ids", postgresql_using="gin"),
)  # fmt: skip

# what templates and expressions of the pack may say of a case, as the events told it
case_facts = Table(
    "case_facts", metadata,
    Column("case_id", Text, primary_key=True),
    *(Column(n, JSONB, nullable=False, server_default=text("'{}'")) for n in ("filing", "forms", "results", "actors")),
)  # fmt: skip
