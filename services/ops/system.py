"""System packages: `python -m services.ops.system` installs what is missing as root, or says exactly what to type."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from services.ops.rig.missing import MissingPartError, apt_install

# package, files or programs any of which proves it, what it is for
PACKAGES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("rabbitmq-server", ("/usr/lib/rabbitmq/bin/rabbitmq-server",), "消息中间件"),
    ("libreoffice-writer-nogui", ("/usr/lib/libreoffice/program/libswlo.so",), "文书转为 PDF"),
    ("python3-uno", ("/usr/lib/python3/dist-packages/uno.py",), "文书转为 PDF"),
    ("fonts-noto-cjk", ("/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc",), "中文字体"),
    ("fontconfig", ("fc-match",), "字体检查"),
    ("chromium", ("chromium", "google-chrome"), "门户的浏览器检查"),
    ("poppler-utils", ("pdftotext",), "PDF 检查"),
)


def missing() -> list[str]:
    """Packages that are not there."""
    return [
        name for name, proofs, _ in PACKAGES if not any(shutil.which(proof) or Path(proof).exists() for proof in proofs)
    ]


def main() -> int:
    """Install or tell; 0 when everything is there afterwards."""
    wanted = missing()
    if not wanted:
        sys.stdout.write("系统软件包齐全\n")
        return 0
    try:
        apt_install(*wanted)
    except MissingPartError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0 if not missing() else 1


if __name__ == "__main__":
    sys.exit(main())
