"""A question to the index, and its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from services.search.model.filters import Among, Every, Filter
from services.search.model.words import Phrase

MOST = (1 << 62) - 1  # above every order
TIERS = ("number", "heading", "text")  # of relevance, the best first


@dataclass(frozen=True)
class Query:
    """Documents with all phrases, within a filter.

    `tier` narrows to those whose number is what was asked (number), those that have all phrases in their heading
    (heading), or the others (text); empty: all. In the order of `order`, from behind `after`.
    """

    phrases: tuple[Phrase, ...]
    filter: Filter
    tier: str = ""
    oldest_first: bool = False
    after: int | None = None
    since: int = 0  # within these orders
    until: int = MOST
    limit: int = 0
    counted: bool = True  # total and facets wanted

    def rows(self, tier: str, after: int | None, limit: int, counted: bool = False) -> Query:
        """Some rows of one tier."""
        return replace(self, tier=tier, after=after, limit=limit, counted=counted)

    @property
    def ahead(self) -> tuple[int, int]:
        """The orders that rows may still have, both ends included."""
        if self.after is None:
            return 0, MOST
        return (self.after + 1, MOST) if self.oldest_first else (0, self.after - 1)

    @property
    def number(self) -> Filter:
        """The case whose number is all that was asked."""
        asked = "".join(word for phrase in self.phrases for word in phrase)
        return Every((Among("kind", ("case",)), Among("number", (asked,))))


@dataclass(frozen=True)
class Row:
    """One found document."""

    document_id: str
    order: int


@dataclass(frozen=True)
class Found:
    """Rows of one page, the number of all documents found, and how many there are for each value of a facet."""

    rows: tuple[Row, ...]
    total: int
    facets: Mapping[str, Mapping[str, int]]

