"""Typst, in a process of its own: it takes 100 MB, and a page of it takes half a second."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from services.kit.errors import UnavailableError
from services.kit.settings import ROOT

HERE = Path(__file__).parent
SECONDS = 120.0


def press(template: str, data: Mapping[str, Any]) -> bytes:
    """PDF/A of a template of this folder over JSON data.

    Raises:
        UnavailableError: the program or its fonts are not there; the log says what it said.
    """
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", __name__, template], input=json.dumps(data, ensure_ascii=False).encode(),
        capture_output=True, timeout=SECONDS, check=False, cwd=ROOT,
    )  # fmt: skip
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise UnavailableError(f"打印服务暂不可用：{''.join(said)[:300]}")
    return done.stdout


def compiled(template: str, data: str) -> bytes:
    """The same in this process.

    Raises:
        RuntimeError: typst refuses, or a font is missing and another would silently take its place.
    """
    import typst

    made, warnings = typst.compile_with_warnings(
        str(HERE / f"{template}.typ"), sys_inputs={"data": data}, pdf_standards="a-2b"
    )
    if missing := [str(w.message) for w in warnings if "unknown font" in str(w.message)]:
        raise RuntimeError(f"缺少字体（fonts-noto-cjk）：{'；'.join(missing)}")
    return bytes(made)


if __name__ == "__main__":
    sys.stdout.buffer.write(compiled(sys.argv[1], sys.stdin.read()))
