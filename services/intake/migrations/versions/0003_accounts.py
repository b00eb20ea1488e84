"""Staff link confirmed accounts alone: what identity tells of them is kept here."""

from alembic import op

from services.intake.tables import accounts

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """A new installation has it from its tables."""
    accounts.create(op.get_bind(), checkfirst=True)
