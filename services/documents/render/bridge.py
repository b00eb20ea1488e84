"""Runs under the interpreter that has LibreOffice's `uno`: keeps one office warm, converts what standard input names.

One JSON object a line: {"source": path, "target": path} -> {} or {"error": text}; the first line out is {"ready": …}.
It ends with its standard input, and takes the office with it.
"""

from __future__ import annotations

import ctypes
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import uno  # type: ignore[import-not-found]
from com.sun.star.beans import PropertyValue  # type: ignore[import-not-found]

RESTART = (79, 81)  # the office asks to be started again, as it does after making its profile
PDF_A_2B = 2
DIE_WITH_PARENT = 1


def _start(profile: str, pipe: str) -> subprocess.Popen[bytes]:
    program = os.path.join(os.path.dirname(os.path.realpath(shutil.which("soffice") or "soffice")), "soffice.bin")  # noqa: PTH118, PTH120
    return subprocess.Popen(  # noqa: S603
        [program, "--headless", "--invisible", "--norestore", "--nologo", "--nolockcheck", "--nodefault",
         "--nofirststartwizard", f"-env:UserInstallation=file://{profile}", f"--accept=pipe,name={pipe};urp;"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        preexec_fn=lambda: ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL),
    )  # fmt: skip


def _connect(office: list[subprocess.Popen[bytes]], profile: str, pipe: str, seconds: float) -> Any:
    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
    deadline = time.monotonic() + seconds
    while True:
        code = office[0].poll()
        if code is not None and code not in RESTART:
            raise RuntimeError(f"soffice ended with {code}")
        if code is not None:
            office[0] = _start(profile, pipe)
        try:
            remote = resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
            return remote.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", remote)
        except Exception:  # not listening yet: UNO says so with an exception of its own kind
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _value(name: str, value: Any) -> Any:
    found = PropertyValue()
    found.Name, found.Value = name, value
    return found


def _convert(desktop: Any, source: str, target: str) -> None:
    load = (
        _value("Hidden", True), _value("ReadOnly", True), _value("MacroExecutionMode", 0), _value("UpdateDocMode", 0),
        _value("FilterName", "MS Word 2007 XML"),
    )  # fmt: skip
    document = desktop.loadComponentFromURL(uno.systemPathToFileUrl(source), "_blank", 0, load)
    if document is None:
        raise RuntimeError("the document cannot be loaded")
    try:
        wanted = (
            _value("SelectPdfVersion", PDF_A_2B), _value("UseTaggedPDF", True), _value("ExportBookmarks", True),
            _value("ExportFormFields", False), _value("UseLosslessCompression", True),
        )  # fmt: skip
        data = uno.Any("[]com.sun.star.beans.PropertyValue", wanted)
        filters = (_value("FilterName", "writer_pdf_Export"), _value("FilterData", data))
        document.storeToURL(uno.systemPathToFileUrl(target), filters)
    finally:
        document.close(False)


def main(profile: str, pipe: str, seconds: float) -> None:
    """Serve until standard input ends."""
    jobs: queue.Queue[str] = queue.Queue()
    office = [_start(profile, pipe)]

    def read() -> None:
        for line in sys.stdin:
            jobs.put(line)
        office[0].kill()
        os._exit(0)  # whatever is being converted, nobody waits for it any more

    threading.Thread(target=read, daemon=True).start()
    desktop = _connect(office, profile, pipe, seconds)
    _answer({"ready": office[0].pid})
    while True:
        job = json.loads(jobs.get())
        try:
            _convert(desktop, job["source"], job["target"])
            _answer({})
        except Exception as error:  # noqa: BLE001 UNO's exceptions have no ancestor of their own
            if type(error).__name__.endswith("DisposedException"):
                os._exit(1)  # the office has died; that is not the document's fault, and the next one needs another
            _answer({"error": f"{type(error).__name__}: {error}"[:500]})


def _answer(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
