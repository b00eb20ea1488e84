"""A party's account is bound to one identity number whose check digits are right; that alone proves nothing."""

from __future__ import annotations

import pytest

from anjuan.identity.v1 import identity_pb2 as pb
from services.identity.tests.scene import PASSWORD, Scene, appointed, person
from services.identity.usecases import accounts
from services.kit.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError
from services.kit.rpc import ANONYMOUS

RESIDENT, COMPANY = "11010519491231002X", "91350100M000100Y43"  # the examples of GB 11643 and GB 32100


def register(scene: Scene, **change: str) -> pb.Account:
    sent = {"name": "王小明", "id_kind": "resident_id", "id_number": RESIDENT, "phone": "13800000000",
            "password": PASSWORD} | change  # fmt: skip
    return accounts.register_account(scene.unit(ANONYMOUS), pb.RegisterAccountRequest(**sent))


def test_a_party_signs_in_with_the_number(scene: Scene) -> None:
    account = register(scene)
    assert (account.state, account.id_number_masked) == ("registered", "110***********002X")
    session = scene.sign_in(RESIDENT.lower())
    actor = scene.read(session.token)
    assert (actor.kind, actor.person_id, actor.account_id, actor.body_id) == (
        "party", account.account_id, account.account_id, ""
    )  # fmt: skip
    assert not actor.roles


def test_a_company_has_one_too(scene: Scene) -> None:
    register(scene, name="某某有限公司", id_kind="uscc", id_number=COMPANY)
    assert scene.sign_in(COMPANY).name == "某某有限公司"


def test_one_account_a_number(scene: Scene) -> None:
    register(scene)
    for change in ({}, {"password": "another-password"}, {"name": "李小红"}, {"id_number": RESIDENT.lower()}):
        with pytest.raises(ConflictError):
            register(scene, **change)
    assert len(scene.ask("select 1 from accounts")) == 1


@pytest.mark.parametrize(("change", "pointer"), [
    ({"id_number": "110105194912310021"}, "/id_number"), ({"id_number": "11010519490231002X"}, "/id_number"),
    ({"id_kind": "uscc"}, "/id_number"), ({"id_kind": "passport"}, "/id_kind"), ({"name": "王"}, "/name"),
    ({"name": "王<b>"}, "/name"), ({"phone": "none"}, "/phone"), ({"password": "short"}, "/password"),
])  # fmt: skip
def test_faults_are_told_with_their_place(scene: Scene, change: dict[str, str], pointer: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        register(scene, **change)
    assert [fault["pointer"] for fault in refused.value.fields] == [pointer]


def test_a_clerk_finds_the_account_of_a_document(scene: Scene) -> None:
    account = register(scene)
    scene.bring_people(person("clerk", appointed("registrar")))
    request = pb.FindAccountRequest(id_kind="resident_id", id_number=RESIDENT)
    clerk = scene.actor("clerk")
    assert accounts.find_account(scene.unit(clerk), request) == account
    with pytest.raises(NotFoundError):
        accounts.find_account(scene.unit(clerk), pb.FindAccountRequest(id_kind="uscc", id_number=COMPANY))
    for other in (scene.actor("administrator"), scene.actor(RESIDENT)):
        with pytest.raises(NotAllowedError):
            accounts.find_account(scene.unit(other), request)
    assert scene.audited().count("find_account") == 2
