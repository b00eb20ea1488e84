"""One kept file -> a cleaned copy of every page, durable before it is told. Pages that are done are not done again.

`python -m scanning.pipeline MASTER FOLDER DONE` (a JSON list of the numbers that are done) tells one page a line:
what a scanner delivers is taken apart in a process that may break.
"""

from __future__ import annotations

import hashlib
import json
import resource
import signal
import sys
from collections.abc import Container, Iterator
from dataclasses import asdict
from pathlib import Path

from scanning import durable
from scanning.kinds import UnreadableFileError
from scanning.pages import PageCopy, copy_path
from scanning.steps import Pixels
from scanning.steps.blank import is_blank
from scanning.steps.cover import read_cover
from scanning.steps.deskew import skew_degrees, straightened
from scanning.steps.encode import MEDIA_TYPE, encoded
from scanning.steps.split import Frame, frames

MOST_MEMORY = 4 * 1024**3  # bytes of address space; the largest page we take needs a quarter of it
PAGE_SECONDS = 180


def copies(master: Path, folder: Path, done: Container[int]) -> Iterator[PageCopy]:
    """The pages that are not `done`, in order; each copy is on the disk when it is given.

    Raises:
        UnreadableFileError: the master cannot be taken apart.
    """
    for frame in frames(master, done.__contains__):
        yield _copy(frame, folder)


def _copy(frame: Frame, folder: Path) -> PageCopy:
    kind, cover, skew, pixels = _judged(frame.pixels)
    data, width, height = encoded(pixels)
    durable.write(copy_path(folder, frame.number), data)
    dpi = max(1, round(frame.dpi * width / pixels.shape[1]))
    return PageCopy(
        frame.number, kind, hashlib.sha256(data).hexdigest(), len(data), MEDIA_TYPE, cover, frame.rotation, skew,
        width, height, dpi,
    )  # fmt: skip


def _judged(pixels: Pixels) -> tuple[str, str, float, Pixels]:
    """Kind, cover, skew that was taken out, pixels of the copy."""
    if is_blank(pixels):
        return "blank", "", 0.0, pixels
    skew = skew_degrees(pixels)
    straight = straightened(pixels, skew)
    cover = read_cover(straight)
    return ("cover" if cover else "page"), cover, skew, straight


def main() -> None:
    """In a process of its own."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    master, folder, done = Path(sys.argv[1]), Path(sys.argv[2]), set(json.loads(sys.argv[3]))
    signal.alarm(PAGE_SECONDS)
    try:
        for page in copies(master, folder, done):
            print(json.dumps(asdict(page)), flush=True)
            signal.alarm(PAGE_SECONDS)
    except UnreadableFileError as error:
        print(json.dumps({"problem": str(error)}), flush=True)
    except OSError as error:  # of our own writing: what cannot be read is unreadable
        print(json.dumps({"disk": str(error)}), flush=True)
    except MemoryError:
        print(json.dumps({"problem": "整理该文件所需内存过大，请按实际纸张大小分开扫描"}), flush=True)


if __name__ == "__main__":
    main()
