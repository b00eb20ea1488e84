"""Tokens, cookies, foreign pages, keys sent twice, and too many requests."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from services.kit import clock
from services.kit.identity import Actor, sign_token
from services.ops.trial import Platform
from tests.contract.asking import made, refused, send
from tests.contract.door import open_door
from tests.contract.fits import Fit
from tests.contract.fits_archive import FITS
from tests.contract.test_openapi import OPEN, SERVED
from tests.contract.world import World

# what creates or decides something is answered once for a key; what answers with a secret or asks for one is not kept
UNKEPT = ("inquiry", "confirmation-code", "confirmation")
KEYED = sorted(
    label for label in SERVED if label.startswith("POST") and label not in OPEN - {"POST /api/v1/stations"}
    and "/operations/" not in label and not ("/accounts/" in label and label.endswith(UNKEPT))
    and label not in ("POST /api/v1/notices/{notice_id}/reading", "POST /api/v1/packs/{sha256}/confirmation")
)  # fmt: skip
PUT_BACK = {"POST /api/v1/uploads": "upload-offset"}


def keys(platform: Platform) -> bytes:
    """The key with which identity signs."""
    return Path(platform.environment["ANJUAN_TOKEN_PRIVATE_KEY"]).read_bytes()


def bad_tokens(platform: Platform, world: World) -> dict[str, str]:
    """Tokens that look right and are not."""
    actor = Actor("staff", world.people["leader"].person_id, "王敏", world.play.cast.body, frozenset({"body_leader"}))
    site, secret = platform.settings.site, keys(platform)
    good = sign_token(actor, site, secret)
    head, _, signature = good.split(".")
    return {
        "expired": sign_token(actor, site, secret, life=timedelta(seconds=-5)),
        "for another site": sign_token(actor, "elsewhere", secret),
        "changed": f"{head}.{jwt.utils.base64url_encode(b'{}').decode()}.{signature}",
        "unsigned": jwt.encode(jwt.decode(good, options={"verify_signature": False}), "", algorithm="none"),
        "with a public secret": jwt.encode({"sub": "x", "exp": 2**40}, "x" * 32, algorithm="HS256"),
        "cut": good[:-10],
        "no token": "x.y.z",
        "beyond ASCII": "é" * 20,
        "with a line's end": "a\tb",
    }


@pytest.mark.parametrize("label", ["GET /api/v1/cases", "POST /api/v1/filings", "GET /api/v1/session"])
def test_an_expired_or_forged_token_is_refused(platform: Platform, world: World, label: str) -> None:
    fit = made(world, label)
    for token in bad_tokens(platform, world).values():
        told: Any = {"Authorization": f"Bearer {token}".encode("latin-1")}
        answer = send(world, label, fit, role="anonymous", headers=told)
        refused(answer, 401, slug="not-signed-in")
        assert answer.headers["www-authenticate"] == "Bearer"
    refused(send(world, label, fit, role="anonymous", headers={"Authorization": "Basic eDp5"}), 401)


def test_a_cookie_that_is_none_is_refused(world: World) -> None:
    for value in ("x", "é", "0" * 4000, '"'):
        told: Any = {"Cookie": f"anjuan_session={value}".encode("latin-1")}
        refused(world.http.get("/api/v1/cases", headers=told), 401, slug="not-signed-in")


def test_a_wrong_password_and_an_unknown_name_are_told_the_same(world: World) -> None:
    told = [
        refused(world.http.post("/api/v1/session", json={"sign_in": name, "password": "wrong"}), 401)["detail"]
        for name in ("contract-administrator", "nobody-of-this-name")
    ]
    assert told[0] == told[1]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://[", "http://127.0.0.1:1"])
def test_a_foreign_page_cannot_use_the_cookie(world: World, origin: str) -> None:
    cookie = world.people["browser"].headers()
    changing = [label for label in sorted(SERVED - OPEN) if label.split()[0] in ("POST", "PUT", "PATCH", "DELETE")]
    for label in changing:
        fit = Fit("browser", dict.fromkeys(_names(label), "0" * 64), {})
        told = cookie | {"Origin": origin}
        refused(send(world, label, fit, role="anonymous", headers=told), 403, slug="not-allowed")
    assert world.http.get("/api/v1/session", headers=cookie | {"Origin": origin}).status_code == 200
    own = cookie | {"Origin": str(world.http.base_url).rstrip("/")}
    answer = world.http.put("/api/v1/session/body", json={"body_id": world.play.cast.body}, headers=own)
    assert answer.status_code == 200


def _names(label: str) -> list[str]:
    return [part.partition("}")[0] for part in label.split("{")[1:]]


def test_the_cookie_is_out_of_reach_for_scripts(world: World) -> None:
    body = {"sign_in": world.play.cast.sign_in("li"), "password": "Anjuan-2025-demo"}
    answer = world.http.post("/api/v1/session", json=body)
    world.http.cookies.clear()
    assert {"HttpOnly", "SameSite=strict"} <= {part.strip() for part in answer.headers["set-cookie"].split(";")}
    assert answer.json()["token"] == answer.json()["session_id"] == ""


@pytest.mark.parametrize("label", KEYED)
def test_a_key_is_answered_once(world: World, label: str) -> None:
    fit = made(world, label)
    told = {"Idempotency-Key": f"contract-{clock.new_id()}"}
    first, again = send(world, label, fit, headers=told), send(world, label, fit, headers=told)
    assert first.status_code in (200, 201), first.text
    assert again.status_code == first.status_code
    # a map's fields have no order
    assert again.content == first.content or again.json() == first.json()
    assert again.headers.get("location") == first.headers.get("location")
    refused(send(world, label, _another(world, label, fit), headers=told), 422, slug="idempotency-key-reused")


def _another(world: World, label: str, fit: Fit) -> Fit:
    """The same request with something else in it, still by the same person."""
    if fit.body is None:
        return replace(FITS[label](world), path=fit.path)
    texts = {name: value for name, value in fit.body.items() if name in ("reason", "title", "name", "text", "room")}
    changed: dict[str, Any] = {name: f"{value}（改）" for name, value in texts.items()}
    changed |= {name: "0" * 64 for name in fit.body if name.endswith("sha256")}
    changed |= {name: value + 1 for name, value in fit.body.items() if type(value) is int}
    changed |= {"fields": {**fit.body["fields"], "备注": "改"}} if "fields" in fit.body else {}
    free_form = {"data": {"findings": "另一份核查情况", "result": "minor"}} if "data" in fit.body else {}
    node = {"node_id": "ask_longer_verification"} if "node_id" in fit.body else {}
    decision = {"reason": "另有理由"} if fit.body.get("decision") == "approve" else {}
    return replace(fit, body=fit.body | changed | free_form | node | decision)


def test_a_key_that_cannot_travel_is_refused(world: World) -> None:
    for key in ("é", "x" * 201, "a b"):
        told: Any = {"Idempotency-Key": key.encode("latin-1")}
        refused(send(world, "POST /api/v1/filings", made(world, "POST /api/v1/filings"), headers=told), 422)


def test_too_many_requests_are_told_when_to_come_back(platform: Platform, world: World) -> None:
    door = open_door(platform.environment, per_minute=5, sign_in_per_minute=2)
    with door as address, httpx.Client(base_url=address) as http:
        body = {"sign_in": "nobody", "password": "wrong"}
        tried = [http.post("/api/v1/session", json=body) for _ in range(6)]
        asked = [http.get("/api/v1/packs", headers=world.people["party"].headers()) for _ in range(12)]
    for answers, good in ((tried, 401), (asked, 200)):
        assert answers[0].status_code == good
        late = refused(next(one for one in answers if one.status_code == 429), 429, slug="rate-limited")
        assert late["detail"]
        assert {one.status_code for one in answers} == {good, 429}
        assert all(int(one.headers["retry-after"]) > 0 for one in answers if one.status_code == 429)


def test_addresses_and_methods_that_are_none(world: World) -> None:
    refused(world.http.get("/api/v1/nothing"), 404)
    refused(world.http.get("/api/v1/cases/"), 404)
    refused(world.http.put("/api/v1/cases", json={}), 405)
    refused(world.http.request("TRACE", "/api/v1/cases"), 405)


def test_the_request_id_of_the_caller_is_kept_when_it_is_one(world: World) -> None:
    assert world.http.get("/api/v1/cases", headers={"X-Request-Id": "abcd-1234"}).json()["request_id"] == "abcd-1234"
    told: Any = {"X-Request-Id": "<script>é".encode("latin-1")}
    refused(world.http.get("/api/v1/cases", headers=told), 401)
