"""An account proves nothing until a clerk has seen the document: those opened before are registered, not confirmed."""

from alembic import op

from services.identity.tables import confirmation_codes

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """A new installation has columns and indexes from its tables."""
    confirmation_codes.create(op.get_bind(), checkfirst=True)
    op.execute("alter table accounts drop constraint if exists accounts_id_kind_id_number_key")
    op.execute("""create unique index if not exists accounts_number on accounts (id_kind, id_number)
                  where state <> 'blocked'""")
    op.execute("update accounts set state = 'registered' where state = 'checked'")
