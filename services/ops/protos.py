"""Build the protobuf code: `python -m services.ops.protos` writes build/gen from proto/ when something changed."""

from __future__ import annotations

import hashlib
import importlib.metadata
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE, TARGET = ROOT / "proto", ROOT / "build" / "gen"
STAMP = TARGET / ".stamp"
TOOLS = ("grpcio-tools", "mypy-protobuf")


def protos() -> list[Path]:
    """Every .proto file, in order."""
    return sorted(SOURCE.glob("anjuan/*/v1/*.proto"))


def fingerprint(paths: Sequence[Path]) -> str:
    """Of the files, their places, and the tools."""
    seen = hashlib.sha256(repr([importlib.metadata.version(tool) for tool in TOOLS]).encode())
    for path in paths:
        seen.update(str(path.relative_to(SOURCE)).encode())
        seen.update(path.read_bytes())
    return seen.hexdigest()


def generate(paths: Sequence[Path], folder: Path) -> None:
    """Python, gRPC and type stubs into a folder.

    Raises:
        subprocess.CalledProcessError: protoc refuses a file; it has said why.
    """
    bin_folder = Path(sys.executable).parent
    plugins = [f"--plugin=protoc-gen-{name}={bin_folder / f'protoc-gen-{name}'}" for name in ("mypy", "mypy_grpc")]
    outputs = [f"--{kind}_out={folder}" for kind in ("python", "grpc_python")]
    outputs += [f"--{kind}_out=quiet:{folder}" for kind in ("mypy", "mypy_grpc")]
    words = [sys.executable, "-m", "grpc_tools.protoc", f"-I{SOURCE}", *plugins, *outputs, *map(str, paths)]
    subprocess.run(words, check=True)  # noqa: S603


def build() -> bool:
    """True when something was built. The new tree replaces the old one whole: what is gone in proto/ is gone here."""
    paths = protos()
    mark = fingerprint(paths)
    if STAMP.exists() and STAMP.read_text() == mark:
        return False
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=TARGET.parent) as work:
        fresh = Path(work) / "fresh"
        fresh.mkdir()
        if paths:
            generate(paths, fresh)
        (fresh / "anjuan").mkdir(exist_ok=True)
        if (TARGET / "anjuan").exists():
            (TARGET / "anjuan").rename(Path(work) / "old")
        shutil.move(fresh / "anjuan", TARGET / "anjuan")
    STAMP.write_text(mark)
    return True


if __name__ == "__main__":
    try:
        sys.stdout.write("build/gen: built\n" if build() else "build/gen: unchanged\n")
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
