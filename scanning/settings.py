"""What a station was told when it enrolled, kept beside its ledger."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scanning import durable

OWN = ".station"


class NotSetUpError(Exception):
    """The folder is no station's, or cannot be one; the message says what to do."""


@dataclass(frozen=True)
class Settings:
    """`data` is the station's own folder, on the file system of the watched `folder`. `once`: end when all is done.

    While the platform cannot be reached it is asked less and less often, at least every `longest_wait_seconds`.
    """

    folder: Path
    data: Path
    server: str
    name: str
    body_id: str
    settle_seconds: float = 2.0
    keep_days: int = 30
    longest_wait_seconds: float = 60.0
    once: bool = False

    @property
    def key(self) -> Path:
        """The station's own; nobody else may read it."""
        return self.data / "key.pem"

    @property
    def ledger(self) -> Path:
        return self.data / "station.db"


def kept(folder: Path, data: Path | None, **knobs: Any) -> Settings:
    """As `keep` wrote it, with the knobs of this run.

    Raises:
        NotSetUpError: nobody has enrolled here.
    """
    own = (data or folder / OWN).resolve()
    told = own / "station.json"
    if not told.is_file():
        raise NotSetUpError(f"{folder} 还不是扫描站的文件夹，请先执行 enrol 登记")
    return Settings(folder.resolve(), own, **json.loads(told.read_text("utf-8")), **knobs)


def keep(settings: Settings) -> None:
    """Make the folders and remember what was told.

    Raises:
        NotSetUpError: the two folders are not on one file system.
    """
    durable.make_folder(settings.folder)
    durable.make_folder(settings.data)
    if settings.folder.stat().st_dev != settings.data.stat().st_dev:
        raise NotSetUpError("扫描文件夹和数据目录须在同一文件系统（同一磁盘分区）上")
    told = {"server": settings.server, "name": settings.name, "body_id": settings.body_id}
    durable.write(settings.data / "station.json", json.dumps(told, ensure_ascii=False).encode())
