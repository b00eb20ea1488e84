"""A scanning station beside the demo: its program as a process of its own, its paper printed by the platform."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from services.kit.settings import ROOT
from services.ops.demo import paper
from services.ops.demo.site import checked

PATIENCE = 120.0  # seconds for one stack of paper


class ScanFailedError(Exception):
    """The station ended without the platform having the batch; the message is what it said."""


@dataclass(frozen=True)
class ScanSite:
    """One enrolled and approved station. `folder` is where its scanner writes, `address` the platform's."""

    address: str
    folder: Path


def open_site(address: str, folder: Path, body_id: str, admin_token: str, name: str = "一楼扫描站") -> ScanSite:
    """Enrol a station for a body and approve it in an administrator's (or operator's) name.

    Raises:
        ScanFailedError, RefusedError.
    """
    said = _told("enrol", "--folder", str(folder), "--server", address, "--body", body_id, "--name", name, "--json")
    if said["state"] == "requested":
        _post(address, f"/stations/{said['station_id']}/decision", {"decision": "approve"}, admin_token)
    return ScanSite(address, folder)


def scan(
    site: ScanSite, case_id: str, token: str, papers: Sequence[Image.Image], volume: str = "", seq: int = 0
) -> str:
    """Print the case's separator sheet, put the papers behind it through the scanner; the id of the received batch.

    `token`: of somebody who may bring pages to the case. `papers`: see services.ops.demo.paper. `volume` and `seq`:
    the place in the dossier that the sheet names, else none.

    Raises:
        ScanFailedError: the station could not give it within two minutes.
        RefusedError: the sheet is not printed for this person.
    """
    headers = {"Authorization": f"Bearer {token}"}
    where, place = f"{site.address}/api/v1/cases/{case_id}/separator-sheet", {"volume": volume, "seq": str(seq)}
    answer = httpx.get(where, params=place, headers=headers, timeout=60)
    stack = [*paper.printed(checked(answer).content), *papers]
    name = f"扫描-{case_id[-8:]}" + (f"-{volume}-{seq}" if volume else "")
    return feed(site, f"{name}.tif", paper.tiff(paper.through_the_feeder(stack)))


def feed(site: ScanSite, name: str, data: bytes) -> str:
    """Bytes as a scanner writes them, then the station until all is given; the id of the batch.

    Raises:
        ScanFailedError: as above.
    """
    beside = site.folder / f"{name}.part"
    beside.write_bytes(data)
    beside.rename(site.folder / name)
    _run("run", "--folder", str(site.folder), "--once", "--settle", "0", "--longest-wait", "1")
    files = _told("status", "--folder", str(site.folder), "--json")["files"]
    found = [file for file in files if file["name"] == name][-1:]
    if not found or found[0]["state"] != "done":
        raise ScanFailedError(f"{name} 没有传到：{found}")
    return str(found[0]["batch_id"])


def _told(*arguments: str) -> Any:
    return json.loads(_run(*arguments).stdout)


def _run(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "scanning", *arguments]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=PATIENCE, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as late:
        raise ScanFailedError(f"扫描站 {PATIENCE:g} 秒内没有完成：{(late.stderr or b'')[-500:].decode()}") from late
    if done.returncode and arguments[0] != "status":
        raise ScanFailedError(f"扫描站退出（{done.returncode}）：{(done.stdout + done.stderr)[-500:].decode()}")
    return done


def _post(address: str, path: str, body: Any, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    checked(httpx.post(f"{address}/api/v1{path}", json=body, headers=headers, timeout=60))
