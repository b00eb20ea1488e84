"""Each search asks which cases the index is behind with."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Only late rows are in it: small."""
    op.execute("create index if not exists documents_late on documents (case_id) where written < write")
