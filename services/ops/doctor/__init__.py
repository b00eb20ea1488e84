"""`anjuan doctor`: what could keep the platform from running well on this machine, each with its mend."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from services.ops.doctor import machine, running
from services.ops.doctor.finding import Finding
from services.ops.installation import Installation, NoInstallationError


def findings(data: Path) -> Iterator[Finding]:
    """Of the machine; then, where there is an installation, of that."""
    yield from machine.findings(data)
    try:
        installation = Installation.open(data)
    except NoInstallationError as missing:
        yield Finding("平台", False, str(missing), "执行 anjuan up")
        return
    yield from running.findings(installation)
