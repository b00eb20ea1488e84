"""The tables of the intake room."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, ForeignKey, Index, Integer, MetaData, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from services.kit.schema import count, flag, words

metadata = MetaData()


def _of_case(primary_key: bool = False) -> Column[str]:
    return Column("case_id", Text, ForeignKey("cases.case_id"), nullable=False, primary_key=primary_key)


def _json(name: str) -> Column[object]:
    return Column(name, JSONB, nullable=False)


# The register. One version for the case and its filing: what If-Match compares.
cases = Table(
    "cases", metadata,
    Column("case_id", Text, primary_key=True),
    Column("body_id", Text, nullable=False),
    Column("procedure_id", Text, nullable=False),
    Column("pack_version", Text, nullable=False),
    Column("case_type_code", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("title", Text, nullable=False),
    words("cause"),
    Column("amount_in_dispute_fen", BigInteger, nullable=False, server_default="0"),
    Column("state", Text, nullable=False),
    Column("received_on", Date, nullable=False),
    Column("case_number", Text),
    Column("docketed_on", Date),
    Column("closed_on", Date),
    words("disposition"),
    count("secrecy_level"), flag("sealed"),
    Column("version", BigInteger, nullable=False),
    # 案号规定 第三条: every case number is unique; a body's own code makes it so between bodies
    Index("cases_number", "body_id", "case_number", unique=True),
)  # fmt: skip

filings = Table(
    "filings", metadata,
    Column("filing_id", Text, primary_key=True),
    _of_case(),
    Column("state", Text, nullable=False),
    words("submitted_by"),  # account of the party who filed, or the person of staff who took it in
    _json("content"), _json("defects"), _json("open_items"),
    flag("reported_by_name"),
    Index("filings_case", "case_id", unique=True),
    Index("filings_submitter", "submitted_by", "case_id"),  # each list of staff asks what the reader took in
)  # fmt: skip

parties = Table(
    "parties", metadata,
    Column("party_id", Text, primary_key=True),
    _of_case(),
    Column("position", Integer, nullable=False),
    Column("role", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    words("id_kind"), words("id_number"), words("address"), words("phone"), words("account_id"),
    _json("representatives"),
    Index("parties_case", "case_id", "position"),
    # in which cases an account stands, when it is confirmed or blocked
    Index("parties_account", "account_id"),
    Index("parties_representatives", "representatives", postgresql_using="gin",
          postgresql_ops={"representatives": "jsonb_path_ops"}),
)  # fmt: skip

materials = Table(
    "materials", metadata,
    Column("material_id", Text, primary_key=True),
    _of_case(),
    Column("position", Integer, nullable=False),
    words("checklist_item"),
    Column("name", Text, nullable=False),
    words("sha256"),
    Column("size", BigInteger, nullable=False, server_default="0"),
    Column("copies", Integer, nullable=False, server_default="1"),
    flag("internal"),
    Index("materials_case", "case_id", "position"),
)  # fmt: skip

# 举报人: read with view_internal only, never joined to a list, never in an event.
reporters = Table(
    "reporters", metadata,
    _of_case(primary_key=True),
    words("name"), words("phone"), words("address"), words("account_id"),
)  # fmt: skip

deficiency_notices = Table(
    "deficiency_notices", metadata,
    Column("notice_id", Text, primary_key=True),
    _of_case(),
    Column("issued_on", Date, nullable=False),
    Column("due_on", Date),
    _json("defects"), _json("seen"),
    Index("deficiency_notices_case", "case_id", "notice_id"),
)  # fmt: skip

case_links = Table(
    "case_links", metadata,
    Column("link_id", Text, primary_key=True),
    _of_case(),
    Column("relation", Text, nullable=False),
    Column("case_number", Text, nullable=False),
    words("linked_case_id"), words("reason"),
    Column("linked_on", Date, nullable=False),
    Index("case_links_case", "case_id", "link_id"),
)  # fmt: skip

# Accounts whose state identity has told: confirmed or blocked; any other has proved nothing.
accounts = Table(
    "accounts", metadata,
    Column("account_id", Text, primary_key=True),
    Column("state", Text, nullable=False),
)  # fmt: skip

# The last number given, per body, series (type code) and year; its row is locked last in a transaction.
number_series = Table(
    "number_series", metadata,
    Column("body_id", Text, primary_key=True),
    Column("series", Text, primary_key=True),
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False, server_default=text("0")),
)  # fmt: skip
