"""The separator sheet as PDF."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import segno

from services.archive.sheets.press import press


@dataclass(frozen=True)
class Face:
    """What stands on one sheet; `code` is the text of its QR."""

    code: str
    name: str
    title: str
    item: str
    body: str


def _svg(text: str) -> str:
    out = io.BytesIO()
    segno.make(text, error="q", micro=False).save(out, kind="svg", border=4, xmldecl=False)
    return out.getvalue().decode()


def separator_sheets(faces: Sequence[Face]) -> bytes:
    """One page each: the code three times, bars at both ends, and for people the case and the item."""
    return press("separator", {"sheets": [asdict(face) | {"svg": _svg(face.code)} for face in faces]})
