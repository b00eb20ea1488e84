"""Servings that were begun are waited for until they are proven."""

from alembic import op

from services.archive.tables import receipts

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Those begun before are not known here."""
    receipts.create(op.get_bind(), checkfirst=True)
