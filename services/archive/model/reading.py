"""What was read on a page: lines with their places, and the text that people search."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_CJK = "\u2e80-\u303f\u3400-\u9fff\uf900-\ufaff\uff00-\uffef"
_BETWEEN = re.compile(rf"(?<=[{_CJK}])[ \t\u3000]+(?=[{_CJK}])")


@dataclass(frozen=True)
class Line:
    """One line; `box`: left, top, right, bottom in pixels of the turned copy."""

    text: str
    box: tuple[int, int, int, int]
    confidence: float

    def as_json(self) -> dict[str, Any]:
        """As it lies in the database."""
        return {"text": self.text, "box": list(self.box), "confidence": self.confidence}

    @classmethod
    def of(cls, told: dict[str, Any]) -> Line:
        """The reverse."""
        left, top, right, bottom = told["box"]
        return cls(told["text"], (left, top, right, bottom), told["confidence"])


@dataclass(frozen=True)
class Reading:
    """All lines of a page; `engine` empty: the picture could not be opened."""

    lines: tuple[Line, ...]
    engine: str

    @property
    def confidence(self) -> float:
        """Mean over the characters; 1 for a page without any."""
        letters = sum(len(line.text) for line in self.lines)
        if not letters:
            return 1.0 if self.engine else 0.0
        return round(sum(line.confidence * len(line.text) for line in self.lines) / letters, 4)

    @property
    def text(self) -> str:
        """Rows from top to bottom, parts of one row from left to right."""
        return "\n".join(squeezed(" ".join(line.text for line in row)) for row in rows(self.lines))


def rows(lines: Sequence[Line]) -> list[list[Line]]:
    """Lines that stand beside each other are one row."""
    found: list[list[Line]] = []
    for line in sorted(lines, key=lambda one: (one.box[1] + one.box[3]) / 2):
        middle, last = (line.box[1] + line.box[3]) / 2, found[-1][-1].box if found else None
        if last is not None and last[1] < middle < last[3] and line.box[1] < (last[1] + last[3]) / 2 < line.box[3]:
            found[-1].append(line)
        else:
            found.append([line])
    return [sorted(row, key=lambda one: one.box[0]) for row in found]


def squeezed(text: str) -> str:
    """Without the blanks that stand between Chinese characters: they hide words from a search."""
    return _BETWEEN.sub("", text).strip()
