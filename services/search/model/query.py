"""A question to the index, and its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from services.search.model.filters import NOTHING, Among, Every, Filter
from services.search.model.words import Phrase

MOST = (1 << 62) - 1  # above every order
TIERS = ("number", "heading", "text")  # of relevance, the best first
Place = tuple[str, int]  # tier and order of a row


@dataclass(frozen=True)
class Query:
    """Documents with all phrases, within a filter.

    `ranked`: first those whose number is what was asked (number), then those that have all phrases in their heading
    (heading), then the others (text); otherwise the tier of every row is empty. Within a tier in the order of `order`,
    the newest first; from behind the place `after`.
    """

    phrases: tuple[Phrase, ...]
    filter: Filter
    ranked: bool = False
    oldest_first: bool = False
    after: Place | None = None
    since: int = 0  # within these orders
    until: int = MOST
    limit: int = 0
    counted: bool = True  # total and facets wanted

    def behind(self, after: Place | None, limit: int) -> Query:
        """More rows of the same."""
        return replace(self, after=after, limit=limit, counted=False)

    @property
    def number(self) -> Filter:
        """The case whose number is all that was asked, 号 or not; every case number has a year in it."""
        asked = "".join(word for phrase in self.phrases for word in phrase)
        if not any(sign.isdigit() for sign in asked):
            return NOTHING
        written = dict.fromkeys((asked, asked.removesuffix("号") + "号"))
        return Every((Among("kind", ("case",)), Among("number", tuple(written))))


@dataclass(frozen=True)
class Row:
    """One found document."""

    document_id: str
    order: int
    tier: str = ""

    @property
    def place(self) -> Place:
        """Where it stands: what comes after it is behind this."""
        return self.tier, self.order


@dataclass(frozen=True)
class Found:
    """Rows of one page, the number of all documents found, and how many there are for each value of a facet."""

    rows: tuple[Row, ...]
    total: int
    facets: Mapping[str, Mapping[str, int]]

