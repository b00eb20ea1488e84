"""Text as words, the same for both engines: each Chinese character, each run of Latin letters or digits.

A phrase is a row of words; what stands between them (punctuation, blanks, line ends) does not count, so that an OCR
line end or a half-width comma hides nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from services.kit.errors import InvalidInputError
from services.search.settings import KNOBS

BEFORE, AFTER = "\u0002", "\u0003"
_WORD = re.compile(r"[0-9a-z]{1,64}|[^\W_0-9a-z]")
_QUOTES = str.maketrans(dict.fromkeys("“”„‟＂「」『』", '"'))
_MARKS = str.maketrans({BEFORE: None, AFTER: None})
Phrase = tuple[str, ...]


@dataclass(frozen=True)
class Word:
    """A folded word and where it stands in the text as written."""

    text: str
    start: int
    end: int


@lru_cache(maxsize=65536)
def _folded(sign: str) -> str:
    """Full width becomes half width, capitals small, compatibility forms plain."""
    return unicodedata.normalize("NFKC", sign).lower()


def words(text: str) -> list[Word]:
    """Every word of a text, in order."""
    folded = [_folded(sign) for sign in text]
    whole = "".join(folded)
    if len(whole) == len(text):
        return [Word(m.group(), m.start(), m.end()) for m in _WORD.finditer(whole)]
    origin = [place for place, signs in enumerate(folded) for _ in signs]
    return [Word(m.group(), origin[m.start()], origin[m.end() - 1] + 1) for m in _WORD.finditer(whole)]


def cut(text: str) -> Phrase:
    """The words alone."""
    return tuple(word.text for word in words(text))


def number_key(text: str) -> str:
    """A case number without brackets, blanks and width: what the exact match compares."""
    return "".join(cut(text))


def pairs(row: Sequence[str]) -> Iterator[str]:
    """Neighbouring words, two by two; a phrase of two or more words is a row of these."""
    return (f"{one}_{other}" for one, other in pairwise(row))


def phrases(text: str) -> tuple[Phrase, ...]:
    """What is asked for: words at blanks, "…" whole; every one must be found.

    Raises:
        InvalidInputError: too long, a quotation mark too few, or nothing in it that can be looked for.
    """
    if len(text) > KNOBS.longest_text:
        raise _wrong(f"检索词过长，请控制在 {KNOBS.longest_text} 字以内")
    parts = text.translate(_QUOTES).split('"')
    if len(parts) % 2 == 0:
        raise _wrong("引号没有成对：精确检索请写成 \"……\"，不需要时请删去引号")
    asked = [piece for place, part in enumerate(parts) for piece in ([part] if place % 2 else part.split())]
    found = tuple(dict.fromkeys(phrase for phrase in map(cut, asked) if phrase))
    if not found:
        raise _wrong("请输入要检索的字、词或案号")
    if len(found) > KNOBS.most_words:
        raise _wrong(f"检索词过多，请控制在 {KNOBS.most_words} 个以内")
    return found


def _wrong(detail: str) -> InvalidInputError:
    return InvalidInputError(detail, [{"pointer": "query:text", "detail": detail}])


def spans(text: str, asked: Iterable[Phrase]) -> list[tuple[int, int]]:
    """Where the phrases stand in a text, merged where they touch."""
    found = words(text)
    row = [word.text for word in found]
    hits = sorted(
        (found[at].start, found[at + len(phrase) - 1].end)
        for phrase in asked
        for at in range(len(row) - len(phrase) + 1)
        if row[at] == phrase[0] and tuple(row[at : at + len(phrase)]) == phrase
    )
    merged: list[tuple[int, int]] = []
    for start, end in hits:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def highlights(text: str, asked: Sequence[Phrase], most: int = KNOBS.fragments) -> list[str]:
    """Up to `most` pieces of a text around what was asked for, each hit between BEFORE and AFTER."""
    text = text.translate(_MARKS)
    pieces: list[str] = []
    rest = [_bracketed(text, *span) for span in spans(text, asked)]
    while rest and len(pieces) < most:
        first, until = max(0, rest[0][0] - KNOBS.around), rest[0][0] + 3 * KNOBS.around
        inside = [span for span in rest if span[1] <= until] or rest[:1]
        rest = rest[len(inside) :]
        pieces.append(_piece(text, first, min(len(text), inside[-1][1] + KNOBS.around), inside))
    return pieces


PAIRS = dict(zip("（(〔[［【《〈“", "）)〕]］】》〉”", strict=True))


def _bracketed(text: str, start: int, end: int) -> tuple[int, int]:
    """With the bracket at either end whose other half is in it: brackets are no words, but a mark splits no pair."""
    opened: list[str] = []
    closed: list[str] = []  # halves that the place itself lacks
    for sign in text[start:end]:
        if sign in PAIRS:
            opened.append(PAIRS[sign])
        elif opened and sign == opened[-1]:
            opened.pop()
        elif sign in PAIRS.values():
            closed.append(sign)
    for sign in closed:
        start -= start > 0 and PAIRS.get(text[start - 1]) == sign
    for sign in reversed(opened):
        end += text[end : end + 1] == sign
    return start, end


def _piece(text: str, first: int, last: int, inside: Sequence[tuple[int, int]]) -> str:
    told, at = [], first
    for start, end in inside:
        told += [text[at:start], BEFORE, text[start:end], AFTER]
        at = end
    told.append(text[at:last])
    whole = re.sub(r"\s+", " ", "".join(told)).strip(" ")
    return ("…" if first else "") + whole + ("…" if last < len(text) else "")
