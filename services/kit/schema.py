"""The tables that kit keeps in every service's database, and their first migration."""

from __future__ import annotations

from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import Column, Identity, Index, MetaData, Table
from sqlalchemy.types import ARRAY, BigInteger, Boolean, Date, DateTime, Integer, LargeBinary, Text

metadata = MetaData()
NOW = text("clock_timestamp()")
INSTANT = DateTime(timezone=True)


def strings(name: str) -> Column[list[str]]:
    """A text[] column that is never null."""
    return Column(name, ARRAY(Text), nullable=False, server_default=text("'{}'"))


def words(name: str) -> Column[str]:
    """A text column that is never null."""
    return Column(name, Text, nullable=False, server_default="")


def count(name: str) -> Column[int]:
    """An integer column that starts at zero."""
    return Column(name, Integer, nullable=False, server_default="0")


def flag(name: str) -> Column[bool]:
    """A boolean column that starts false."""
    return Column(name, Boolean, nullable=False, server_default=text("false"))


# One row a stream: its version is the seq of the last event, taken under this row's lock.
streams = Table(
    "streams", metadata,
    Column("aggregate_id", Text, primary_key=True),
    Column("version", BigInteger, nullable=False, server_default="0"),
)  # fmt: skip

# Partitioned by month; sent rows stay, so that whole streams can be replayed.
outbox = Table(
    "outbox", metadata,
    Column("position", BigInteger, Identity(always=True), primary_key=True),
    Column("created_at", INSTANT, primary_key=True, server_default=NOW),
    Column("event_id", Text, nullable=False), Column("aggregate_id", Text, nullable=False),
    Column("seq", BigInteger, nullable=False), Column("type", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("sent_at", INSTANT),
    Index("outbox_unsent", "position", postgresql_where=text("sent_at is null")),
    Index("outbox_stream", "aggregate_id", "seq"),
    postgresql_partition_by="RANGE (created_at)",
)  # fmt: skip

inbox = Table(
    "inbox", metadata,
    Column("source", Text, primary_key=True),
    Column("aggregate_id", Text, primary_key=True),
    Column("last_seq", BigInteger, nullable=False, server_default="0"),
    count("duplicates"), flag("parked"),
)  # fmt: skip

inbox_waiting = Table(
    "inbox_waiting", metadata,
    Column("source", Text, primary_key=True),
    Column("aggregate_id", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("received_at", INSTANT, nullable=False, server_default=NOW),
    count("attempts"), words("error"),
    Column("retry_at", INSTANT), Column("parked_at", INSTANT),
)  # fmt: skip

jobs = Table(
    "jobs", metadata,
    Column("job_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("run_at", INSTANT, nullable=False, server_default=NOW),
    Column("lease_until", INSTANT),
    count("attempts"), words("error"),
    Column("parked_at", INSTANT), Column("done_at", INSTANT),
    Index("jobs_due", "run_at", postgresql_where=text("done_at is null and parked_at is null")),
)  # fmt: skip

leases = Table(
    "leases", metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until", INSTANT, nullable=False),
)  # fmt: skip

audit = Table(
    "audit", metadata,
    Column("position", BigInteger, Identity(always=True), primary_key=True),
    Column("at", INSTANT, nullable=False, server_default=NOW),
    Column("legal_on", Date),
    Column("actor", JSONB, nullable=False),
    Column("action", Text, nullable=False), Column("object_id", Text, nullable=False),
    words("case_id"), words("body_id"),
    Column("detail", JSONB, nullable=False, server_default=text("'{}'")),
    Column("link", LargeBinary),
    Index("audit_case", "case_id", "position"),
    Index("audit_unlinked", "position", postgresql_where=text("link is null")),
)  # fmt: skip

audit_heads = Table(
    "audit_heads", metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("link", LargeBinary, nullable=False), Column("rows", BigInteger, nullable=False),
    Column("signed_at", INSTANT, nullable=False),
    Column("signature", LargeBinary, nullable=False),
)  # fmt: skip

idempotency = Table(
    "idempotency", metadata,
    Column("actor_id", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_hash", LargeBinary, nullable=False),
    Column("answer", LargeBinary),
    Column("created_at", INSTANT, nullable=False, server_default=NOW),
    Index("idempotency_age", "created_at"),
)  # fmt: skip

effects_performed = Table(
    "effects_performed", metadata,
    Column("effect_id", Text, primary_key=True),
    Column("effect", Text, nullable=False),
    Column("case_id", Text, nullable=False),
    Column("performed_at", INSTANT, nullable=False, server_default=NOW),
)  # fmt: skip

packs = Table(
    "packs", metadata,
    Column("pack_id", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("sha256", Text, nullable=False), Column("valid_from", Date, nullable=False),
)  # fmt: skip

legal_dates = Table(
    "legal_dates", metadata,
    Column("root_id", Text, primary_key=True),
    Column("legal_on", Date, nullable=False),
)  # fmt: skip

# projections: fed by their owner's stream alone
body_tree = Table(
    "body_tree", metadata,
    Column("body_id", Text, primary_key=True),
    Column("parent_id", Text),
    Column("root_id", Text, nullable=False),
    strings("ancestor_ids"),
    Column("name", Text, nullable=False), Column("kind", Text, nullable=False), Column("tier", Text, nullable=False),
    words("code"),
    Column("departments", JSONB, nullable=False, server_default=text("'{}'")),
    Index("body_tree_ancestors", "ancestor_ids", postgresql_using="gin"),
    Index("body_tree_code", "code"),
)  # fmt: skip

person_card = Table(
    "person_card", metadata,
    Column("person_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("body_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("appointments", JSONB, nullable=False, server_default=text("'[]'")),
    Column("qualifications", JSONB, nullable=False, server_default=text("'[]'")),
    Index("person_card_body", "body_id"),
    Index("person_card_appointments", "appointments", postgresql_using="gin"),
)  # fmt: skip

case_card = Table(
    "case_card", metadata,
    Column("case_id", Text, primary_key=True),
    # intake
    words("body_id"), words("state"), words("title"), words("procedure_id"), words("pack_version"),
    words("case_type_code"), words("case_number"), words("cause"), count("secrecy_level"), flag("sealed"),
    flag("involves_minor"), words("channel"), Column("received_on", Date), Column("docketed_on", Date),
    Column("closed_on", Date), words("disposition"), words("party_names"),
    Column("parties", JSONB, nullable=False, server_default=text("'[]'")),
    strings("party_account_ids"), words("reporter_account_id"),
    # workflow
    words("department_id"), strings("officer_ids"), strings("panel_ids"), words("stage"),
    strings("open_node_ids"), flag("concluded"), words("outcome"),
    # supervision
    words("limit_id"), Column("due_on", Date), words("due_state"), flag("provisional"), words("due_unit"),
    count("yellow_cards"), count("red_cards"),
    # archive
    words("dossier_state"), count("pages"),
    Index("case_card_body", "body_id", "state", "case_id"),
    Index("case_card_number", "case_number"),
    Index("case_card_officers", "officer_ids", postgresql_using="gin"),
    Index("case_card_accounts", "party_account_ids", postgresql_using="gin"),
    Index("case_card_due", "body_id", "due_on"),
)  # fmt: skip


def upgrade_1(connection: Connection) -> None:
    """Create kit's tables; the outbox gets a catch-all partition, tick adds the months."""
    metadata.create_all(connection)
    connection.execute(text("create table if not exists outbox_rest partition of outbox default"))
