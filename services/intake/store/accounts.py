"""Accounts of parties as identity tells them: an opaque id and whether somebody has seen the document."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert as upsert

from services.intake.tables import accounts


class Accounts:
    """Neither names nor numbers; an account that was only opened is not here."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def put(self, account_id: str, state: str) -> None:
        """As it is now."""
        told = upsert(accounts).values(account_id=account_id, state=state)
        self.connection.execute(told.on_conflict_do_update(index_elements=["account_id"], set_={"state": state}))

    def states(self, account_ids: Collection[str]) -> dict[str, str]:
        """Of those that a clerk has confirmed or blocked: which."""
        query = select(accounts.c.account_id, accounts.c.state).where(accounts.c.account_id.in_(account_ids))
        return {row.account_id: row.state for row in self.connection.execute(query)}
