"""Reading a PDF that the house has made: its words, its pages, where the date stands."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pypdfium2  # type: ignore[import-untyped]
import pypdfium2.raw  # type: ignore[import-untyped]

# Han, full-width forms, CJK punctuation and brackets: a blank beside one of these is only layout
_CJK = r"\u2e80-\u303f\u3400-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff"
_BLANK = re.compile(rf"(?<=[{_CJK}])\s+|\s+(?=[{_CJK}])")


LIFT = 24.0  # points


@dataclass(frozen=True)
class Place:
    """A point on a page, in PDF points from the lower left; `page` counts from 0."""

    page: int
    x: float
    y: float


@dataclass(frozen=True)
class Reading:
    """What a PDF says: `text` without blanks beside Chinese characters, and its pages."""

    text: str
    pages: int


def without_blanks(text: str) -> str:
    """Blanks and line feeds beside Chinese characters removed (12 号 is 12号), others made one space."""
    return re.sub(r"\s+", " ", _BLANK.sub("", text)).strip().replace("\0", "")


def read(pdf: bytes) -> Reading:
    """All words of a PDF in order."""
    with pypdfium2.PdfDocument(pdf) as document:
        words = [page.get_textpage().get_text_bounded() for page in document]
        return Reading(without_blanks("\n".join(words)), len(words))


def find_last(pdf: bytes, wanted: str) -> Place | None:
    """The middle of the last place where these words stand, blanks left out of account."""
    target = re.sub(r"\s", "", wanted)
    with pypdfium2.PdfDocument(pdf) as document:
        for number in reversed(range(len(document))):
            words = document[number].get_textpage()
            codes = [pypdfium2.raw.FPDFText_GetUnicode(words.raw, n) for n in range(words.count_chars())]
            seen = [(chr(code), n) for n, code in enumerate(codes) if 0 < code < 0x110000 and not chr(code).isspace()]
            at = "".join(char for char, _ in seen).rfind(target)
            if target and at >= 0:
                left, low, _, _ = words.get_charbox(seen[at][1])
                _, _, right, high = words.get_charbox(seen[at + len(target) - 1][1])
                return Place(number, (left + right) / 2, (low + high) / 2)
    return None


def seal_place(pdf: bytes, day: str) -> Place:
    """Over the date and the name above it, both a little below the seal's middle (GB/T 9704-2012, 7.3.5.1)."""
    found = find_last(pdf, day)
    return _foot(pdf) if found is None else Place(found.page, found.x, found.y + LIFT)


def _foot(pdf: bytes) -> Place:
    """Where no date is found: low on the right of the last page."""
    with pypdfium2.PdfDocument(pdf) as document:
        width, _ = document[len(document) - 1].get_size()
        return Place(len(document) - 1, width - 150, 150)
