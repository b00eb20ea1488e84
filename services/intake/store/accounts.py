"""Accounts of parties as identity tells them: an opaque id and whether somebody has seen the document."""

from __future__ import annotations

import json
from collections.abc import Collection

from sqlalchemy import ColumnElement, Connection, Text, cast, exists, literal, or_, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert

from services.intake.tables import accounts, parties

# an account that nothing was told of has no row to be locked
_HELD = text("""
    select pg_advisory_xact_lock_shared(hashtextextended('account ' || id, 0))
    from unnest(cast(:ids as text[])) as a (id)""")
_TAKEN = text("select pg_advisory_xact_lock(hashtextextended('account ' || cast(:id as text), 0))")


def stands_behind(account_id: str) -> ColumnElement[bool]:
    """Whether a row of a party is the account's, or that of one for whom it acts."""
    acts = parties.c.representatives.bool_op("@>")(cast(literal(json.dumps([{"account_id": account_id}]), Text), JSONB))
    return or_(parties.c.account_id == account_id, acts)


class Accounts:
    """Neither names nor numbers; an account that was only opened is not here."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def hold(self, account_ids: Collection[str]) -> None:
        """Until this transaction ends none of them is confirmed or blocked: what it tells of them stays true."""
        if account_ids:
            self.connection.execute(_HELD, {"ids": sorted(account_ids)})

    def put(self, account_id: str, state: str) -> None:
        """As it is now; waits for those who hold it, and sees their cases then."""
        self.connection.execute(_TAKEN, {"id": account_id})
        told = upsert(accounts).values(account_id=account_id, state=state)
        self.connection.execute(told.on_conflict_do_update(index_elements=["account_id"], set_={"state": state}))

    def states(self, account_ids: Collection[str]) -> dict[str, str]:
        """Of those that a clerk has confirmed or blocked: which."""
        query = select(accounts.c.account_id, accounts.c.state).where(accounts.c.account_id.in_(account_ids))
        return {row.account_id: row.state for row in self.connection.execute(query)}

    def confirmed(self, account_ids: Collection[str]) -> set[str]:
        """Those of them that a clerk has confirmed; about none nothing is asked."""
        states = self.states(account_ids) if account_ids else {}
        return {account_id for account_id, state in states.items() if state == "confirmed"}

    def cases_of(self, account_id: str) -> list[str]:
        """Ids of the cases in which it stands behind a party."""
        query = select(parties.c.case_id).where(stands_behind(account_id)).distinct().order_by(parties.c.case_id)
        return list(self.connection.execute(query).scalars())

    def has_cases(self, account_id: str) -> bool:
        """Whether it stands behind any."""
        return bool(self.connection.execute(select(exists().where(stands_behind(account_id)))).scalar())
