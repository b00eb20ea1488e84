"""The index as a port, with two adapters: Elasticsearch, and tantivy in a folder of this machine.

One process writes (the room's worker), any number read. An index has a name; people search the one that `switch` has
made current. tests/test_index.py is the contract that both pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from services.kit.errors import UnavailableError
from services.search.model.documents import Document
from services.search.model.query import Found, Query


class NoIndexError(UnavailableError):
    """There is no index to search: it was never made, or is lost."""

    def __init__(self) -> None:
        super().__init__("检索索引尚未建立或已丢失，请运维人员执行 anjuan rebuild-search")


@dataclass(frozen=True)
class Written:
    """What an index says it holds under an id."""

    document_id: str
    version: int
    write: int
    findable: bool


class Index(Protocol):
    """Every method may raise UnavailableError: the engine does not answer, or (NoIndexError) there is no such index."""

    def current(self) -> str:
        """Name of the one that is searched; empty when none was ever made here."""

    def create(self) -> str:
        """A new, empty one, not searched yet; returns its name."""

    def write(self, documents: Sequence[Document], name: str = "") -> None:
        """Durable when it returns. A document replaces the one of its id unless that has a higher `write`.

        In the current index it can be found, too.
        """

    def switch(self, name: str) -> None:
        """People search this one from now on, at once and whole; the others are removed."""

    def refresh(self, name: str = "") -> None:
        """What was written into an index that is being filled can be found from now on."""

    def search(self, query: Query) -> Found:
        """Rows, total and facets of one moment, in one question to the engine."""

    def entries(self, name: str) -> Iterator[Written]:
        """Everything in it; the caller has refreshed it and writes nothing meanwhile."""

    def drop(self, name: str) -> None:
        """Remove one that is not current."""

    def close(self) -> None:
        """Give up locks and connections; a later call opens them again."""


@lru_cache(maxsize=4)
def open_index(where: str) -> Index:
    """`file:///folder` or `http(s)://host:port`; one for each process.

    Raises:
        ValueError: another scheme.
    """
    url = urlsplit(where)
    if url.scheme == "file":
        from services.search.index.embedded import TantivyIndex

        return TantivyIndex(Path(unquote(url.path)))
    if url.scheme in ("http", "https"):
        from services.search.index.elastic import ElasticIndex

        return ElasticIndex(where)
    raise ValueError(f"search index {url.scheme}:// is not known; use file:// or http://")
