"""Who acts: the token that identity signs and every other service checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import Any

import jwt

from services.kit import clock
from services.kit.errors import NotSignedInError

TOKEN_LIFE = timedelta(minutes=10)


@dataclass(frozen=True)
class Actor:
    """A person (or party, station, operator, the system) acting for one body in its roles.

    `roles` are those held in `body_id`; `department_ids` those of the same appointments. A party has
    `account_id` and no roles. `rule` names the rule by which the system acts.
    """

    kind: str  # staff, party, station, operator, system
    person_id: str
    name: str
    body_id: str = ""
    roles: frozenset[str] = field(default_factory=frozenset)
    department_ids: frozenset[str] = field(default_factory=frozenset)
    account_id: str = ""
    rule: str = ""

    def has(self, *roles: str) -> bool:
        """Whether any of the roles is held in the acting body."""
        return not self.roles.isdisjoint(roles)

    def as_dict(self) -> dict[str, Any]:
        """JSON form, for events and audit rows."""
        return {"kind": self.kind, "id": self.person_id, "name": self.name, "body_id": self.body_id} | (
            {"rule": self.rule} if self.rule else {}
        )

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Actor:
        """The reverse of as_dict; roles do not travel in events."""
        return cls(
            kind=data["kind"], person_id=data["id"], name=data["name"],
            body_id=data.get("body_id", ""), rule=data.get("rule", ""),
        )  # fmt: skip


def system(rule: str, body_id: str = "") -> Actor:
    """An act of the platform itself; `rule` says by which rule it acts."""
    return Actor(kind="system", person_id="system", name="系统", body_id=body_id, rule=rule)


def sign_token(actor: Actor, site: str, private_key: bytes, life: timedelta = TOKEN_LIFE) -> str:
    """An Ed25519 token of at most ten minutes; audience is the site."""
    issued = clock.now()
    claims = {
        "sub": actor.person_id, "kind": actor.kind, "name": actor.name, "body": actor.body_id,
        "roles": sorted(actor.roles), "departments": sorted(actor.department_ids), "account": actor.account_id,
        "aud": site, "iss": "anjuan-identity", "iat": issued, "exp": issued + min(life, TOKEN_LIFE),
    }  # fmt: skip
    return jwt.encode(claims, private_key, algorithm="EdDSA")


def read_token(token: str, site: str, public_key: bytes) -> Actor:
    """The actor of a token.

    Raises:
        NotSignedInError: forged, expired, or meant for another site.
    """
    try:
        actor, expires = _verified(token, site, public_key)
        if expires <= clock.now().timestamp():
            raise jwt.ExpiredSignatureError
    except jwt.ExpiredSignatureError as error:
        raise NotSignedInError("登录已过期，请重新登录") from error
    except jwt.InvalidTokenError as error:
        raise NotSignedInError("登录凭证无效，请重新登录") from error
    return actor


@lru_cache(maxsize=2048)
def _verified(token: str, site: str, public_key: bytes) -> tuple[Actor, float]:
    """Who it is and until when: a signature is looked at once, for a person calls again and again."""
    claims = jwt.decode(token, public_key, algorithms=["EdDSA"], audience=site, issuer="anjuan-identity",
                        options={"require": ["exp", "sub", "aud", "iss"]})  # fmt: skip
    roles, departments = frozenset(claims["roles"]), frozenset(claims["departments"])
    return Actor(claims["kind"], claims["sub"], claims["name"], claims["body"], roles, departments,
                 claims["account"]), float(claims["exp"])  # fmt: skip
