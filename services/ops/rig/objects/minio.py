"""MinIO, built with `go install` at a pinned version and kept in the cache."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from services.ops.rig import build
from services.ops.rig.account import Account
from services.ops.rig.objects.ready import serves
from services.ops.rig.place import Place, cache_folder
from services.ops.rig.process import Command

MODULE = "github.com/minio/minio"
VERSION = "0.0.0-20260212201848-7aac2a2c5b7c"
LEAST_GO = (1, 24)
USER = "anjuan"
BUCKET = "anjuan"


def _go_version() -> tuple[int, ...]:
    go = shutil.which("go")
    if go is None:
        return (0,)
    told = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    return tuple(int(word) for word in re.findall(r"\d+", told)[:2]) or (0,)


def can_build(account: Account) -> bool:
    """Is it in the cache, or is there a Go that can build it?"""
    return cache_folder("minio", VERSION, account).exists() or _go_version() >= LEAST_GO


def _fill(folder: Path) -> None:
    settings = {"GOBIN": str(folder), "GOTOOLCHAIN": "local"}
    build.run(["go", "install", f"{MODULE}@v{VERSION}"], folder, "golang-go", settings)


@dataclass(frozen=True)
class Minio:
    """One server with one folder."""

    place: Place
    port: int
    console_port: int
    name: str = "objects"

    @cached_property
    def programs(self) -> Path:
        """The cached folder, built at first use (two minutes and more)."""
        return build.cached("minio", VERSION, self.place.account, _fill)

    @cached_property
    def folder(self) -> Path:
        return self.place.folder("minio")

    @property
    def url(self) -> str:
        """As services.kit.objects reads it."""
        return f"s3://{USER}:{self.place.secret('objects')}@127.0.0.1:{self.port}/{BUCKET}"

    def prepare(self) -> None:
        _ = self.programs  # built now, not when the server is started
        self.place.account.owns(self.folder)

    def command(self) -> Command:
        argv = (str(self.programs / "minio"), "server", str(self.folder), "--address", f"127.0.0.1:{self.port}",
                "--console-address", f"127.0.0.1:{self.console_port}", "--quiet")  # fmt: skip
        env = {
            "PATH": "/usr/bin:/bin", "HOME": str(self.folder), "MINIO_ROOT_USER": USER, "MINIO_BROWSER": "off",
            "MINIO_ROOT_PASSWORD": self.place.secret("objects"), "MINIO_UPDATE": "off",
        }  # fmt: skip
        return Command(self.name, argv, env, self.folder, self.place.account)

    def ready(self) -> bool:
        return serves(self.port, USER, self.place.secret("objects"))
