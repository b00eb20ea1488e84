"""The documents room's own knobs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DocumentsSettings:
    """Sizes in bytes, times in seconds. `uno_python` is the interpreter that has LibreOffice's `uno`."""

    largest_docx: int = 10 * 1024**2
    largest_unpacked: int = 80 * 1024**2
    most_parts: int = 1_000
    largest_fields: int = 200_000
    largest_pdf: int = 16 * 1024**2
    render_seconds: float = 20.0
    render_start_seconds: float = 30.0
    render_idle_seconds: float = 60.0
    render_memory: int = 1024**3
    uno_python: str = "/usr/bin/python3"
    office_start_seconds: float = 90.0
    convert_seconds: float = 120.0
    office_documents: int = 60  # then it starts anew: it grows slowly
    issue_attempts: int = 3


KNOBS = DocumentsSettings()
