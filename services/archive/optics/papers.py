"""A document that came as a file -> pictures of its pages, each with the words that a PDF itself tells.

Files of strangers are opened in a process of their own, under limits of memory, time and pages.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.archive.model.reading import Line, Reading, squeezed
from services.kit.errors import RuleRefusedError
from services.kit.settings import ROOT

DPI, LONGEST, MOST_PAGES = 200, 6000, 1000
SECONDS, MEMORY = 300.0, 2 * 1024**3
MARKS = {b"%PDF-": "application/pdf", b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png",
         b"II*\x00": "image/tiff", b"MM\x00*": "image/tiff"}  # fmt: skip


@dataclass(frozen=True)
class Sheet:
    """One page of it; `reading` None: it holds no words of its own, its picture must be read."""

    picture: bytes
    width: int
    height: int
    dpi: int
    reading: Reading | None


def kind_of(head: bytes) -> str:
    """Media type by the first bytes; empty for what has no pages to show."""
    return next((kind for mark, kind in MARKS.items() if head.startswith(mark)), "")


def sheets(content: Iterable[bytes]) -> Iterator[Sheet]:
    """Its pages, one after the other.

    Raises:
        RuleRefusedError: not to be shown as pages, or not within the limits.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "file"
        with file.open("wb") as out:
            out.writelines(content)
        with file.open("rb") as opened:
            kind = kind_of(opened.read(16))
        if not kind:
            raise RuleRefusedError("该文件不是 PDF 或图片，不能成页，原件随卷保存")
        _drawn_apart(file, kind)
        for told in sorted(Path(folder).glob("*.json")):
            yield _sheet(told)


def _drawn_apart(file: Path, kind: str) -> None:
    command = [sys.executable, "-m", __name__, str(file), kind]
    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False, cwd=ROOT)  # noqa: S603
    except subprocess.TimeoutExpired as late:
        raise RuleRefusedError("该文件过大或已损坏，未能成页，原件随卷保存") from late
    if done.returncode:
        raise RuleRefusedError("该文件已损坏或页数过多，未能成页，原件随卷保存")


def _sheet(told: Path) -> Sheet:
    facts = json.loads(told.read_text("utf-8"))
    lines = tuple(Line.of(line) for line in facts["lines"])
    reading = Reading(lines, "pdf") if lines else None
    return Sheet(told.with_suffix(".jpg").read_bytes(), facts["width"], facts["height"], facts["dpi"], reading)


def draw(file: Path, kind: str) -> None:
    """Write NNNNN.jpg and NNNNN.json beside the file; in the process of its own."""
    if kind == "application/pdf":
        import pypdfium2  # type: ignore[import-untyped]

        with pypdfium2.PdfDocument(file) as document:
            if len(document) > MOST_PAGES:
                raise ValueError("too many pages")
            document.init_forms()  # seals and stamps are drawn too
            for number, page in enumerate(document):
                scale = min(DPI / 72, LONGEST / max(page.get_size()))
                picture = page.render(scale=scale).to_pil()
                _keep(file.parent, number, picture, round(scale * 72), _words(page, scale))
        return
    from PIL import Image, ImageOps, ImageSequence

    Image.MAX_IMAGE_PIXELS = 100_000_000
    with Image.open(file) as image:
        for number, frame in enumerate(ImageSequence.Iterator(image)):
            if number >= MOST_PAGES:
                raise ValueError("too many pages")
            # pictures without a believable density are taken for A4
            told = float(frame.info.get("dpi", (0, 0))[0])
            dpi = told if 70 <= told <= 1200 else max(frame.size) / 11.69
            _keep(file.parent, number, ImageOps.exif_transpose(frame), max(round(dpi), 20), [])


def _keep(folder: Path, number: int, picture: Any, dpi: int, lines: list[dict[str, Any]]) -> None:
    grey = picture.mode in ("1", "L")
    picture.convert("L" if grey else "RGB").save(folder / f"{number:05}.jpg", "JPEG", quality=85, dpi=(dpi, dpi))
    facts = {"width": picture.width, "height": picture.height, "dpi": dpi, "lines": lines}
    (folder / f"{number:05}.json").write_text(json.dumps(facts, ensure_ascii=False), "utf-8")


def _words(page: Any, scale: float) -> list[dict[str, Any]]:
    """Lines as they stand on the drawn page, from the PDF itself."""
    words, height, found = page.get_textpage(), page.get_height(), []
    for at in range(words.count_rects()):
        left, bottom, right, top = words.get_rect(at)
        text = squeezed(words.get_text_bounded(left, bottom, right, top).replace("\0", "").replace("\r\n", " "))
        if text:
            box = (left * scale, (height - top) * scale, right * scale, (height - bottom) * scale)
            found.append(Line(text, tuple(round(edge) for edge in box), 1.0).as_json())
    return found


if __name__ == "__main__":
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    draw(Path(sys.argv[1]), sys.argv[2])
