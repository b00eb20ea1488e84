"""Thumbnails, and a page of the scanned file as it came; files are opened in a process of their own."""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from collections.abc import Iterable

from services.kit.errors import RuleRefusedError
from services.kit.settings import ROOT

THUMBNAIL = 240  # pixels, longest side
SECONDS = 60.0
MEMORY = 2 * 1024**3
_REFUSED = "原文件的这一页无法显示，请下载原文件查看"


def thumbnail(data: bytes) -> bytes:
    """A small JPEG.

    Raises:
        OSError: not a picture.
    """
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = 100_000_000
    out = io.BytesIO()
    try:
        with Image.open(io.BytesIO(data)) as picture:
            picture.draft("L" if picture.mode == "L" else "RGB", (THUMBNAIL * 2, THUMBNAIL * 2))
            picture.thumbnail((THUMBNAIL, THUMBNAIL))
            picture.convert("L" if picture.mode in ("1", "L") else "RGB").save(out, "JPEG", quality=70)
    except (Image.DecompressionBombError, SyntaxError) as error:  # one page must not hold up its batch
        raise OSError(str(error)) from error
    return out.getvalue()


def original(master: Iterable[bytes], media_type: str, number: int) -> bytes:
    """One page of a scanned file as JPEG at 150 dpi or its own pixels, nothing cleaned.

    Raises:
        RuleRefusedError: the file cannot be drawn within its time and memory.
    """
    with tempfile.NamedTemporaryFile() as file:
        file.writelines(master)
        file.flush()
        command = [sys.executable, "-m", __name__, file.name, media_type, str(number)]
        try:
            done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False, cwd=ROOT)  # noqa: S603
        except subprocess.TimeoutExpired as late:
            raise RuleRefusedError(_REFUSED) from late
    if done.returncode:
        raise RuleRefusedError(_REFUSED)
    return done.stdout


def drawn(path: str, media_type: str, number: int) -> bytes:
    """The same in this process."""
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = 100_000_000
    if media_type == "application/pdf":
        import pypdfium2  # type: ignore[import-untyped]

        with pypdfium2.PdfDocument(path) as document:
            page = document[number - 1]
            width, height = page.get_size()
            return _jpeg(page.render(scale=min(150 / 72, 5000 / max(width, height))).to_pil())
    with Image.open(path) as image:
        image.seek(number - 1)
        return _jpeg(ImageOps.exif_transpose(image))


def _jpeg(picture: object) -> bytes:
    from PIL import Image

    if not isinstance(picture, Image.Image):
        raise TypeError("not a picture")
    out = io.BytesIO()
    picture.convert("L" if picture.mode in ("1", "L") else "RGB").save(out, "JPEG", quality=85)
    return out.getvalue()


if __name__ == "__main__":
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    sys.stdout.buffer.write(drawn(sys.argv[1], sys.argv[2], int(sys.argv[3])))
