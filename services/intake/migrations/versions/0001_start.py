"""Kit's tables and the intake room's own."""

from __future__ import annotations

from alembic import op

from services.intake.tables import metadata
from services.kit import schema

revision = "0001"
down_revision = None


def upgrade() -> None:
    schema.upgrade_1(op.get_bind())
    metadata.create_all(op.get_bind())
    # the register's list, newest first, of one body
    op.create_index("case_card_newest", "case_card", ["body_id", "case_id"])
