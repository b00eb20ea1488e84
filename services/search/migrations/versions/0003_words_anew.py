"""Words are cut in another way than in the index so far: everything kept is due, and the worker writes it in place."""

from alembic import op
from sqlalchemy import text

from services.kit import clock

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """The job is that of every change; nothing kept: none. What is gone has no words."""
    op.get_bind().execute(
        text("""
            with due as (
                update documents set write = nextval('writes') where content is not null returning document_id)
            insert into jobs (job_id, kind, payload)
            select :job_id, 'index_changes', '{}' where exists (select from due)"""),
        {"job_id": clock.new_id()},
    )
