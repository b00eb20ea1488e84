"""Tools that are built once and kept outside every checkout, by version."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from services.ops.rig.account import Account
from services.ops.rig.missing import MissingPartError, PartFailedError
from services.ops.rig.place import cache_folder


def program(name: str, package: str) -> str:
    """Path of a program on this machine.

    Raises:
        MissingPartError: it is not there; names the package that brings it.
    """
    found = shutil.which(name)
    if found is None:
        raise MissingPartError(package)
    return found


def run(words: Sequence[str], folder: Path, package: str, extra: Mapping[str, str] | None = None) -> None:
    """Run a build step; its output is told only when it fails.

    Raises:
        MissingPartError: the program is not there.
        PartFailedError: it failed.
    """
    argv = [program(words[0], package), *words[1:]]
    env = {**os.environ, **(extra or {})}
    done = subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        raise PartFailedError(f"构建失败：{' '.join(words[:3])}\n{last}")


def cached(tool: str, version: str, account: Account, fill: Callable[[Path], None]) -> Path:
    """The tool's folder, filled at first use; a half-built one is never seen."""
    folder = cache_folder(tool, version, account)
    if folder.exists():
        return folder
    fresh = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{tool}-"))
    fresh.chmod(0o755)
    try:
        fill(fresh)
        fresh.rename(folder)
    except OSError:
        if not folder.exists():  # else another checkout was faster
            raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return folder
