"""A warm LibreOffice in a process of its own: docx -> PDF/A-2b, one at a time, each with a deadline."""

from __future__ import annotations

import json
import logging
import os
import select
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from services.documents.render import sockets
from services.documents.render.fonts import CONFIGURATION
from services.documents.settings import KNOBS
from services.kit import clock
from services.kit.errors import InvalidInputError

PREFIX = "anjuan-office-"
BRIDGE = Path(__file__).with_name("bridge.py")
log = logging.getLogger("anjuan.documents.office")


class OfficeError(RuntimeError):
    """LibreOffice did not start, died or took too long; the next conversion starts a new one."""


class Office:
    """Started when first needed; `stop` ends it. To be used from one thread."""

    def __init__(self) -> None:
        self._bridge: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None
        self._done = 0

    @property
    def pid(self) -> int | None:
        """Of the bridge, while it runs."""
        return self._bridge.pid if self._bridge is not None and self._bridge.poll() is None else None

    def convert(self, docx: bytes, seconds: float | None = None) -> bytes:
        """The document as PDF/A-2b.

        Raises:
            InvalidInputError: LibreOffice cannot read the document.
            OfficeError: it is the office that fails; trying again may help.
        """
        if self.pid is None or self._done >= KNOBS.office_documents:
            self.stop()
            self._start()
        folder = self._folder
        if folder is None:
            raise OfficeError("LibreOffice is not running")
        source, target = folder / f"{self._done}.docx", folder / f"{self._done}.pdf"
        source.write_bytes(docx)
        try:
            self._done += 1
            deadline = KNOBS.convert_seconds if seconds is None else seconds
            answer = self._ask({"source": str(source), "target": str(target)}, deadline)
            if "error" in answer:
                raise InvalidInputError(f"文书无法转换为 PDF，请检查其内容（{answer['error']}）")
            return target.read_bytes()
        finally:
            for path in (source, target):
                path.unlink(missing_ok=True)

    def _start(self) -> None:
        if not (shutil.which("soffice") and Path(KNOBS.uno_python).exists()):
            raise OfficeError("LibreOffice (soffice, python3-uno) is not installed")
        _clear_orphans()
        self._folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        profile = self._folder / "profile"
        env = {
            "PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "HOME": str(self._folder),
            "FONTCONFIG_FILE": str(CONFIGURATION), "TMPDIR": str(self._folder), "SAL_USE_VCLPLUGIN": "svp",
        }  # fmt: skip
        told = str(profile), self._folder.name, str(KNOBS.office_start_seconds)
        command = [KNOBS.uno_python, "-I", str(BRIDGE), *told]
        began = clock.monotonic()
        self._bridge = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)  # noqa: S603
        self._done = 0
        self._read(KNOBS.office_start_seconds + 5)
        sockets.note(self._folder, self._bridge.pid)
        log.info("office_started", extra={"seconds": round(clock.monotonic() - began, 1)})

    def _ask(self, message: dict[str, str], seconds: float) -> Any:
        pipe = self._bridge.stdin if self._bridge is not None else None
        if pipe is None:
            raise OfficeError("LibreOffice is not running")
        try:
            pipe.write(json.dumps(message).encode() + b"\n")
            pipe.flush()
        except OSError as error:
            self.stop()
            raise OfficeError("LibreOffice has died") from error
        return self._read(seconds)

    def _read(self, seconds: float) -> Any:
        pipe = self._bridge.stdout if self._bridge is not None else None
        if pipe is None:
            raise OfficeError("LibreOffice is not running")
        ready, _, _ = select.select([pipe], [], [], seconds)
        line = pipe.readline() if ready else b""
        if not line:
            self.stop()
            raise OfficeError("LibreOffice has died" if ready else f"LibreOffice gave no answer within {seconds:.0f} s")
        return json.loads(line)

    def stop(self) -> None:
        """End it and remove its folder and sockets; harmless when there is none."""
        if self._bridge is not None:
            self._bridge.kill()  # the office dies with it
            self._bridge.wait()
            for pipe in (self._bridge.stdin, self._bridge.stdout):
                if pipe is not None:
                    with suppress(OSError):
                        pipe.close()
        if self._folder is not None:
            _remove(self._folder)
        self._bridge, self._folder = None, None


def _clear_orphans() -> None:
    """Folders of processes that were killed together with their office."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        owner = folder.name.removeprefix(PREFIX).split("-")[0]
        if owner.isdigit() and not psutil.pid_exists(int(owner)) and folder.stat().st_uid == os.geteuid():
            _remove(folder)


def _remove(folder: Path) -> None:
    sockets.clear(folder)
    shutil.rmtree(folder, ignore_errors=True)


OFFICE = Office()
