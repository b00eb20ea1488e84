"""The operator's account, made once at set-up."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from services.identity.model import passwords
from services.identity.model.sessions import Credential, new_secret
from services.identity.settings import IdentitySettings
from services.identity.store import IdentityUnit
from services.kit import clock

SIGN_IN = "operator"


def ensure_operator(uow: IdentityUnit, knobs: IdentitySettings) -> Path:
    """Write the credentials file (mode 600) and the account where either is missing; both stay as they are.

    Raises:
        ValueError: the file is there and is not ours.
    """
    told = _credentials(knobs.operator_file)
    with uow:
        uow.bodies.lock()
        if uow.doors.credential(sign_in=told["sign_in"]) is None:
            hashed = passwords.hash_password(told["password"])
            holder_id = clock.new_id()
            uow.doors.put_credential(Credential(told["sign_in"], "operator", holder_id, hashed))
            uow.record("ensure_operator", holder_id)
    return knobs.operator_file


def _credentials(path: Path) -> dict[str, Any]:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        json.dump({"sign_in": SIGN_IN, "password": new_secret()}, out)
    try:
        os.link(fresh, path)  # the first of several processes wins
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    told = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(told, dict) or not {"sign_in", "password"} <= told.keys():
        raise ValueError(f"{path} holds no operator's credentials")
    return told
