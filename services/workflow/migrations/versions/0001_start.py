"""kit's tables, and workflow's own."""

from alembic import op

from services.kit import schema
from services.workflow.tables import metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create everything."""
    connection = op.get_bind()
    schema.upgrade_1(connection)
    metadata.create_all(connection)
