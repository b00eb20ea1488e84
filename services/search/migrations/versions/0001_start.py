"""Kit's tables and the search room's own."""

from alembic import op

from services.kit import schema
from services.search.tables import metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create everything."""
    schema.upgrade_1(op.get_bind())
    metadata.create_all(op.get_bind())
