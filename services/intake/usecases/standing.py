"""What an account opens in other rooms hangs on its state: when that changes, they are told its cases anew."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from anjuan.intake.v1 import events_pb2 as events
from services.intake.store import IntakeUnit
from services.intake.usecases.telling import tell
from services.kit import jobs
from services.kit.errors import DomainError
from services.kit.run import Host

FOLLOW = "follow_account"
log = logging.getLogger("anjuan.intake")


def keep_account(uow: IntakeUnit, account_id: str, state: str) -> None:
    """identity has told what an account has become. Its cases are a job's: the inbox holds other locks by now."""
    uow.accounts.put(account_id, state)
    if uow.accounts.has_cases(account_id):
        jobs.add(uow, FOLLOW, {"account_id": account_id})


def follow_account(host: Host, payload: Mapping[str, Any]) -> None:
    """Job: the cards of its cases, open or ended, name the account, or do not any more.

    One transaction a case, for a representative may have thousands. Done once more it passes over those that are told.
    """
    with host.begin_as_system(FOLLOW) as uow:
        found = uow.accounts.cases_of(payload["account_id"])
    refused: list[DomainError] = []
    for case_id in found:
        try:
            with host.begin_as_system(FOLLOW) as uow:
                _tell_anew(uow, case_id, payload["account_id"])
        except DomainError as error:  # of that case; the others are told all the same
            log.error("case_not_told", extra={"case_id": case_id, "error": error.detail})
            refused.append(error)
    if refused:
        raise refused[0]


def _tell_anew(uow: IntakeUnit, case_id: str, account_id: str) -> None:
    case = uow.locked(case_id)
    if uow.cases.opened_to(case_id) != uow.accounts.confirmed(case.account_ids):
        on = uow.legal_on(case.body_id)
        tell(uow, FOLLOW, case, events.PartyAccountsChanged(), on, {"account_id": account_id})
