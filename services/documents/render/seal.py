"""The look of a development seal: a red ring with the body's name and a star, 42 mm across, plainly not a real one."""

from __future__ import annotations

import math
import shutil
import subprocess
from functools import cache

from PIL import Image, ImageDraw, ImageFont

from services.documents.render.fonts import CONFIGURATION
from services.kit.errors import RuleRefusedError

RED = (205, 20, 20, 175)  # what stands below stays legible
POINTS = 42 / 25.4 * 72
PIXELS = 1000
SMALLER = 2
NOT_REAL = "开发测试专用"


@cache
def _face() -> tuple[str, int]:
    """File and index of the bold Song face.

    Raises:
        RuleRefusedError: fontconfig is missing.
    """
    program = shutil.which("fc-match")
    if program is None:
        raise RuleRefusedError("本机没有 fontconfig（fc-match），无法制作印章，请运维人员安装")
    done = subprocess.run(  # noqa: S603
        [program, "--format=%{file}\n%{index}", "宋体:bold"], env={"FONTCONFIG_FILE": str(CONFIGURATION)},
        capture_output=True, timeout=30, check=True,
    )  # fmt: skip
    file, index = done.stdout.decode().split("\n")
    return file, int(index) & 0xFFFF


def draw(body_name: str) -> Image.Image:
    """The seal of a body, transparent around the ink."""
    image = Image.new("RGBA", (PIXELS, PIXELS), (255, 255, 255, 0))
    ink = ImageDraw.Draw(image)
    ink.ellipse((10, 10, PIXELS - 10, PIXELS - 10), outline=RED, width=30)
    _star(ink, PIXELS / 2, PIXELS * 0.47, PIXELS * 0.17)
    _arc(image, body_name)
    face = ImageFont.truetype(*_first(76))
    ink.text((PIXELS / 2, PIXELS * 0.79), NOT_REAL, font=face, fill=RED, anchor="mm")
    return image.resize((PIXELS // SMALLER, PIXELS // SMALLER), Image.Resampling.LANCZOS)


def _first(size: int) -> tuple[str, int, int]:
    file, index = _face()
    return file, size, index


def _star(ink: ImageDraw.ImageDraw, x: float, y: float, radius: float) -> None:
    corners = []
    for corner in range(10):
        turn = math.pi * corner / 5 - math.pi / 2
        reach = radius if corner % 2 == 0 else radius * 0.382
        corners.append((x + reach * math.cos(turn), y + reach * math.sin(turn)))
    ink.polygon(corners, fill=RED)


def _arc(image: Image.Image, words: str) -> None:
    """The words along the upper rim, from lower left to lower right, feet inward."""
    wide = math.radians(min(250, 26 * len(words)))
    step = wide / max(len(words) - 1, 1)
    size = int(min(128, 0.92 * step * PIXELS * 0.37)) if len(words) > 1 else 128
    face = ImageFont.truetype(*_first(max(size, 24)))
    for place, word in enumerate(words):
        turn = -wide / 2 + step * place if len(words) > 1 else 0.0
        tile = Image.new("RGBA", (2 * size + 40, 2 * size + 40), (255, 255, 255, 0))
        middle = tile.width // 2
        ImageDraw.Draw(tile).text((middle, middle), word, font=face, fill=RED, anchor="mm")
        tile = tile.rotate(-math.degrees(turn), resample=Image.Resampling.BICUBIC)
        x = PIXELS / 2 + PIXELS * 0.385 * math.sin(turn)
        y = PIXELS / 2 - PIXELS * 0.385 * math.cos(turn)
        image.alpha_composite(tile, (round(x - middle), round(y - middle)))
