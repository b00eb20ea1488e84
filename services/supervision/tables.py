"""The tables of the supervision room."""

from __future__ import annotations

from sqlalchemy import Column, Connection, Date, Index, Integer, MetaData, Table, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB

from services.kit.schema import INSTANT, NOW, count, flag, strings, words

metadata = MetaData()

# What this room needs of a published pack: its time_limits and the frozen rules of law behind them.
pack_limits = Table(
    "pack_limits", metadata,
    Column("pack_id", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("sha256", Text, nullable=False),
    Column("time_limits", JSONB, nullable=False),
    Column("deadlines", JSONB, nullable=False),
)  # fmt: skip

# Every fact that moves a clock; rows are only ever added. scope_id '*' speaks to all clocks of the limit.
ledger = Table(
    "ledger", metadata,
    Column("entry_id", Text, primary_key=True),
    Column("case_id", Text, nullable=False),
    Column("limit_id", Text, nullable=False),
    words("scope_id"),
    Column("kind", Text, nullable=False),
    Column("from_on", Date, nullable=False),
    Column("to_on", Date),
    Column("moment", INSTANT),
    Column("occurred_on", Date, nullable=False),
    Column("at", INSTANT, nullable=False),
    words("ground"), words("reason"),
    Column("detail", JSONB, nullable=False, server_default=text("'{}'")),
    Column("event_id", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("entered_at", INSTANT, nullable=False, server_default=NOW),
    UniqueConstraint("case_id", "limit_id", "scope_id", "kind", "ground", "event_id", "from_on"),
)  # fmt: skip

# Derived from the ledger, all but clock_id and what tick has told: `done` and what is left of `plan`.
clocks = Table(
    "clocks", metadata,
    Column("clock_id", Text, primary_key=True),
    Column("case_id", Text, nullable=False),
    Column("body_id", Text, nullable=False),
    Column("limit_id", Text, nullable=False),
    words("scope_id"),
    Column("run", Integer, nullable=False),
    Column("scope", Text, nullable=False),
    Column("pack_id", Text, nullable=False),
    Column("pack_version", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("law", Text, nullable=False),
    words("article"),
    Column("rank", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("starts_on", Date),
    Column("due_on", Date),
    Column("due_at", INSTANT),
    Column("suspended_on", Date),
    Column("stopped_on", Date),
    flag("provisional"), flag("governing"), flag("awaited"), count("extensions"),
    Column("soon_on", Date),
    words("calendar"),  # years of the published calendar by which it was counted
    strings("done"),
    Column("plan", JSONB, nullable=False, server_default=text("'[]'")),
    Column("next_act_on", Date),
    Column("next_act_at", INSTANT),
    UniqueConstraint("case_id", "limit_id", "scope_id", "run"),
    Index("clocks_body", "body_id", "due_on", "clock_id"),
    Index("clocks_provisional", "calendar", postgresql_where=text("provisional")),
    Index("clocks_next_act", "next_act_on", postgresql_where=text("next_act_on is not null")),
)  # fmt: skip

alert_cards = Table(
    "alert_cards", metadata,
    Column("card_id", Text, primary_key=True),
    Column("clock_id", Text, nullable=False),
    Column("rule_id", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("case_id", Text, nullable=False),
    Column("body_id", Text, nullable=False),
    Column("limit_id", Text, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("issued_on", Date, nullable=False),
    words("person_id"), words("text"),
    UniqueConstraint("clock_id", "rule_id"),
    Index("alert_cards_case", "case_id"),
    Index("alert_cards_body", "body_id", "card_id"),
)  # fmt: skip

_INSERT_ONLY = """
create function ledger_stays() returns trigger language plpgsql as $$
begin raise exception using message = 'the ledger is insert-only, refused: ' || tg_op; end $$;
create trigger ledger_stays before update or delete on ledger for each row execute function ledger_stays();
revoke update, delete, truncate on ledger from current_user"""


def create_tables(connection: Connection) -> None:
    """The first migration; not even the owner's role may change or remove an entry of the ledger."""
    metadata.create_all(connection)
    connection.exec_driver_sql(_INSERT_ONLY)
