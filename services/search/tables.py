"""Tables of the search room: the ledger of what the index has to hold, and how far a rebuild is."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Identity, Index, MetaData, Sequence, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from services.kit.schema import INSTANT, NOW, words

metadata = MetaData()

# numbers every write; never taken back, so a later write always has the higher one
writes = Sequence("writes", metadata=metadata)

# what intake and workflow told of a case; `register` null: only workflow has spoken yet
cases = Table(
    "cases", metadata,
    Column("case_id", Text, primary_key=True),
    Column("version", BigInteger, nullable=False, server_default="-1"),
    Column("register", JSONB(none_as_null=True)),
    Column("circle", JSONB, nullable=False, server_default=text("'{}'")),
)  # fmt: skip

# One row a document; `content` null: gone. `told`: when its owner last did, on the same count as `write`. The index has
# it as of `written`; until that is `write` a job is due.
documents = Table(
    "documents", metadata,
    Column("document_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("case_id", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("content", JSONB(none_as_null=True)),
    Column("serial", BigInteger, Identity(always=True), nullable=False),
    Column("write", BigInteger, writes, nullable=False, server_default=writes.next_value()),
    Column("told", BigInteger, nullable=False, server_default=writes.next_value()),
    Column("written", BigInteger, nullable=False, server_default="0"),
    Index("documents_case", "case_id"),
    Index("documents_due", "write", postgresql_where=text("written < write")),
    Index("documents_late", "case_id", postgresql_where=text("written < write")),
)  # fmt: skip

rebuilds = Table(
    "rebuilds", metadata,
    Column("rebuild_id", Text, primary_key=True),
    Column("state", Text, nullable=False),  # exporting, building, done, failed
    Column("began_at", INSTANT, nullable=False, server_default=NOW),
    Column("first_write", BigInteger, nullable=False),
    words("owner"), words("after_id"), words("index_name"), words("problem"),
    *(Column(name, BigInteger, nullable=False, server_default="0")
      for name in ("exported", "documents", "differing", "removed")),
    Index("rebuilds_one", text("(true)"), unique=True, postgresql_where=text("state in ('exporting', 'building')")),
)  # fmt: skip

# what the owners' exports said, and what the new index says: compared by SQL, thrown away afterwards
exported = Table(
    "exported", metadata,
    Column("document_id", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
)  # fmt: skip

indexed = Table(
    "indexed", metadata,
    Column("document_id", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("write", BigInteger, nullable=False),
    Column("findable", Boolean, nullable=False),
)  # fmt: skip
