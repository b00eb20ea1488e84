"""Text as words, the same for both engines: each Chinese character, each run of Latin letters, each run of digits.

A phrase is a row of words; what stands between them (punctuation, blanks, line ends) does not count, so that an OCR
line end or a half-width comma hides nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

from services.kit.errors import InvalidInputError
from services.search.settings import KNOBS

BEFORE, AFTER = "\u0002", "\u0003"
MOST_SIGNS = 65_536  # of which the folded form is kept
# letters and digits apart: a plate is written 粤A·12345 and 粤A12345
_WORD = re.compile(r"[0-9]{1,64}|[a-z]{1,64}|[^\W_0-9a-z]")
_LONG = re.compile(r"[0-9]{64}(?=[0-9])|[a-z]{64}(?=[a-z])")
_BETWEEN = r"[\W_]*"  # the words of a row
_DIGITS = re.compile(r"[0-9]")
_QUOTES = str.maketrans(dict.fromkeys("“”„‟＂「」『』", '"'))
_NOUGHT = dict.fromkeys("○◯", "〇")  # 二○二五 is meant as 二〇二五
_MARKS = str.maketrans({BEFORE: None, AFTER: None})
Phrase = tuple[str, ...]


class _Folds(dict[int, str]):
    """Sign by sign: full width becomes half width, capitals small, compatibility forms plain."""

    def __missing__(self, code: int) -> str:
        folded = _NOUGHT.get(chr(code)) or unicodedata.normalize("NFKC", chr(code)).lower()
        if unicodedata.category(chr(code)) == "No" and not folded.isascii():
            folded = _digits(folded)
        if _DIGITS.search(folded) and unicodedata.category(chr(code)) != "Nd":
            folded = f" {folded} "  # ①2024 is no 12024
        if len(self) < MOST_SIGNS:
            self[code] = folded
        return folded


def _digits(sign: str) -> str:
    """❶ is a 1, as ① is."""
    worth = unicodedata.numeric(sign, 0.5) if len(sign) == 1 else 0.5
    return str(int(worth)) if worth.is_integer() else sign


_FOLDS = _Folds()


def cut(text: str) -> Phrase:
    """The words of a text, in order."""
    return tuple(_WORD.findall(text.translate(_FOLDS)))


def _folded(text: str) -> tuple[str, Sequence[int]]:
    """A text with its words folded and apart, and for each sign of it the place in the text as written."""
    whole = text.translate(_FOLDS)
    if len(whole) == len(text) and not _LONG.search(whole):
        return whole, range(len(whole))
    origin = [place for place, sign in enumerate(text) for _ in _FOLDS[ord(sign)]]
    for long in reversed([*_LONG.finditer(whole)]):
        whole = f"{whole[: long.end()]} {whole[long.end() :]}"
        origin.insert(long.end(), 0)
    return whole, origin


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


@lru_cache(maxsize=1024)
def _standing(phrase: Phrase) -> re.Pattern[str]:
    """Every place of a folded text where the phrase stands, those that overlap among them."""
    first, *rest = map(_whole, phrase)
    return re.compile(rf"{first}(?=({''.join(_BETWEEN + word for word in rest)}))")  # begins as a search likes best


def _whole(word: str) -> str:
    """A pattern of the word, not of a part of a longer one."""
    run = "0-9" if word.isdecimal() else "a-z"
    return rf"(?<![{run}]){word}(?![{run}])" if word.isascii() else word


def spans(text: str, asked: Iterable[Phrase]) -> list[tuple[int, int]]:
    """Where the phrases stand in a text, merged where they touch."""
    whole, origin = _folded(text)
    hits = sorted((origin[found.start()], origin[found.end(1) - 1] + 1)
                  for phrase in asked for found in _standing(phrase).finditer(whole))  # fmt: skip
    merged: list[tuple[int, int]] = []
    for start, end in hits:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def highlights(text: str, asked: Sequence[Phrase], most: int = KNOBS.fragments) -> list[str]:
    """Up to `most` pieces of a text around what was asked for, each hit between BEFORE and AFTER."""
    text = text.translate(_MARKS) if BEFORE in text or AFTER in text else text
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
