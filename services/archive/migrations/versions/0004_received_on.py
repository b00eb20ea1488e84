"""A page keeps the legal day on which its body received it."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Pages from before keep the instant alone."""
    op.execute("alter table pages add column if not exists received_on date")
