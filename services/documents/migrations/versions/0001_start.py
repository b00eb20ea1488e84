"""Kit's tables and the documents room's own."""

from alembic import op

from services.documents.tables import metadata
from services.kit import schema

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create everything."""
    schema.upgrade_1(op.get_bind())
    metadata.create_all(op.get_bind())
