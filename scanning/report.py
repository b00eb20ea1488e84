"""How a station and each of its files fare, for the clerk beside the scanner; the program need not run for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from scanning.folders import GIVEN, PROBLEMS, Folders, shown
from scanning.ledger import ON_ITS_WAY, Kept, Ledger
from scanning.settings import NotSetUpError, Settings
from scanning.station import alone

LABELS = {
    "incoming": "待接收", "taking": "正在接收", "kept": "正在整理", "ready": "待上传", "sent": "待平台确认",
    "done": "已上传", "problem": "问题件",
}  # fmt: skip


def report(settings: Settings) -> dict[str, Any]:
    """All that is known here: `files` with their states, what still lies in the watched folder, the link."""
    with closing(Ledger(settings.ledger)) as ledger:
        link = json.loads(ledger.fact("link") or '{"fault": "尚未连接", "since": ""}')
        folders = Folders(settings.folder, settings.data, ledger)
        files = [_file(ledger, kept) for kept in ledger.in_state(*ON_ITS_WAY, "done")]
        files += [_plain(path.name, "incoming") for path in folders.waiting()]
        return {
            "name": settings.name, "folder": str(settings.folder), "server": settings.server,
            "body_id": settings.body_id, "station_id": ledger.fact("station_id"),
            "fingerprint": ledger.fact("key"), "running": _is_running(settings),
            "connected": not link["fault"], "fault": link["fault"], "since": link["since"],
            "files": files + list(_problems(settings.folder / PROBLEMS)), "not_looked_at": _folders_beside(settings),
        }  # fmt: skip


def _file(ledger: Ledger, kept: Kept) -> dict[str, Any]:
    return {
        "name": kept.name, "state": kept.state, "label": LABELS[kept.state], "pages": len(ledger.pages(kept.sha256)),
        "reason": kept.reason, "batch_id": kept.batch_id, "sha256": kept.sha256, "size": kept.size,
        "taken_at": kept.taken_at, "ended_at": kept.ended_at,
    }  # fmt: skip


def _plain(name: str, state: str, reason: str = "") -> dict[str, Any]:
    told = {"name": shown(name), "state": state, "label": LABELS[state], "pages": 0, "size": 0, "reason": reason}
    return told | dict.fromkeys(("batch_id", "sha256", "taken_at", "ended_at"), "")


def _problems(folder: Path) -> Iterator[dict[str, Any]]:
    """What lies there, until somebody takes it away; a note alone speaks of a file that is gone."""
    names = {path.name.removesuffix(".txt") for path in folder.glob("*") if not path.name.startswith(".")}
    for name in sorted(names):
        note = folder / f"{name}.txt"
        yield _plain(name, "problem", note.read_text("utf-8").strip() if note.is_file() else "")


def _folders_beside(settings: Settings) -> list[str]:
    """Folders in the watched one: a scanner that writes there writes past us."""
    ours = {GIVEN, PROBLEMS}
    return sorted(
        shown(path.name) for path in settings.folder.iterdir()
        if path.is_dir() and path.name not in ours and not path.name.startswith(".")
    )  # fmt: skip


def _is_running(settings: Settings) -> bool:
    try:
        with alone(settings, seconds=0.0):
            return False
    except NotSetUpError:
        return True
