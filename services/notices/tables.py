"""Tables of the notices room."""

from __future__ import annotations

from sqlalchemy import Column, Date, Index, MetaData, Table, Text

from services.kit.schema import INSTANT

metadata = MetaData()

notices = Table(
    "notices", metadata,
    Column("notice_id", Text, primary_key=True),
    Column("case_id", Text, nullable=False),
    Column("body_id", Text, nullable=False),
    Column("recipient_kind", Text, nullable=False),
    Column("recipient_id", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("sent_on", Date, nullable=False),
    Column("sent_by", Text, nullable=False),
    Column("sent_by_name", Text, nullable=False),
    Column("read_at", INSTANT),
    Index("notices_inbox", "recipient_id", "notice_id"),
    Index("notices_case", "case_id"),
)  # fmt: skip
