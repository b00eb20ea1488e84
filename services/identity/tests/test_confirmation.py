"""An account stands for the person of its number once a clerk has seen the document, and never before."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from anjuan.identity.v1 import identity_pb2 as pb
from services.identity.__main__ import ROOM
from services.identity.model import passwords
from services.identity.tests.scene import PASSWORD, Scene, appointed, person
from services.identity.tests.test_accounts import COMPANY, RESIDENT, register
from services.identity.usecases import accounts
from services.kit import run
from services.kit.errors import (
    ConflictError,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    NotSignedInError,
    RuleRefusedError,
)
from services.kit.identity import Actor
from services.ops.rig.session import Rig


@pytest.fixture
def clerk(scene: Scene) -> Actor:
    scene.bring_people(person("clerk", appointed("registrar")))
    return scene.actor("clerk")


def code_for(scene: Scene, clerk: Actor, account_id: str) -> str:
    request = pb.IssueConfirmationCodeRequest(account_id=account_id)
    return str(accounts.issue_confirmation_code(scene.unit(clerk), scene.knobs, request).code)


def enter(scene: Scene, holder: Actor, code: str) -> pb.Account:
    return accounts.confirm_account(scene.unit(holder), scene.knobs, pb.ConfirmAccountRequest(code=code))


def block(scene: Scene, clerk: Actor, account_id: str, reason: str = "持证人称未注册") -> pb.Account:
    return accounts.block_account(scene.unit(clerk), pb.BlockAccountRequest(account_id=account_id, reason=reason))


def other(code: str) -> str:
    return f"{(int(code) + 1) % 10**8:08d}"


def details(scene: Scene, action: str) -> list[dict[str, str]]:
    return [row.detail for row in scene.ask("select detail from audit where action = :action", action=action)]


def test_the_holder_enters_the_code_of_the_counter(scene: Scene, clerk: Actor) -> None:
    account, holder = register(scene), scene.actor(RESIDENT)
    first, code = code_for(scene, clerk, account.account_id), code_for(scene, clerk, account.account_id)
    assert re.fullmatch(r"\d{8}", code)
    assert code not in str(scene.ask("select * from confirmation_codes")), "kept as a hash alone"
    if first != code:
        with pytest.raises(InvalidInputError, match="不正确"):
            enter(scene, holder, first)
    assert enter(scene, holder, f" {code} ").state == "confirmed"
    assert enter(scene, holder, "").state == "confirmed", "again, harmless"
    assert scene.told("AccountChanged") == [{"account_id": account.account_id, "state": "confirmed"}]
    [told] = details(scene, "confirm_account")
    assert (told["issued_by"], scene.ask("select 1 from confirmation_codes")) == ("clerk", [])
    with pytest.raises(ConflictError, match="已经核验"):
        code_for(scene, clerk, account.account_id)


def test_a_code_is_good_for_few_attempts_counted_before_they_are_looked_at(scene: Scene, clerk: Actor) -> None:
    account, holder = register(scene), scene.actor(RESIDENT)
    code = code_for(scene, clerk, account.account_id)
    for left in (4, 3, 2, 1, 0):
        with pytest.raises(InvalidInputError) as refused:
            enter(scene, holder, other(code))
        assert refused.value.fields == [{"pointer": "/code", "detail": f"确认码不正确，还可以再试{left}次"}]
    with pytest.raises(RuleRefusedError, match="重新取得"):
        enter(scene, holder, code)
    assert enter(scene, holder, code_for(scene, clerk, account.account_id)).state == "confirmed"
    assert scene.audited().count("confirmation_failed") == 5


def test_a_code_runs_out_and_is_good_in_its_own_account_alone(scene: Scene, clerk: Actor) -> None:
    account, holder = register(scene), scene.actor(RESIDENT)
    register(scene, name="某某有限公司", id_kind="uscc", id_number=COMPANY)
    code = code_for(scene, clerk, account.account_id)
    for wrong in (scene.actor(COMPANY), clerk):
        with pytest.raises((RuleRefusedError, NotAllowedError)):
            enter(scene, wrong, code)
    scene.age("confirmation_codes", timedelta(minutes=30, seconds=1), "issued_at")
    with pytest.raises(RuleRefusedError, match="过期"):
        enter(scene, holder, code)
    assert [row.state for row in scene.ask("select state from accounts")] == ["registered"] * 2


def test_who_did_not_open_the_account_gets_a_number_that_is_free(scene: Scene, clerk: Actor) -> None:
    """The impostor came first; the real person stands at the counter with the document."""
    stolen, impostor = register(scene), scene.sign_in(RESIDENT)
    actor = scene.read(impostor.token)
    code = code_for(scene, clerk, stolen.account_id)
    with pytest.raises(InvalidInputError, match="无法处理"):
        block(scene, clerk, stolen.account_id, " ")
    for _ in range(2):
        assert block(scene, clerk, stolen.account_id).state == "blocked"
    for ended in (
        lambda: scene.renew(impostor.session_id), lambda: scene.sign_in(RESIDENT),
        lambda: enter(scene, actor, code), lambda: code_for(scene, clerk, stolen.account_id),
    ):  # fmt: skip
        with pytest.raises((NotSignedInError, ConflictError)):
            ended()
    request = pb.FindAccountRequest(id_kind="resident_id", id_number=RESIDENT)
    with pytest.raises(NotFoundError):
        accounts.find_account(scene.unit(clerk), request)
    mine = register(scene, password="the-real-one-9")
    assert scene.read(scene.sign_in(RESIDENT, "the-real-one-9").token).account_id == mine.account_id
    assert accounts.find_account(scene.unit(clerk), request) == mine
    assert details(scene, "block_account") == [{"reason": "持证人称未注册"}]
    assert scene.told("AccountChanged") == [{"account_id": stolen.account_id, "state": "blocked"}]


def test_a_password_changed_while_a_clerk_blocks_takes_no_name(scene: Scene, clerk: Actor) -> None:
    """Whoever had read the credential before cannot put it back."""
    account = register(scene)
    with scene.unit(clerk) as uow:
        credential = uow.doors.credential(sign_in=RESIDENT.lower())
    assert credential
    block(scene, clerk, account.account_id)
    with scene.unit(clerk) as uow:
        uow.doors.change_hash(credential)
    assert register(scene, password="the-real-one-9").state == "registered"
    with pytest.raises(NotSignedInError):
        scene.sign_in(RESIDENT, PASSWORD)


def test_only_who_takes_filings_in_confirms_and_blocks(scene: Scene, clerk: Actor) -> None:
    account = register(scene)
    unknown = pb.IssueConfirmationCodeRequest(account_id="no-such-account")
    with pytest.raises(NotFoundError):
        accounts.issue_confirmation_code(scene.unit(clerk), scene.knobs, unknown)
    for somebody in (scene.actor("administrator"), scene.actor(RESIDENT)):
        for attempt in (code_for, block):
            with pytest.raises(NotAllowedError):
                attempt(scene, somebody, account.account_id)
    assert scene.sign_in(RESIDENT).name == "王小明", "an unconfirmed account signs in"


def test_an_account_that_a_server_of_before_opens_is_registered(scene: Scene, clerk: Actor) -> None:
    """Those write `checked` while they go on beside this release, after the migration."""
    account, holder = register(scene), scene.actor(RESIDENT)
    with scene.host.engine.begin() as connection:
        connection.execute(text("update accounts set state = 'checked'"))
    request = pb.FindAccountRequest(id_kind="resident_id", id_number=RESIDENT)
    assert accounts.find_account(scene.unit(clerk), request) == account
    issue = pb.IssueConfirmationCodeRequest(account_id=account.account_id)
    given = accounts.issue_confirmation_code(scene.unit(clerk), scene.knobs, issue)
    assert given.account == account
    assert enter(scene, holder, given.code).state == "confirmed"


def test_no_row_is_locked_while_a_code_is_hashed(
    scene: Scene, clerk: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, real = register(scene), passwords.hash_password

    def hashed(word: str) -> str:
        found = scene.ask("select account_id from accounts for update nowait")
        assert [row.account_id for row in found] == [account.account_id]
        return real(word)

    monkeypatch.setattr(passwords, "hash_password", hashed)
    assert code_for(scene, clerk, account.account_id)


def test_accounts_of_before_are_registered_and_their_numbers_stay_theirs(rig: Rig) -> None:
    room = replace(ROOM, name="identity_of_before")
    settings = rig.fresh_database(room.name)
    run.migrate(room, settings)
    host = run.open_host(room, settings)
    with host.engine.begin() as connection:
        for statement in (
            "drop table confirmation_codes", "drop index accounts_number",
            "alter table accounts add constraint accounts_id_kind_id_number_key unique (id_kind, id_number)",
            "update alembic_version set version_num = '0001'",
            f"""insert into accounts values ('old', '王小明', 'resident_id', '{RESIDENT}', '13800000000', 'checked'),
                                            ('gone', '某某', 'uscc', '{COMPANY}', '13800000000', 'blocked')""",
        ):
            connection.execute(text(statement))
    run.migrate(room, settings)
    scene = Scene(host)
    assert {row.account_id: row.state for row in scene.ask("select * from accounts")} == {
        "old": "registered", "gone": "blocked",
    }  # fmt: skip
    with pytest.raises(ConflictError):
        register(scene)
    register(scene, name="某某有限公司", id_kind="uscc", id_number=COMPANY)
    host.engine.dispose()
