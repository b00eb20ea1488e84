"""Instruments: docx from a template, each in a sandboxed child of its own, and PDF/A from a warm LibreOffice.

Two pages with values and a loop of twenty; one document at a time, the checks before and after included.
"""

from __future__ import annotations

import io
from collections.abc import Callable

from docx import Document

from services.documents.render.office import OFFICE
from services.documents.render.stem import STEM
from services.documents.render.template import render
from services.kit import clock
from services.ops.bench.figures import Figure
from services.ops.bench.ground import Ground

EVIDENCE = [{"名称": f"证据{n}", "事项": "证明事项"} for n in range(20)]
VALUES = {"机关": "滨江区市场监督管理局", "当事人": "吴江", "证据": EVIDENCE}


def measure(ground: Ground) -> list[Figure]:
    """Documents a second."""
    template, count = _template(), ground.size(20, 3)
    filled = render(template, VALUES)
    OFFICE.convert(filled)  # it is warm from here on
    try:
        docx = tuple(_rate(lambda: render(template, VALUES), count) for _ in range(ground.runs))
        printed = tuple(_rate(lambda: OFFICE.convert(filled), count) for _ in range(ground.runs))
    finally:
        OFFICE.stop()
        STEM.stop()
    return [Figure("docx from a template", "documents/s", docx), Figure("PDF/A from docx", "documents/s", printed)]


def _rate(make: Callable[[], object], count: int) -> float:
    began = clock.monotonic()
    for _ in range(count):
        make()
    return count / (clock.monotonic() - began)


def _template() -> bytes:
    """Two pages: values, a loop, thirty paragraphs."""
    document = Document()
    document.add_heading("{{ 机关 }}行政处罚决定书", 1)
    document.add_paragraph("当事人：{{ 当事人 }}")
    document.add_paragraph("{% for 证 in 证据 %}{{ 证.名称 }}：{{ 证.事项 }}；{% endfor %}")
    for number in range(30):
        document.add_paragraph(f"{number + 1}. 经查明，当事人的上述行为有现场笔录、询问笔录等证据证明，事实清楚。" * 2)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()
