"""Where things lie: the data folder of one installation and the cache of built tools."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from services.ops.rig.account import Account, server_account

OUTSIDE = Path("/var/lib/anjuan")  # for servers that cannot enter root's own folders


def write_json(path: Path, value: Any, mode: int = 0o644) -> None:
    """Replace a file in one step: a reader sees the old or the new text, never half of it."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as out:
        json.dump(value, out, ensure_ascii=False, indent=2)
    fresh.replace(path)


def read_json(path: Path) -> Any:
    """The file's value, None where there is no file."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return None


@dataclass(frozen=True)
class Place:
    """One data folder. Two of them never meet: ports, passwords and pids are kept inside."""

    data: Path

    @classmethod
    def at(cls, data: Path) -> Place:
        """Create the folder if need be."""
        place = cls(data.resolve())
        for folder in (place.data, place.run, place.logs, place.keys):
            folder.mkdir(parents=True, exist_ok=True)
        place.keys.chmod(0o700)
        return place

    @property
    def run(self) -> Path:
        return self.data / "run"

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def keys(self) -> Path:
        return self.data / "keys"

    @property
    def down(self) -> Path:
        """While it exists nothing is started any more."""
        return self.run / "down"

    def hold(self, part: str) -> Path:
        """While it exists the keeper keeps that part stopped."""
        return self.run / f"{part}.hold"

    @cached_property
    def account(self) -> Account:
        return server_account()

    def folder(self, part: str) -> Path:
        """Folder of a server, owned by its account; outside the data folder where the account cannot enter that."""
        inside = self.data / part
        if inside.exists() or self.account.reaches(self.data):
            return self.account.owns(inside)
        return self.account.owns(self._outside(self.secret("place")) / part)

    def _outside(self, name: str) -> Path:
        folder = OUTSIDE / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def secret(self, name: str) -> str:
        """A generated secret of this installation, made at first use."""
        path = self.keys / "secrets.json"
        known: dict[str, str] = read_json(path) or {}
        if name not in known:
            known[name] = secrets.token_urlsafe(24).replace("-", "x").replace("_", "y")
            write_json(path, known, mode=0o600)
        return known[name]

    def erase(self) -> None:
        """Remove the folder and what lies outside for it. Nothing may run any more."""
        place = (read_json(self.keys / "secrets.json") or {}).get("place")
        if place:
            shutil.rmtree(OUTSIDE / place, ignore_errors=True)
        shutil.rmtree(self.data)


def cache_folder(tool: str, version: str, account: Account) -> Path:
    """Folder of a built tool outside every checkout; XDG_CACHE_HOME is respected where the servers can enter it."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    if account.drops:
        home.mkdir(parents=True, exist_ok=True)
        home = home if account.reaches(home / ".") else Path("/var/cache")
    folder = home / "anjuan"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{tool}-{version}"
