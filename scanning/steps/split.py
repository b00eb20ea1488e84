"""One file -> its pages as pixels, upright by what the file itself says; the file is never written to."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pypdfium2  # type: ignore[import-untyped]
import pypdfium2.raw as pdfium  # type: ignore[import-untyped]
from PIL import Image, ImageOps

from scanning.steps import Pixels

PLAIN_DPI, LOWEST_DPI, HIGHEST_DPI = 300, 100, 400
MOST_PIXELS = 80_000_000  # A3 at 600 dpi is 70
MOST_PAGES = 2500
POINTS = 72.0
_DAMAGED = (OSError, EOFError, ValueError, SyntaxError, KeyError, TypeError)  # Pillow's ways to say so
_PDF, _JPEG, _TIFF = "application/pdf", "image/jpeg", "image/tiff"
_MARKS = {b"%PDF-": _PDF, b"\xff\xd8\xff": _JPEG, b"II*\x00": _TIFF, b"MM\x00*": _TIFF}


class UnreadableFileError(Exception):
    """The file cannot be taken apart; the message, in Chinese, says why and what to do."""


@dataclass(frozen=True)
class Frame:
    """One page. `pixels`: height x width (grey) or height x width x 3 (BGR), 8 bits. `rotation`: turned by, degrees."""

    number: int
    pixels: Pixels
    dpi: int
    rotation: int


def media_type(path: Path) -> str:
    """By the first bytes; empty for what a station does not take."""
    with path.open("rb") as file:
        head = file.read(8)
    return next((kind for mark, kind in _MARKS.items() if head.startswith(mark)), "")


def is_whole(path: Path) -> bool:
    """Whether the file's end is there: a scanner may still be writing although nothing has changed for a while."""
    size, kind = path.stat().st_size, media_type(path)
    with path.open("rb") as file:
        file.seek(max(0, size - 2048))
        tail = file.read()
    if kind == _PDF:
        return b"%%EOF" in tail
    if kind == _JPEG:
        return b"\xff\xd9" in tail
    return kind != _TIFF or _tiff_ends(path)


def _tiff_ends(path: Path) -> bool:
    try:
        with _opened(path) as image:
            for index in range(getattr(image, "n_frames", 1)):
                image.seek(index)
                image.load()
    except (*_DAMAGED, Image.DecompressionBombError):
        return False
    return True


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    # scanners write odd tags; what matters is whether the pixels are there
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        with Image.open(path) as image:
            yield image


def frames(path: Path, skip: Callable[[int], bool] = lambda _: False) -> Iterator[Frame]:
    """Pages in order, those with `skip(number)` left out.

    Raises:
        UnreadableFileError: damaged, encrypted, empty, or far too large.
    """
    reader = {_PDF: _pdf_frames, _TIFF: _image_frames, _JPEG: _image_frames}.get(media_type(path))
    if reader is None:
        raise UnreadableFileError("不是 PDF、TIFF 或 JPEG 文件，请改用扫描仪的这三种格式之一")
    yield from reader(path, skip)


def _counted(pages: int) -> int:
    if pages < 1:
        raise UnreadableFileError("文件中没有页面，请重新扫描")
    if pages > MOST_PAGES:
        raise UnreadableFileError(f"一个文件超过 {MOST_PAGES} 页，请分开扫描")
    return pages


def _damaged(error: Exception) -> UnreadableFileError:
    if "password" in str(error).lower():
        return UnreadableFileError("PDF 已加密，请取消扫描仪的加密设置后重新扫描")
    return UnreadableFileError(f"文件已损坏或不完整，请重新扫描（{type(error).__name__}）")


def _pdf_frames(path: Path, skip: Callable[[int], bool]) -> Iterator[Frame]:
    try:
        with pypdfium2.PdfDocument(path) as document:
            for index in range(_counted(len(document))):
                if not skip(index + 1):
                    yield _pdf_frame(document[index], index + 1)
    except pypdfium2.PdfiumError as error:
        raise _damaged(error) from error


def _pdf_frame(page: Any, number: int) -> Frame:
    width, height = page.get_size()
    dpi = min(_native_dpi(page), int((MOST_PIXELS / max(width * height, 1.0)) ** 0.5 * POINTS))
    if dpi < LOWEST_DPI // 2:
        raise UnreadableFileError(f"第 {number} 页幅面过大，请按实际纸张大小扫描")
    pixels = page.render(scale=dpi / POINTS, rev_byteorder=False).to_numpy()[:, :, :3].copy()
    return Frame(number, pixels, dpi, int(page.get_rotation()))


def _native_dpi(page: Any) -> int:
    """That of the largest image on the page, so that scanned pixels are neither lost nor invented."""
    best, area = PLAIN_DPI, 0.0
    for shape in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=3):
        left, bottom, right, top = shape.get_bounds()
        covered = (right - left) * (top - bottom)
        if covered > area and right > left:
            pixels = max(shape.get_px_size()) if hasattr(shape, "get_px_size") else max(shape.get_size())
            best, area = round(pixels / max(right - left, top - bottom) * POINTS), covered
    return max(LOWEST_DPI, min(best, HIGHEST_DPI))


def _image_frames(path: Path, skip: Callable[[int], bool]) -> Iterator[Frame]:
    try:
        with _opened(path) as image:
            for index in range(_counted(int(getattr(image, "n_frames", 1)))):
                if not skip(index + 1):
                    image.seek(index)
                    yield _image_frame(image, index + 1)
    except Image.DecompressionBombError as error:
        raise UnreadableFileError("图像像素过多，请按实际纸张大小扫描") from error
    except _DAMAGED as error:
        raise _damaged(error) from error


_TURNED = {3: 180, 6: 90, 8: 270}


def _image_frame(image: Image.Image, number: int) -> Frame:
    if image.width * image.height > MOST_PIXELS:
        raise UnreadableFileError(f"第 {number} 页像素过多，请按实际纸张大小扫描")
    dpi = image.info.get("dpi", (PLAIN_DPI, PLAIN_DPI))[0]
    turned = _TURNED.get(image.getexif().get(0x0112, 1), 0)
    upright = ImageOps.exif_transpose(image)
    if upright.mode in ("1", "L", "I;16"):
        grey: Pixels = np.asarray(upright.convert("L"))
        return Frame(number, grey, _sane(dpi), turned)
    colour: Pixels = cv2.cvtColor(np.asarray(upright.convert("RGB")), cv2.COLOR_RGB2BGR)
    return Frame(number, colour, _sane(dpi), turned)


def _sane(dpi: Any) -> int:
    return max(50, min(round(float(dpi)), 1200)) if float(dpi) > 1 else PLAIN_DPI
