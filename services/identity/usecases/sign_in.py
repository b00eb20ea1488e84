"""Signing in with a password, renewing tokens, switching the acting body, signing out."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from anjuan.identity.v1 import identity_pb2 as pb
from services.identity.model import passwords
from services.identity.model.faults import fault, refuse
from services.identity.model.people import password_fault
from services.identity.model.sessions import Credential, Session, digest_of, new_secret
from services.identity.settings import IdentitySettings
from services.identity.store import IdentityUnit
from services.kit import clock
from services.kit.errors import NotAllowedError, NotSignedInError, RateLimitedError
from services.kit.identity import TOKEN_LIFE, Actor, sign_token

WRONG = "登录名或者密码不正确"
ENDED = "登录已过期，请重新登录"


def sign_in(uow: IdentityUnit, knobs: IdentitySettings, request: pb.SignInRequest) -> pb.Session:
    """A new session and its first token.

    Raises:
        NotSignedInError: wrong name or password, in the same time and words; or the person has left.
        RateLimitedError: too many attempts under this name.
        NotAllowedError: no appointment in the acting body.
    """
    credential = proven(uow, knobs, request.sign_in, request.password)
    now, secret = clock.now(), new_secret()
    with uow:
        actor = actor_of(uow, credential.kind, credential.holder_id, request.acting_body_id)
        uow.acting(actor)
        uow.doors.drop_sessions(now - 2 * knobs.session_life)
        session = Session(digest_of(secret), credential.kind, credential.holder_id, actor.body_id, now, now)
        uow.doors.add_session(session)
        uow.record("sign_in", actor.person_id)
        return session_message(uow, knobs, actor, secret)


def proven(uow: IdentityUnit, knobs: IdentitySettings, name: str, password: str) -> Credential:
    """The credential of a name whose password was given. Every attempt counts before it is looked at.

    Raises:
        NotSignedInError: wrong.
        RateLimitedError: locked; right and wrong passwords, known and unknown names are told the same.
    """
    name, now = name.strip().lower(), clock.now()
    digest = hashlib.sha256(name.encode()).digest()
    with uow:
        guesses = uow.doors.guesses(digest, now)
        known = uow.doors.credential(sign_in=name) if name else None
        locked = guesses.is_locked(now)
        if not locked:
            guesses = guesses.one_more(now, knobs)
            uow.doors.put_guesses(digest, guesses)
    if locked:
        raise RateLimitedError(f"登录失败次数过多，请{knobs.lock.seconds // 60}分钟后再试")
    right = passwords.verify(known.password_hash if known else None, password)
    with uow:
        if right and known:
            uow.doors.forget_guesses(digest, now - knobs.guess_window - knobs.lock)
            if passwords.is_outdated(known.password_hash):
                uow.doors.change_hash(replace(known, password_hash=passwords.hash_password(password)))
            return known
        action = "sign_in_locked" if guesses.is_locked(now) else "sign_in_failed"
        uow.record(action, known.holder_id if known else "")
    raise NotSignedInError(WRONG)


def actor_of(uow: IdentityUnit, kind: str, holder_id: str, acting_body_id: str = "") -> Actor:
    """Who the holder of a credential is now, acting for a body.

    Raises:
        NotSignedInError: has left, or is blocked.
        NotAllowedError: no appointment in that body.
    """
    if kind == "operator":
        return Actor(kind="operator", person_id=holder_id, name="运维人员")
    if kind == "party":
        account = uow.accounts.get(holder_id)
        if account is None or account.state == "blocked":
            raise NotSignedInError(WRONG)
        return Actor(kind="party", person_id=holder_id, name=account.name, account_id=holder_id)
    found = uow.people.find([holder_id])
    if not found or found[0].state != "active":
        raise NotSignedInError(WRONG)
    person = found[0]
    body_id = acting_body_id or person.body_id
    if body_id not in person.body_ids:
        raise NotAllowedError("您在该机关没有岗位")
    return Actor("staff", holder_id, person.name, body_id, person.roles_in(body_id), person.departments_in(body_id))


def session_message(uow: IdentityUnit, knobs: IdentitySettings, actor: Actor, secret: str = "") -> pb.Session:
    """What the caller is told, with a fresh token."""
    told = described(uow, actor)
    told.session_id = secret
    told.token = sign_token(actor, knobs.site, knobs.token_private_key.read_bytes())
    told.expires_in_seconds = int(TOKEN_LIFE.total_seconds())
    return told


def described(uow: IdentityUnit, actor: Actor) -> pb.Session:
    """Who an actor is, without any secret."""
    body = uow.bodies.get(actor.body_id) if actor.body_id else None
    return pb.Session(
        person_id=actor.person_id, name=actor.name, kind=actor.kind, body_id=actor.body_id,
        body_name=body.name if body else "", roles=sorted(actor.roles),
    )  # fmt: skip


def renew_token(uow: IdentityUnit, knobs: IdentitySettings, request: pb.RenewTokenRequest) -> pb.Session:
    """A token with today's roles, perhaps for another body from now on.

    Raises:
        NotSignedInError: the session is unknown, ended, idle for too long or too old.
        NotAllowedError: no appointment in the body asked for.
    """
    digest, now = digest_of(request.session_id), clock.now()
    with uow:
        session = uow.doors.session(digest)
        if session is None or not session.lives(now, knobs):
            raise NotSignedInError(ENDED)
        acting = request.acting_body_id or session.acting_body_id
        actor = actor_of(uow, session.kind, session.holder_id, acting)
        uow.acting(actor)
        uow.doors.change_session(digest, used_at=now, acting_body_id=actor.body_id)
        uow.record("switch_body" if actor.body_id != session.acting_body_id else "renew_token", actor.person_id)
        return session_message(uow, knobs, actor, request.session_id)


def sign_out(uow: IdentityUnit, request: pb.SignOutRequest) -> pb.SignOutAnswer:
    """End a session; harmless when it is ended or unknown. Its tokens run out within ten minutes."""
    digest = digest_of(request.session_id)
    with uow:
        session = uow.doors.session(digest)
        if session is not None and session.ended_at is None:
            uow.doors.change_session(digest, ended_at=clock.now())
            uow.record("sign_out", session.holder_id)
        return pb.SignOutAnswer()


def change_password(
    uow: IdentityUnit, knobs: IdentitySettings, request: pb.ChangePasswordRequest
) -> pb.ChangePasswordAnswer:
    """Set the caller's own password and end all of his sessions.

    Raises:
        NotSignedInError: the old one is wrong (it counts as an attempt to sign in).
        InvalidInputError: the new one cannot be used.
    """
    who = uow.cause.actor.person_id
    reason = password_fault(request.new_password)
    refuse([fault("/new_password", reason)] if reason else [], "新密码不能使用")
    with uow:
        credential = uow.doors.credential(holder_id=who)
    if credential is None:
        raise NotAllowedError("该登录方式没有密码")
    proven(uow, knobs, credential.sign_in, request.old_password)
    hashed = passwords.hash_password(request.new_password)
    with uow:
        uow.doors.change_hash(replace(credential, password_hash=hashed))
        uow.doors.end_sessions(who, clock.now())
        uow.record("change_password", who)
        return pb.ChangePasswordAnswer()
