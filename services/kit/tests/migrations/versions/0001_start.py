"""Kit's own tables; the test rooms have no others."""

from __future__ import annotations

from alembic import op

from services.kit import schema

revision = "0001"
down_revision = None


def upgrade() -> None:
    schema.upgrade_1(op.get_bind())
