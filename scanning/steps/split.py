"""One file -> its pages as pixels, upright by what the file itself says; the file is never written to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pypdfium2  # type: ignore[import-untyped]
import pypdfium2.raw as pdfium  # type: ignore[import-untyped]
from PIL import Image, ImageOps

from scanning import kinds
from scanning.kinds import DAMAGED, JPEG, PDF, TIFF, UnreadableFileError, opened
from scanning.steps import Pixels

PLAIN_DPI, LOWEST_DPI, HIGHEST_DPI = 300, 100, 400
MOST_PIXELS = 80_000_000  # A3 at 600 dpi is 70
MOST_PAGES = 2500
POINTS = 72.0


@dataclass(frozen=True)
class Frame:
    """One page. `pixels`: height x width (grey) or height x width x 3 (BGR), 8 bits. `rotation`: turned by, degrees."""

    number: int
    pixels: Pixels
    dpi: int
    rotation: int


def frames(path: Path, skip: Callable[[int], bool] = lambda _: False) -> Iterator[Frame]:
    """Pages in order, those with `skip(number)` left out.

    Raises:
        UnreadableFileError: damaged, encrypted, empty, or far too large.
    """
    reader = {PDF: _pdf_frames, TIFF: _image_frames, JPEG: _image_frames}.get(kinds.media_type(path))
    if reader is None:
        raise UnreadableFileError(kinds.NOT_OURS)
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
    pictures = list(page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=3))
    if any(across * down > MOST_PIXELS for across, down in (picture.get_px_size() for picture in pictures)):
        raise UnreadableFileError(f"第 {number} 页像素过多，请按实际纸张大小扫描")
    dpi = min(_native_dpi(pictures), int((MOST_PIXELS / max(width * height, 1.0)) ** 0.5 * POINTS))
    if dpi < LOWEST_DPI // 2:
        raise UnreadableFileError(f"第 {number} 页幅面过大，请按实际纸张大小扫描")
    pixels = page.render(scale=dpi / POINTS, rev_byteorder=False).to_numpy()[:, :, :3].copy()
    if pictures and pixels.min() == pixels.max():
        _check_drawn(pictures, number)
    return Frame(number, pixels, dpi, int(page.get_rotation()))


def _check_drawn(pictures: Iterable[Any], number: int) -> None:
    """A page of one colour may be a picture that could not be drawn: that must not pass for a blank one."""
    for picture in pictures:
        try:
            picture.get_bitmap()
        except pypdfium2.PdfiumError as error:
            raise UnreadableFileError(f"第 {number} 页的图像已损坏，请重新扫描") from error


def _native_dpi(pictures: Iterable[Any]) -> int:
    """That of the largest image on the page, so that scanned pixels are neither lost nor invented."""
    best, area = PLAIN_DPI, 0.0
    for picture in pictures:
        left, bottom, right, top = picture.get_bounds()
        covered = (right - left) * (top - bottom)
        if covered > area:
            pixels = max(picture.get_px_size())
            best, area = round(pixels / max(right - left, top - bottom) * POINTS), covered
    return max(LOWEST_DPI, min(best, HIGHEST_DPI))


def _image_frames(path: Path, skip: Callable[[int], bool]) -> Iterator[Frame]:
    try:
        with opened(path) as image:
            for index in range(_counted(int(getattr(image, "n_frames", 1)))):
                if not skip(index + 1):
                    image.seek(index)
                    yield _image_frame(image, index + 1)
    except Image.DecompressionBombError as error:
        raise UnreadableFileError("图像像素过多，请按实际纸张大小扫描") from error
    except DAMAGED as error:
        raise _damaged(error) from error


_TURNED = {3: 180, 6: 90, 8: 270}


def _image_frame(image: Image.Image, number: int) -> Frame:
    if image.width * image.height > MOST_PIXELS:
        raise UnreadableFileError(f"第 {number} 页像素过多，请按实际纸张大小扫描")
    dpi = _sane(image.info.get("dpi", (PLAIN_DPI, PLAIN_DPI))[0])
    turned = _TURNED.get(image.getexif().get(0x0112, 1), 0)
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I"):  # 16 bits: the upper eight
        deep = np.asarray(upright)
        return Frame(number, (deep >> 8).astype(np.uint8), dpi, turned)
    if upright.mode in ("1", "L"):
        grey: Pixels = np.asarray(upright.convert("L"))
        return Frame(number, grey, dpi, turned)
    colour: Pixels = cv2.cvtColor(np.asarray(_on_white(upright)), cv2.COLOR_RGB2BGR)
    return Frame(number, colour, dpi, turned)


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    seen = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen).convert("RGB")


def _sane(dpi: Any) -> int:
    told = float(dpi)
    return round(told) if 50 <= told <= 1200 else PLAIN_DPI
