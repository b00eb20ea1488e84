"""Nothing of one machine, one registry or one secret is committed."""

from __future__ import annotations

import re
import subprocess

from services.kit.settings import ROOT

PRIVATE = re.compile(
    r"index-url[= ]+http|registry\s*=\s*http|\"resolved\": \"http|-----BEGIN [A-Z ]*PRIVATE KEY-----|/home/\w+/",
    re.IGNORECASE,
)


def tracked() -> list[str]:
    """Files that git would commit."""
    asked = ["git", "ls-files", "-co", "--exclude-standard"]
    listed = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True)
    return listed.stdout.splitlines()


def test_nothing_private_is_tracked() -> None:
    here = str(ROOT.parent) + "/"
    wrong = []
    for name in tracked():
        path = ROOT / name
        if not path.is_file() or path == ROOT / "tests/architecture/test_nothing_private.py":
            continue
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        if (len(here) > 6 and here in text) or PRIVATE.search(text):
            wrong.append(name)
    assert not wrong


def test_generated_code_is_not_tracked() -> None:
    assert not [name for name in tracked() if name.endswith(("_pb2.py", "_pb2_grpc.py", ".pyc"))]
