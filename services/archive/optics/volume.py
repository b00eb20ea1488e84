"""A volume as one searchable PDF: front sheets, every page's picture with its read lines unseen behind it, 备考表.

Pictures are wrapped as they are, nothing is compressed anew. Written in parts, so that memory stays small.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import img2pdf  # type: ignore[import-untyped]
import pikepdf
from pikepdf import Dictionary, Name, Pdf, Stream, String

from services.archive.model.reading import Line
from services.archive.optics.letters import Letters, stamp

AT_ONCE = 20
POINTS = 72.0
# clockwise turns of a sheet of width w and height h, as PDF matrices
TURNS: dict[int, Callable[[float, float], tuple[float, ...]]] = {
    0: lambda w, h: (1, 0, 0, 1, 0, 0), 90: lambda w, h: (0, -1, 1, 0, 0, w), 180: lambda w, h: (-1, 0, 0, -1, w, h),
    270: lambda w, h: (0, 1, -1, 0, h, 0),
}  # fmt: skip


@dataclass(frozen=True)
class Leaf:
    """One page: its picture, how it is turned, what was read on it, and its number in the volume."""

    picture: bytes
    dpi: int
    turned: int
    lines: Sequence[Line]
    number: int


@dataclass(frozen=True)
class Chapter:
    """A catalogue line as bookmark; `number` is the page it begins on; 0: the front sheets, one past: the back."""

    title: str
    number: int


def write_volume(
    front: bytes, leaves: Iterable[Leaf], chapters: Sequence[Chapter], title: str, path: Path, back: bytes = b"",
    alive: Callable[[], None] = lambda: None,
) -> int:  # fmt: skip
    """Write the volume as PDF/A-2b over the front's own metadata, `back` behind its last page (empty: nothing);
    returns its number of PDF pages.

    Raises:
        ValueError: a picture that cannot be wrapped; its number is the argument.
    """
    with ExitStack() as open_files, Pdf.open(io.BytesIO(front)) as volume:
        first = len(volume.pages)
        for number, part in enumerate(_parts(leaves)):
            at = path.with_name(f"{path.name}.{number}")
            with _part(part) as made:
                made.save(at)
            # pages stay in their files until the volume is saved
            volume.pages.extend(open_files.enter_context(Pdf.open(at)).pages)
            alive()
        last = len(volume.pages)
        if back:
            volume.pages.extend(open_files.enter_context(Pdf.open(io.BytesIO(back))).pages)
        _label(volume, first, last)
        with volume.open_outline() as outline:
            outline.root.extend(
                pikepdf.OutlineItem(c.title, c.number + first - 1 if c.number else 0) for c in chapters
            )
        with volume.open_metadata(set_pikepdf_as_editor=False) as told:
            told["dc:title"] = title
        volume.save(path, deterministic_id=True)
        return len(volume.pages)


def _parts(leaves: Iterable[Leaf]) -> Iterator[list[Leaf]]:
    rest = iter(leaves)
    while part := list(islice(rest, AT_ONCE)):
        yield part


def _part(leaves: Sequence[Leaf]) -> Pdf:
    part = Pdf.new()
    letters = Letters()
    for leaf in leaves:
        _add(part, leaf, letters)
    font = letters.font(part)
    for page in part.pages:
        page.obj.Resources.Font = Dictionary(T=font)
    return part


def _add(part: Pdf, leaf: Leaf, letters: Letters) -> None:
    layout = img2pdf.get_fixed_dpi_layout_fun((leaf.dpi, leaf.dpi))
    try:
        wrapped = img2pdf.convert(_opaque(leaf.picture), layout_fun=layout, rotation=img2pdf.Rotation.none)
    except (img2pdf.ImageOpenError, OSError, ValueError) as error:
        raise ValueError(leaf.number) from error
    with Pdf.open(io.BytesIO(wrapped)) as single:
        part.pages.append(single.pages[0])
    page = part.pages[-1]
    width, height = float(page.mediabox[2]), float(page.mediabox[3])
    turn = TURNS[leaf.turned](width, height)
    if leaf.turned in (90, 270):
        width, height = height, width
        page.mediabox = pikepdf.Rectangle(0, 0, width, height)
    page.contents_add(Stream(part, b"q %g %g %g %g %g %g cm" % turn), prepend=True)
    words = letters.written(leaf.lines, POINTS / leaf.dpi, height)
    mark, drawn = stamp(part, leaf.number, width, height)
    page.obj.Resources.XObject.N = mark
    page.contents_add(Stream(part, b"Q\n" + words + drawn))


def _opaque(picture: bytes) -> bytes:
    """As it is, unless it has transparency, which an archive's PDF must not have."""
    from PIL import Image

    with Image.open(io.BytesIO(picture)) as image:
        if image.mode not in ("RGBA", "LA", "PA", "CMYK") and "transparency" not in image.info:
            return picture
        out = io.BytesIO()
        image.convert("RGB").save(out, "PNG")
    return out.getvalue()


def _label(volume: Pdf, first: int, last: int) -> None:
    """Page numbers as a viewer shows them: front sheets in roman figures, the volume's own from 1, the back by name."""
    roman, own, back = Dictionary(S=Name.r), Dictionary(S=Name.D), Dictionary(P=String("备考表"))
    labels = [0, roman, *([first, own] if last > first else []), *([last, back] if len(volume.pages) > last else [])]
    volume.Root.PageLabels = Dictionary(Nums=labels)
    volume.Root.PageMode = Name.UseOutlines
