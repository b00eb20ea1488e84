"""Tables of the archive."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, MetaData, Table, Text

from services.kit.schema import INSTANT, NOW

metadata = MetaData()

upload_sessions = Table(
    "upload_sessions", metadata,
    Column("upload_id", Text, primary_key=True),
    Column("owner_id", Text, nullable=False),
    Column("body_id", Text, nullable=False),
    Column("case_id", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("created_at", INSTANT, nullable=False, server_default=NOW),
    Column("expires_at", INSTANT, nullable=False),
    Index("upload_sessions_expiry", "state", "expires_at"),
    Index("upload_sessions_owner", "owner_id", "sha256"),
)  # fmt: skip

upload_parts = Table(
    "upload_parts", metadata,
    Column("upload_id", Text, primary_key=True),
    Column("offset", BigInteger, primary_key=True),
    Column("length", BigInteger, nullable=False),
    Column("object_key", Text, nullable=False),
)  # fmt: skip

# which stored bytes belong to which case, from intake's events
case_files = Table(
    "case_files", metadata,
    Column("case_id", Text, primary_key=True),
    Column("sha256", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("is_internal", Boolean, nullable=False),
    Index("case_files_hash", "sha256"),
)  # fmt: skip
