"""Cards name confirmed accounts alone: those told before are told anew, by a job for each account that they name."""

from alembic import op

revision = "0004"
down_revision = "0003"

TOLD_BEFORE = """
    insert into jobs (job_id, kind, payload)
    select gen_random_uuid()::text, 'follow_account', jsonb_build_object('account_id', account_id)
    from (select distinct unnest(party_account_ids) as account_id from case_card) named
    where not exists (select from accounts a where a.account_id = named.account_id and a.state = 'confirmed')"""


def upgrade() -> None:
    """A new installation has the indexes from its tables, and no cards."""
    op.execute("create index if not exists parties_account on parties (account_id)")
    op.execute(
        "create index if not exists parties_representatives on parties using gin (representatives jsonb_path_ops)"
    )
    op.execute(TOLD_BEFORE)
