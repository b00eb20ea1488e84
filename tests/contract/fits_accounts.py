"""The requests that fit parties' accounts; see fits."""

from __future__ import annotations

from tests.contract.fits import Fit, fits
from tests.contract.people import open_account, resident_id
from tests.contract.world import PARTY, World


def _opened(world: World) -> str:
    """An account of its own that nobody has confirmed yet."""
    account_id = open_account(world.http, resident_id(6000 + world.next()))
    world.note(account=account_id)
    return account_id


@fits("POST", "/accounts/inquiry")
def _inquire(world: World) -> Fit:
    return Fit("registrar", body={"id_kind": "resident_id", "id_number": PARTY})


@fits("POST", "/accounts/{account_id}/confirmation-code")
def _code(world: World) -> Fit:
    return Fit("registrar", {"account_id": _opened(world)})


@fits("POST", "/accounts/confirmation")
def _confirm(world: World) -> Fit:
    """Of an account that is confirmed already: it says so. How it comes to be is in test_accounts."""
    return Fit("party", body={"code": "12345678"})


@fits("POST", "/accounts/{account_id}/block")
def _block(world: World) -> Fit:
    return Fit("registrar", {"account_id": _opened(world)}, {"reason": "持证人称未注册该账户"})
