"""Tables of the archive."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, Float, Index, Integer, MetaData, Table, Text, text
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.dialects.postgresql import JSONB

from services.kit.schema import INSTANT, NOW, count, flag, words

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
    Index("upload_sessions_owner", "owner_id", "sha256"), Index("upload_sessions_hash", "sha256"),
    Index("upload_sessions_day", "owner_id", "created_at"),
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
    Column("body_id", Text, nullable=False),
    Column("filed_by", Text, nullable=False),
    words("checklist_item"),
    Index("case_files_hash", "sha256"),
)  # fmt: skip

separator_sheets = Table(
    "separator_sheets", metadata,
    Column("token", Text, primary_key=True),
    Column("case_id", Text, nullable=False),
    Column("body_id", Text, nullable=False),
    Column("volume", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    flag("is_internal"),
    Column("printed_at", INSTANT, nullable=False, server_default=NOW),
    Unique("case_id", "volume", "seq"),
)  # fmt: skip

scan_batches = Table(
    "scan_batches", metadata,
    Column("batch_id", Text, primary_key=True),
    Column("body_id", Text, nullable=False),
    Column("owner_id", Text, nullable=False),
    words("owner_name"), words("file_name"),
    Column("state", Text, nullable=False),
    Column("master_sha256", Text, nullable=False),
    Column("master_size", BigInteger, nullable=False),
    Column("master_media_type", Text, nullable=False),
    Column("scanned_at", INSTANT, nullable=False),
    Column("registered_at", INSTANT, nullable=False, server_default=NOW),
    Column("received_at", INSTANT),
    Column("manifest", JSONB, nullable=False),
    Column("paper_pages", Integer),
    words("counted_by_name"),
    Column("counted_at", INSTANT),
    words("count_note"), count("version"),
    Index("scan_batches_body", "body_id", "registered_at", "batch_id"),
)  # fmt: skip

# which bytes a batch waits for
scan_contents = Table(
    "scan_contents", metadata,
    Column("batch_id", Text, primary_key=True),
    Column("sha256", Text, primary_key=True),
    Index("scan_contents_hash", "sha256"),
)  # fmt: skip

scan_piles = Table(
    "scan_piles", metadata,
    Column("pile_id", Text, primary_key=True),
    Column("batch_id", Text, nullable=False),
    Column("body_id", Text, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("state", Text, nullable=False),
    words("reason"), words("case_id"), words("volume"), count("seq"), count("pages"), count("blanks"),
    count("first_number"), count("last_number"), words("claimed_by"), words("claimed_by_name"),
    Column("claimed_at", INSTANT),
    words("claim_note"),
    Column("received_at", INSTANT, nullable=False),
    count("version"),
    Index("scan_piles_body", "body_id", "state", "pile_id"),
    Index("scan_piles_batch", "batch_id"),
    Index("scan_piles_case", "case_id"),
)  # fmt: skip

# every page of every master, separator sheets and blanks too, and the pages of instruments and materials
pages = Table(
    "pages", metadata,
    Column("page_id", Text, primary_key=True),
    Column("batch_id", Text, nullable=False),
    Column("pile_id", Text, nullable=False),
    Column("body_id", Text, nullable=False),
    words("case_id"),
    Column("number", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    count("width"), count("height"), count("dpi"), count("turned"), flag("is_hidden"), flag("is_internal"),
    words("volume"), count("seq"),
    Column("position", BigInteger, nullable=False, server_default="0"),
    Column("state", Text, nullable=False),
    words("replaced_by"), words("replaces"), words("thumbnail_sha256"), words("volume_id"), count("page_number"),
    Column("received_at", INSTANT, nullable=False),
    count("version"),
    words("source"), words("source_id"), words("title"), words("master_sha256"), words("master_media_type"),
    Column("told", BigInteger, nullable=False, server_default="0"), Column("received_on", Date),
    Index("pages_case", "case_id", "volume", "seq", "position"),
    Index("pages_pile", "pile_id", "number"),
    Index("pages_hash", "sha256"), Index("pages_thumbnail", "thumbnail_sha256"),
    Index("pages_volume", "volume_id", "page_number"),
)  # fmt: skip

# by content: the same picture is read once
page_readings = Table(
    "page_readings", metadata,
    Column("sha256", Text, primary_key=True),
    Column("turned", Integer, primary_key=True),
    Column("text", Text, nullable=False),
    Column("lines", JSONB, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("engine", Text, nullable=False),
    Column("read_at", INSTANT, nullable=False, server_default=NOW),
)  # fmt: skip

# documents that come as files: instruments, receipts, materials
papers = Table(
    "papers", metadata,
    Column("paper_id", Text, primary_key=True),
    Column("case_id", Text, nullable=False),
    Column("body_id", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    words("volume"), count("seq"), flag("is_internal"), words("title"), words("number"), words("dated"),
    Column("sha256", Text, nullable=False),
    Column("state", Text, nullable=False),
    words("reason"),
    Column("came_at", INSTANT, nullable=False, server_default=NOW),
    Index("papers_case", "case_id", "source_id"), Index("papers_hash", "sha256"),
)  # fmt: skip

# servings that the procedure has begun: one row for each instrument and addressee
receipts = Table(
    "receipts", metadata,
    Column("instrument_id", Text, primary_key=True),
    Column("party_id", Text, primary_key=True),
    Column("case_id", Text, nullable=False),
    flag("is_proven"),
    Index("receipts_missing", "case_id", postgresql_where=text("not is_proven")),
)  # fmt: skip

volumes = Table(
    "volumes", metadata,
    Column("volume_id", Text, primary_key=True),
    Column("case_id", Text, nullable=False),
    Column("body_id", Text, nullable=False),
    Column("volume", Text, nullable=False),
    count("part"), flag("is_internal"),
    Column("state", Text, nullable=False),
    words("reason"),
    Column("call", JSONB, nullable=False),
    Column("page_ids", JSONB, nullable=False),
    Column("entries", JSONB, nullable=False),
    words("pdf_sha256"),
    Column("size", BigInteger, nullable=False, server_default="0"),
    Column("bound_on", Date),
    Column("bound_at", INSTANT),
    words("asked_by"),
    Column("closing_note", JSONB, nullable=False, server_default="{}"),
    Index("volumes_case", "case_id", "volume", "part"), Index("volumes_hash", "pdf_sha256"),
)  # fmt: skip

dossiers = Table(
    "dossiers", metadata,
    Column("dossier_id", Text, primary_key=True),
    Column("case_id", Text, nullable=False),
    Column("body_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    words("reason"),
    Column("call", JSONB, nullable=False),
    words("retention"),
    Column("archived_on", Date, nullable=False),
    Column("locked_until", INSTANT, nullable=False),
    words("manifest_sha256"), count("objects"), flag("is_locked"),
    Column("archived_at", INSTANT),
    Index("dossiers_case", "case_id"),
)  # fmt: skip

# what a dossier's manifest names, to be looked up by hash
dossier_objects = Table(
    "dossier_objects", metadata,
    Column("dossier_id", Text, primary_key=True),
    Column("sha256", Text, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Index("dossier_objects_hash", "sha256"),
)  # fmt: skip
