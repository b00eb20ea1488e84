"""Unseen text of a page, and its number as a small picture; neither needs a font that could be missing."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache

from pikepdf import Array, Dictionary, Name, Object, Pdf, Stream

from services.archive.model.reading import Line

FULL, HALF = 1000, 500  # widths in thousandths of the letter size
STAMP_DPI = 200


def _wide(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in "WFA"


class Letters:
    """The letters of some pages: each gets a code of its own, which the PDF maps back to Unicode."""

    def __init__(self) -> None:
        self.codes: dict[str, int] = {}

    def _code(self, letter: str) -> int:
        return self.codes.setdefault(letter, len(self.codes) + 1)

    def written(self, lines: Sequence[Line], scale: float, height: float) -> bytes:
        """Content that writes the lines where they stand; `scale`: points per pixel, `height`: of the page."""
        drawn = [self._line(line, scale, height) for line in lines if line.text.strip()]
        return b"BT 3 Tr\n" + b"".join(drawn) + b"ET\n" if drawn else b""

    def _line(self, line: Line, scale: float, height: float) -> bytes:
        left, top, right, bottom = (edge * scale for edge in line.box)
        size = max(bottom - top, 1.0)
        natural = sum(FULL if _wide(letter) else HALF for letter in line.text) * size / 1000
        codes = "".join(f"{self._code(letter):04x}" for letter in line.text)
        stretch = 100 * max(right - left, 1.0) / natural
        base = height - bottom + size * 0.12
        return f"/T {size:.2f} Tf {stretch:.2f} Tz 1 0 0 1 {left:.2f} {base:.2f} Tm <{codes}> Tj\n".encode()

    def font(self, pdf: Pdf) -> Object:
        """A font without shapes: it is only ever written unseen (text rendering mode 3)."""
        widths = [FULL if _wide(letter) else HALF for letter in self.codes]
        about = Dictionary(
            Type=Name.FontDescriptor, FontName=Name.Unseen, Flags=4, FontBBox=[0, -120, FULL, 880], ItalicAngle=0,
            Ascent=880, Descent=-120, CapHeight=880, StemV=80,
        )  # fmt: skip
        within = Dictionary(
            Type=Name.Font, Subtype=Name.CIDFontType2, BaseFont=Name.Unseen, FontDescriptor=pdf.make_indirect(about),
            CIDSystemInfo=Dictionary(Registry=b"Adobe", Ordering=b"Identity", Supplement=0), DW=FULL,
            W=Array([1, Array(widths)]) if widths else Array(), CIDToGIDMap=Name.Identity,
        )  # fmt: skip
        return pdf.make_indirect(Dictionary(
            Type=Name.Font, Subtype=Name.Type0, BaseFont=Name.Unseen, Encoding=Name("/Identity-H"),
            DescendantFonts=[pdf.make_indirect(within)], ToUnicode=Stream(pdf, self._to_unicode()),
        ))  # fmt: skip

    def _to_unicode(self) -> bytes:
        pairs = [f"<{code:04x}> <{letter.encode('utf-16-be').hex()}>" for letter, code in self.codes.items()]
        blocks = [pairs[n : n + 100] for n in range(0, len(pairs), 100)]
        mapped = "".join(f"{len(b)} beginbfchar\n{chr(10).join(b)}\nendbfchar\n" for b in blocks)
        return (
            "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
            "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
            "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
            f"1 begincodespacerange\n<0000> <ffff>\nendcodespacerange\n{mapped}"
            "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"
        ).encode()


@cache
def _figures(number: int) -> tuple[int, int, bytes]:
    """A page number as a one-bit stencil: width, height, rows."""
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(size=34)
    left, top, right, bottom = font.getbbox(str(number))
    shape = Image.new("1", (int(right - left) + 4, int(bottom - top) + 4), 1)
    ImageDraw.Draw(shape).text((2 - left, 2 - top), str(number), fill=0, font=font)
    return shape.width, shape.height, shape.tobytes()


def stamp(pdf: Pdf, number: int, width: float, height: float) -> tuple[Object, bytes]:
    """The number in the upper right corner, on white; a page of the volume carries it as its paper does."""
    across, down, rows = _figures(number)
    mark = Stream(pdf, rows)
    mark.stream_dict.update({
        "/Type": Name.XObject, "/Subtype": Name.Image, "/Width": across, "/Height": down, "/ImageMask": True,
        "/BitsPerComponent": 1, "/Decode": Array([0, 1]),
    })  # fmt: skip
    wide, high = across * 72 / STAMP_DPI, down * 72 / STAMP_DPI
    x, y = width - wide - 18, height - high - 18
    drawn = (
        f"q 1 g {x - 3:.2f} {y - 3:.2f} {wide + 6:.2f} {high + 6:.2f} re f 0 g "
        f"{wide:.2f} 0 0 {high:.2f} {x:.2f} {y:.2f} cm /N Do Q\n"
    )
    return pdf.make_indirect(mark), drawn.encode()
