"""Passwords, lockout, sessions and tokens."""

from __future__ import annotations

import hashlib
import statistics
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import jwt
import pytest

from anjuan.identity.v1 import identity_pb2 as pb
from services.identity.model import passwords
from services.identity.tests.scene import PASSWORD, Scene, appointed, person
from services.identity.usecases import sign_in
from services.kit import clock
from services.kit.errors import InvalidInputError, NotAllowedError, NotSignedInError, RateLimitedError
from services.kit.identity import Actor, read_token, sign_token

MINUTE = timedelta(minutes=1)


def refused(attempt: Callable[[], object]) -> str:
    with pytest.raises((NotSignedInError, RateLimitedError)) as told:
        attempt()
    return f"{told.value.slug}: {told.value.detail}"


def test_the_token_says_who_acts_for_whom(scene: Scene) -> None:
    session = scene.sign_in("Officer ")
    actor = scene.read(session.token)
    assert (actor.kind, actor.person_id, actor.body_id) == ("staff", "officer", "county")
    assert list(actor.roles) == ["case_officer"]
    assert (session.body_name, session.expires_in_seconds) == ("蓬江区市场监督管理局", 600)
    assert "sign_in" in scene.audited()


def test_wrong_names_and_wrong_passwords_look_alike(scene: Scene) -> None:
    said = {refused(lambda n=name, p=word: scene.sign_in(n, p))  # type: ignore[misc]
            for name, word in [("officer", "wrong-password"), ("nobody", PASSWORD), ("", ""), ("nobody", "x" * 5000)]}
    assert said == {"not-signed-in: 登录名或者密码不正确"}


def test_unknown_names_cost_the_same_time(scene: Scene) -> None:
    hashed = passwords.hash_password(PASSWORD)
    passwords.verify(None, "warm up")

    def seconds(known: str | None) -> float:
        spans = []
        for _ in range(9):
            start = clock.monotonic()
            assert not passwords.verify(known, "wrong-password")
            spans.append(clock.monotonic() - start)
        return statistics.median(spans)

    assert 0.5 < seconds(None) / seconds(hashed) < 2


@pytest.mark.parametrize("name", ["officer", "nobody"])
def test_five_failures_lock_a_name_for_a_while(scene: Scene, name: str) -> None:
    for _ in range(5):
        assert refused(lambda: scene.sign_in(name, "wrong-password")).startswith("not-signed-in")
    assert refused(lambda: scene.sign_in(name, PASSWORD)).startswith("rate-limited")
    assert scene.audited()[-1] == "sign_in_locked"
    assert scene.sign_in("second").person_id == "second"
    scene.age("guesses", 14 * MINUTE, "since", "locked_until")
    assert refused(lambda: scene.sign_in(name, PASSWORD)).startswith("rate-limited")
    scene.age("guesses", 2 * MINUTE, "since", "locked_until")
    if name == "officer":
        assert scene.sign_in(name).person_id == "officer"
    else:
        assert refused(lambda: scene.sign_in(name, PASSWORD)).startswith("not-signed-in")


def test_a_success_or_time_forgives_failures(scene: Scene) -> None:
    for _ in range(3):
        for _ in range(4):
            refused(lambda: scene.sign_in("officer", "wrong-password"))
        assert scene.sign_in("officer").person_id == "officer"
    for _ in range(2):
        for _ in range(4):
            assert refused(lambda: scene.sign_in("officer", "wrong-password")).startswith("not-signed-in")
        scene.age("guesses", 16 * MINUTE, "since")


def test_guesses_at_the_same_moment_are_all_counted(scene: Scene) -> None:
    with ThreadPoolExecutor(12) as pool:
        said = list(pool.map(lambda n: refused(lambda: scene.sign_in("officer", f"wrong-{n}")), range(24)))
    assert sum(text.startswith("not-signed-in") for text in said) == 5


def test_only_hashes_are_kept(scene: Scene) -> None:
    session = scene.sign_in("officer")
    kept = scene.ask("select digest from sessions")
    assert [bytes(row.digest) for row in kept] == [hashlib.sha256(session.session_id.encode()).digest()]
    assert len(session.session_id) >= 43
    hashes = [row.password_hash for row in scene.ask("select password_hash from credentials")]
    assert all(text.startswith("$argon2id$") for text in hashes)
    assert len(set(hashes)) == len(hashes) == 4  # one password, salted


def test_a_session_ends_when_idle(scene: Scene) -> None:
    secret = scene.sign_in("officer").session_id
    scene.age("sessions", 29 * MINUTE, "created_at", "used_at")
    assert scene.renew(secret).person_id == "officer"
    scene.age("sessions", 29 * MINUTE, "created_at", "used_at")
    assert scene.renew(secret).person_id == "officer"
    scene.age("sessions", 31 * MINUTE, "created_at", "used_at")
    assert refused(lambda: scene.renew(secret)) == "not-signed-in: 登录已过期，请重新登录"


def test_a_session_ends_in_any_case(scene: Scene) -> None:
    secret = scene.sign_in("officer").session_id
    scene.age("sessions", timedelta(hours=11, minutes=59), "created_at")
    scene.renew(secret)
    scene.age("sessions", 2 * MINUTE, "created_at")
    refused(lambda: scene.renew(secret))


def test_signing_out_is_final_and_harmless_twice(scene: Scene) -> None:
    secret = scene.sign_in("officer").session_id
    other = scene.sign_in("officer").session_id
    for _ in range(2):
        sign_in.sign_out(scene.unit(), pb.SignOutRequest(session_id=secret))
    refused(lambda: scene.renew(secret))
    assert scene.renew(other).person_id == "officer"
    assert scene.audited().count("sign_out") == 1
    for unknown in ("", "guess"):
        refused(lambda secret=unknown: scene.renew(secret))  # type: ignore[misc]


def test_the_acting_body_is_switched_and_kept(scene: Scene) -> None:
    secret = scene.sign_in("officer").session_id
    switched = scene.renew(secret, "sister")
    assert (switched.body_id, list(switched.roles)) == ("sister", ["judge"])
    assert scene.renew(secret).body_id == "sister"
    assert scene.sign_in("officer", acting="sister").body_id == "sister"
    with pytest.raises(NotAllowedError):
        scene.renew(secret, "city")
    with pytest.raises(NotAllowedError):
        scene.sign_in("officer", acting="city")


def test_a_renewed_token_carries_todays_roles(scene: Scene) -> None:
    secret = scene.sign_in("officer").session_id
    scene.bring_people(person("officer", appointed("registrar", department_id="legal")))
    actor = scene.read(scene.renew(secret).token)
    assert (list(actor.roles), list(actor.department_ids)) == (["registrar"], ["legal"])


def test_tokens_that_are_not_good(scene: Scene) -> None:
    site, private = scene.knobs.site, scene.knobs.token_private_key.read_bytes()
    public = scene.host.settings.token_public_key.read_bytes()
    actor = scene.actor("officer")
    good = sign_token(actor, site, private)
    assert read_token(good, site, public) == replace(actor)
    head, claims, signature = good.split(".")
    raised = jwt.decode(good, options={"verify_signature": False}) | {"roles": ["court_president"]}
    other_key = jwt.encode(raised, "k" * 64, algorithm="HS256").split(".")
    bad = {
        "expired": sign_token(actor, site, private, timedelta(seconds=-1)),
        "another site": sign_token(actor, "elsewhere", private),
        "changed": ".".join([head, other_key[1], signature]), "another algorithm": ".".join(other_key),
        "unsigned": f"{head}.{claims}.", "none": jwt.encode(raised, "", algorithm="none"), "empty": "..", "text": "x",
    }  # fmt: skip
    for name, token in bad.items():
        with pytest.raises(NotSignedInError):
            raise AssertionError(f"{name}: {read_token(token, site, public)}")


def test_a_token_that_was_good_comes_to_its_end(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    site, public = scene.knobs.site, scene.host.settings.token_public_key.read_bytes()
    good = sign_token(scene.actor("officer"), site, scene.knobs.token_private_key.read_bytes(), MINUTE)
    assert read_token(good, site, public).person_id == "officer"
    later = clock.now() + 2 * MINUTE
    monkeypatch.setattr(clock, "now", lambda: later)
    with pytest.raises(NotSignedInError, match="过期"):
        read_token(good, site, public)


def test_no_token_lives_longer_than_ten_minutes(scene: Scene) -> None:
    actor = Actor("staff", "officer", "某", "county")
    token = sign_token(actor, scene.knobs.site, scene.knobs.token_private_key.read_bytes(), timedelta(days=1))
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] <= 600


def test_a_changed_password_ends_every_session(scene: Scene) -> None:
    secret, actor = scene.sign_in("officer").session_id, scene.actor("officer")

    def change(old: str, new: str) -> object:
        request = pb.ChangePasswordRequest(old_password=old, new_password=new)
        return sign_in.change_password(scene.unit(actor), scene.knobs, request)

    refused(lambda: change("wrong-password", "next-password-8"))
    with pytest.raises(InvalidInputError):
        change(PASSWORD, "short")
    change(PASSWORD, "next-password-8")
    refused(lambda: scene.renew(secret))
    refused(lambda: scene.sign_in("officer", PASSWORD))
    assert scene.sign_in("officer", "next-password-8").person_id == "officer"


def test_many_doors_opened_at_once_with_one_name(scene: Scene) -> None:
    """Who comes in forgets the attempts of the name, while others still count theirs."""
    digest, now = b"n" * 32, clock.now()

    def comes_in(_: int) -> None:
        uow = scene.unit()
        with uow:
            uow.doors.guesses(digest, now)
        with uow:
            uow.doors.forget_guesses(digest, now - MINUTE)

    with ThreadPoolExecutor(8) as many:
        assert list(many.map(comes_in, range(400))) == [None] * 400
