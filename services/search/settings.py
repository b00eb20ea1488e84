"""The search room's own knobs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SearchSettings:
    """Counts of characters, words and documents; seconds.

    `batch` documents make one write of the index; after one of `busy` or more the next gathers for `gather_seconds`,
    because a write costs the same for one document as for hundreds. `export` rows are asked of an owner at
    once; one call of Rebuild reads exports for about `export_seconds`.
    """

    longest_text: int = 200
    most_words: int = 20
    longest_facet: int = 50
    fragments: int = 3
    around: int = 32  # characters shown on either side of a hit
    batch: int = 500
    busy: int = 20
    gather_seconds: float = 0.3
    export: int = 200
    most_late: int = 5000  # cases behind in the index that one search decides on the cards; above it tells no totals
    export_seconds: float = 5.0
    writer_memory: int = 32_000_000
    call_seconds: float = 8.0  # below the gateway's own patience
    write_seconds: float = 60.0


KNOBS = SearchSettings()
