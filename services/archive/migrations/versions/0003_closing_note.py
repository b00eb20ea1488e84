"""A volume keeps who had it bound and what its 备考表 says."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Volumes from before have no 备考表."""
    op.execute("alter table volumes add column if not exists asked_by text not null default ''")
    op.execute("alter table volumes add column if not exists closing_note jsonb not null default '{}'")
