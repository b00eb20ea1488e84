"""Accounts of parties, bound to a checked identity number (docs/decisions/0003-accounts.md)."""

from __future__ import annotations

from anjuan.identity.v1 import identity_pb2 as pb
from services.identity import messages
from services.identity.model import passwords
from services.identity.model.accounts import Account, account_faults
from services.identity.model.faults import refuse
from services.identity.model.sessions import Credential
from services.identity.store import IdentityUnit
from services.kit import access, clock
from services.kit.errors import ConflictError, NotAllowedError, NotFoundError


def register_account(uow: IdentityUnit, request: pb.RegisterAccountRequest) -> pb.Account:
    """Open an account; its sign-in name is the identity number.

    Raises:
        InvalidInputError: with every fault and its place.
        ConflictError: the number has an account.
    """
    number = request.id_number.strip().upper()
    account = Account(clock.new_id(), request.name.strip(), request.id_kind, number, request.phone.strip(), "checked")
    refuse(account_faults(account, request.password, clock.today()), "注册信息有误")
    hashed = passwords.hash_password(request.password)
    with uow:
        if not uow.accounts.add(account):
            raise ConflictError("该证件号码已注册，请直接登录；如非本人注册，请持证件到立案窗口办理")
        uow.doors.put_credential(Credential(number.lower(), "party", account.account_id, hashed))
        uow.record("register_account", account.account_id)
        return messages.account_message(account)


def find_account(uow: IdentityUnit, request: pb.FindAccountRequest) -> pb.Account:
    """The account of whoever showed this document at the counter, so that a clerk can link it to a party.

    Raises:
        NotAllowedError: not a member of staff who takes filings in.
        NotFoundError: nobody has registered it.
    """
    actor, number = uow.cause.actor, request.id_number.strip().upper()
    with uow:
        if actor.kind != "staff":
            raise NotAllowedError("只有工作人员可以查询当事人账户")
        access.require(uow.connection, actor, "file", body_id=actor.body_id)
        found = uow.accounts.by_number(request.id_kind, number)
        uow.record("find_account", found.account_id if found else "")
    if found is None:
        raise NotFoundError("该证件号码尚未注册账户")
    return messages.account_message(found)
