"""A publication that cannot be reckoned is tried once a legal day."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """None was put off so far."""
    op.execute("alter table servings add column if not exists unreckoned_on date")
