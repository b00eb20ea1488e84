"""Each list of staff asks which cases the reader took in."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """A new installation has it from its tables."""
    op.execute("create index if not exists filings_submitter on filings (submitted_by, case_id)")
