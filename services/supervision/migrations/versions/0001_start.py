"""The room's first tables."""

from alembic import op

from services.kit import schema
from services.supervision import tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Kit's tables and ours."""
    schema.upgrade_1(op.get_bind())
    tables.create_tables(op.get_bind())
