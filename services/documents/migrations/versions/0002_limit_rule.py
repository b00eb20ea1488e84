"""A publication keeps the rule that it was reckoned by."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Publications from before have none kept; they are reckoned by the rule of their pack's time."""
    op.execute("alter table servings add column if not exists limit_rule jsonb not null default '{}'")
