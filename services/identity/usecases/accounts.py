"""Accounts of parties: opened by anybody, confirmed or blocked at a counter (docs/decisions/0003-accounts.md)."""

from __future__ import annotations

from dataclasses import replace

from anjuan.identity.v1 import events_pb2 as events
from anjuan.identity.v1 import identity_pb2 as pb
from services.identity import messages
from services.identity.model import passwords
from services.identity.model.accounts import Account, ConfirmationCode, account_faults, new_code
from services.identity.model.faults import fault, refuse
from services.identity.model.sessions import Credential
from services.identity.settings import IdentitySettings
from services.identity.store import IdentityUnit
from services.kit import access, clock
from services.kit.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError, RuleRefusedError

LONGEST_REASON = 500


def register_account(uow: IdentityUnit, request: pb.RegisterAccountRequest) -> pb.Account:
    """Open an account; its sign-in name is the identity number. It proves nothing until it is confirmed.

    Raises:
        InvalidInputError: with every fault and its place.
        ConflictError: the number has an account.
    """
    number, phone = request.id_number.strip().upper(), request.phone.strip()
    account = Account(clock.new_id(), request.name.strip(), request.id_kind, number, phone, "registered")
    refuse(account_faults(account, request.password, clock.today()), "注册信息有误")
    hashed = passwords.hash_password(request.password)
    with uow:
        if not uow.accounts.add(account):
            raise ConflictError("该证件号码已注册，请直接登录；如非本人注册，请持证件到立案窗口办理")
        uow.doors.put_credential(Credential(number.lower(), "party", account.account_id, hashed))
        uow.record("register_account", account.account_id)
        return messages.account_message(account)


def find_account(uow: IdentityUnit, request: pb.FindAccountRequest) -> pb.Account:
    """The account of whoever showed this document at the counter; what may be linked to a party is a confirmed one.

    Raises:
        NotAllowedError: not a member of staff who takes filings in.
        NotFoundError: nobody has registered it.
    """
    number = request.id_number.strip().upper()
    with uow:
        _at_the_counter(uow)
        found = uow.accounts.by_number(request.id_kind, number)
        uow.record("find_account", found.account_id if found else "")
    if found is None:
        raise NotFoundError("该证件号码尚未注册账户")
    return messages.account_message(found)


def issue_confirmation_code(
    uow: IdentityUnit, knobs: IdentitySettings, request: pb.IssueConfirmationCodeRequest
) -> pb.ConfirmationCode:
    """A code for whoever showed the document of this account; it replaces the one given out before.

    Raises:
        NotAllowedError: not a member of staff who takes filings in.
        NotFoundError: no such account.
        ConflictError: it is confirmed already, or blocked.
    """
    code, now, clerk = new_code(), clock.now(), uow.cause.actor
    hashed = passwords.hash_password(code)  # slow: no row is locked meanwhile
    with uow:
        account = _waiting(_of_the_counter(uow, request.account_id))
        uow.accounts.put_code(ConfirmationCode(account.account_id, hashed, clerk.person_id, clerk.body_id, now))
        uow.record("issue_confirmation_code", account.account_id)
        return pb.ConfirmationCode(account=messages.account_message(account), code=code,
                                   expires_at=(now + knobs.code_life).isoformat())  # fmt: skip


def confirm_account(uow: IdentityUnit, knobs: IdentitySettings, request: pb.ConfirmAccountRequest) -> pb.Account:
    """The holder enters the code while signed in; each attempt counts before it is looked at.

    Raises:
        NotAllowedError: not a party.
        RuleRefusedError: no code is open: none was given out, it is too old, or it was tried too often.
        InvalidInputError: it is not the code.
    """
    account_id = uow.cause.actor.account_id
    if uow.cause.actor.kind != "party" or not account_id:
        raise NotAllowedError("请由当事人登录本人账户后输入确认码")
    with uow:
        account = _known(uow, account_id)
        if account.state == "confirmed":
            return messages.account_message(account)
        code = uow.accounts.code(_waiting(account).account_id)
        if code is None or not code.is_open(clock.now(), knobs):
            raise RuleRefusedError("没有可用的确认码，或者已经过期、用尽次数，请持证件到窗口重新取得")
        uow.accounts.put_code(replace(code, attempts=code.attempts + 1))
    right = passwords.verify(code.code_hash, request.code.strip())
    with uow:
        if right:
            return _confirmed(uow, code)
        uow.record("confirmation_failed", account_id, body_id=code.body_id)
    left = knobs.code_attempts - code.attempts - 1
    raise InvalidInputError("确认码不正确", [fault("/code", f"确认码不正确，还可以再试{left}次")])


def _confirmed(uow: IdentityUnit, code: ConfirmationCode) -> pb.Account:
    account, known = _waiting(_known(uow, code.account_id)), uow.accounts.code(code.account_id)
    if known is None or known.code_hash != code.code_hash:  # another was given out meanwhile
        raise RuleRefusedError("确认码已被新的确认码取代，请输入最近一次取得的确认码")
    who = {"issued_by": code.issued_by, "issued_at": code.issued_at.isoformat()}
    return _becomes(uow, "confirm_account", account, "confirmed", code.body_id, who)


def block_account(uow: IdentityUnit, request: pb.BlockAccountRequest) -> pb.Account:
    """Whoever showed the document did not open the account: nobody comes in by it, and the number is free.

    What it was linked to stays on record.

    Raises:
        NotAllowedError: not a member of staff who takes filings in.
        NotFoundError: no such account.
        InvalidInputError: no reason, or an endless one.
    """
    reason = request.reason.strip()
    missing = not 0 < len(reason) <= LONGEST_REASON
    with uow:
        account = _of_the_counter(uow, request.account_id)
        refuse([fault("/reason", f"请填写停用的理由（不超过{LONGEST_REASON}字）")] if missing else [], "无法处理")
        if account.state == "blocked":
            return messages.account_message(account)
        uow.doors.drop_credential(account.account_id)
        uow.doors.end_sessions(account.account_id, clock.now())
        return _becomes(uow, "block_account", account, "blocked", uow.cause.actor.body_id, {"reason": reason})


def _becomes(
    uow: IdentityUnit, action: str, account: Account, state: str, body_id: str, detail: dict[str, str]
) -> pb.Account:
    """In another state from now on; the others are told."""
    after = replace(account, state=state)
    uow.accounts.put(after)
    uow.accounts.drop_code(account.account_id)
    fact = events.AccountChanged(account_id=account.account_id, state=state)
    uow.emit(fact, stream=account.account_id, body_id=body_id)
    uow.record(action, account.account_id, body_id=body_id, detail=detail)
    return messages.account_message(after)


def _at_the_counter(uow: IdentityUnit) -> None:
    actor = uow.cause.actor
    if actor.kind != "staff":
        raise NotAllowedError("当事人账户由收案的工作人员查询和核验")
    access.require(uow.connection, actor, "file", body_id=actor.body_id)


def _of_the_counter(uow: IdentityUnit, account_id: str) -> Account:
    """The account, locked, for a clerk."""
    _at_the_counter(uow)
    return _known(uow, account_id)


def _known(uow: IdentityUnit, account_id: str) -> Account:
    if (account := uow.accounts.locked(account_id)) is None:
        raise NotFoundError("没有这个账户")
    return account


def _waiting(account: Account) -> Account:
    """Raises ConflictError unless the account waits for its confirmation."""
    if account.state == "registered":
        return account
    raise ConflictError("该账户已经核验" if account.state == "confirmed" else "该账户已停用，请重新注册")
