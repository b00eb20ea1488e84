"""Through the real door: tokens, keys, the operator's first sign-in, and the scripted calendar over the bus."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from anjuan.identity.v1 import identity_pb2 as pb
from services.identity.tests.house import House, opened
from services.identity.tests.scene import PASSWORD, bureau
from services.kit.errors import (
    ConflictError,
    InvalidInputError,
    KeyReusedError,
    NotAllowedError,
    NotSignedInError,
    RuleRefusedError,
)
from services.kit.identity import Actor, sign_token
from services.ops.rig.session import Rig

pytestmark = pytest.mark.integration
COMPANY = "91350100M000100Y43"


@pytest.fixture(scope="module")
def house(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with opened(rig, tmp_path_factory.mktemp("house")) as one:
        one.scene.furnish()
        yield one


@pytest.fixture(scope="module")
def operator(house: House) -> str:
    told = json.loads((house.settings.data / "keys" / "operator.json").read_text())
    session = house.ask("SignIn", pb.SignInRequest(sign_in=told["sign_in"], password=told["password"]))
    assert session.kind == "operator"
    return str(session.token)


def test_a_day_at_the_door(house: House) -> None:
    session = house.ask("SignIn", pb.SignInRequest(sign_in="officer", password=PASSWORD))
    assert house.ask("WhoAmI", pb.WhoAmIRequest(), session.token).name == "officer某"
    assert not house.ask("WhoAmI", pb.WhoAmIRequest(), session.token).token
    renewed = house.ask("RenewToken", pb.RenewTokenRequest(session_id=session.session_id, acting_body_id="sister"))
    assert house.ask("WhoAmI", pb.WhoAmIRequest(), renewed.token).body_name == "新会区市场监督管理局"
    assert house.ask("ListPeople", pb.ListPeopleRequest(), renewed.token).people
    house.ask("SignOut", pb.SignOutRequest(session_id=session.session_id))
    with pytest.raises(NotSignedInError):
        house.ask("RenewToken", pb.RenewTokenRequest(session_id=session.session_id))


def test_who_is_not_signed_in_gets_nothing(house: House) -> None:
    key = house.scene.knobs.token_private_key.read_bytes()
    actor = Actor("operator", "x", "x")
    forged = sign_token(actor, house.settings.site, key)[:-8] + "AAAAAAAA"
    for token in ("", forged, sign_token(actor, "elsewhere", key),
                  sign_token(actor, house.settings.site, key, timedelta(seconds=-1))):  # fmt: skip
        for method, request in (("WhoAmI", pb.WhoAmIRequest()), ("ListBodies", pb.ListBodiesRequest()),
                                ("ImportBodies", pb.ImportBodiesRequest()),
                                ("AdvanceLegalDate", pb.AdvanceLegalDateRequest())):  # fmt: skip
            with pytest.raises(NotSignedInError):
                house.ask(method, request, token)


def test_an_account_is_opened_once_under_a_key(house: House) -> None:
    request = pb.RegisterAccountRequest(name="某某公司", id_kind="uscc", id_number=COMPANY, phone="0750-3000000",
                                        password=PASSWORD)  # fmt: skip
    first = house.ask("RegisterAccount", request, key="once")
    assert house.ask("RegisterAccount", request, key="once") == first
    with pytest.raises(ConflictError):
        house.ask("RegisterAccount", request, key="twice")
    request.password = "another-password"
    with pytest.raises(KeyReusedError):
        house.ask("RegisterAccount", request, key="once")


def test_no_secret_is_kept_beside_its_hash(house: House) -> None:
    secret = house.ask("SignIn", pb.SignInRequest(sign_in="officer", password=PASSWORD), key="a-key").session_id
    for table in ("idempotency", "audit", "outbox", "sessions", "credentials"):
        rows = house.scene.ask(f"select row_to_json(x)::text as row from {table} x")
        text = "".join(row.row for row in rows)
        assert PASSWORD not in text
        assert PASSWORD.encode().hex() not in text
        assert secret not in text
        assert secret.encode().hex() not in text


def scripted(house: House, operator: str, root: str) -> str:
    sent = [bureau(root, "", "city", "演练市局", root, legal_on="2025-03-03"),
            bureau(f"{root}-below", root, "county", "演练县局", f"{root}下")]  # fmt: skip
    house.ask("ImportBodies", pb.ImportBodiesRequest(bodies=sent), operator)
    return root


def advance(house: House, operator: str, root: str, to: str) -> pb.AdvanceLegalDateAnswer:
    answer: pb.AdvanceLegalDateAnswer = house.ask(
        "AdvanceLegalDate", pb.AdvanceLegalDateRequest(root_body_id=root, to=to), operator
    )
    return answer


def test_the_calendar_stops_on_every_day_with_work(house: House, operator: str) -> None:
    root = scripted(house, operator, "script-a")
    answer = advance(house, operator, root, "2025-04-15")
    assert (answer.legal_on, list(answer.stops)) == ("2025-04-15", ["2025-03-10", "2025-03-31", "2025-04-15"])
    with house.diary.begin_as_system("test") as uow:
        days = uow.connection.exec_driver_sql(
            "select legal_on::text from audit where action = 'ticked' and object_id = 'script-a' order by position"
        ).scalars()
        assert list(days) == ["2025-03-03", "2025-03-10", "2025-03-31", "2025-04-15"]
        assert uow.legal_on("script-a-below").isoformat() == "2025-04-15"
        assert uow.legal_on("county") != uow.legal_on("script-a")
    assert list(advance(house, operator, root, "2025-04-15").stops) == []
    with pytest.raises(RuleRefusedError, match="只能向前"):
        advance(house, operator, root, "2025-04-14")


def test_who_may_move_what(house: House, operator: str) -> None:
    root = scripted(house, operator, "script-b")
    with pytest.raises(RuleRefusedError, match="实际日期"):
        advance(house, operator, "province", "2030-01-01")
    with pytest.raises(InvalidInputError):
        advance(house, operator, root, "2025-4-1")
    officer = house.ask("SignIn", pb.SignInRequest(sign_in="officer", password=PASSWORD)).token
    with pytest.raises(NotAllowedError):
        advance(house, officer, root, "2025-04-01")
    assert house.scene.ask("select 1 from audit where action = 'advance_legal_date' and object_id = 'script-b'") == []


def test_a_parked_event_stops_the_calendar(house: House, operator: str) -> None:
    root = scripted(house, operator, "script-c")
    waiting = """insert into inbox_waiting (source, aggregate_id, seq, body, parked_at, error)
                 values ('identity', 'stone', 2, '{}', clock_timestamp(), 'a stone')"""
    with house.diary.engine.begin() as connection:
        connection.exec_driver_sql(waiting)
    with pytest.raises(ConflictError, match="a stone"):
        advance(house, operator, root, "2025-04-01")
    with house.diary.engine.begin() as connection:
        connection.exec_driver_sql("delete from inbox_waiting")
    assert advance(house, operator, root, "2025-03-04").legal_on == "2025-03-04"
