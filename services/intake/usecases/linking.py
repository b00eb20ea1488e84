"""Whoever is linked sees the case: whom staff may link (docs/decisions/0003-accounts.md)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from services.intake.model.fault import Fault
from services.intake.model.people import Party, Reporter, links_of
from services.intake.store import IntakeUnit

UNPROVED = "该账户尚未核验，不能关联：请先在窗口核对证件、出具确认码，由本人登录后输入；刚刚核验的请稍后重试"
BLOCKED = "该账户已停用，不能关联：请由本人另行注册账户，在窗口核验后再关联"


def faults_of_links(
    uow: IntakeUnit, sent: Sequence[Party], known: Sequence[Party] = (), reporter: Reporter | None = None
) -> Iterator[Fault]:
    """Staff link nobody anew whose document no clerk has seen; a party links itself alone (model/filing.py)."""
    if uow.cause.actor.kind == "party":
        return
    links = links_of(sent, known, reporter)
    states = uow.accounts.states(set(links.values())) if links else {}
    for at, account_id in links.items():
        if (state := states.get(account_id, "")) != "confirmed":
            yield Fault(at, BLOCKED if state == "blocked" else UNPROVED)
