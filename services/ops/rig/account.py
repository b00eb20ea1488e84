"""As whom the servers run: PostgreSQL refuses root, so root hands them to the broker package's user."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from services.ops.rig.missing import MissingPartError

UNPRIVILEGED = "rabbitmq"


class PopenIdentity(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """A user of the machine; `drops` says that we are root and must change into it."""

    name: str
    uid: int
    gid: int
    drops: bool

    def popen(self) -> PopenIdentity:
        """Keyword arguments for subprocess that change into this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.drops else {}

    def owns(self, folder: Path) -> Path:
        """Create a folder that this account alone may enter."""
        folder.mkdir(parents=True, exist_ok=True)
        if self.drops and folder.stat().st_uid != self.uid:
            os.chown(folder, self.uid, self.gid)
        folder.chmod(0o700)
        return folder

    def reaches(self, path: Path) -> bool:
        """May this account read the path (a folder: enter it)? The kernel is asked, not the mode bits."""
        if not self.drops:
            return os.access(path, os.R_OK)
        asked = subprocess.run(["/usr/bin/test", "-r", str(path)], cwd="/", check=False, **self.popen())  # noqa: S603
        return asked.returncode == 0


def server_account() -> Account:
    """The account of the servers.

    Raises:
        MissingPartError: we are root and the broker's package, which brings the user, is not installed.
    """
    if os.geteuid() != 0:
        mine = pwd.getpwuid(os.geteuid())
        return Account(mine.pw_name, mine.pw_uid, mine.pw_gid, drops=False)
    try:
        found = pwd.getpwnam(UNPRIVILEGED)
    except KeyError:
        raise MissingPartError("rabbitmq-server") from None
    return Account(found.pw_name, found.pw_uid, found.pw_gid, drops=True)
