"""Search through the gateway against the engine's own client, same words, same index, one request at a time.

Ours signs for the caller, keeps to what the caller may see, counts facets, and fetches and marks the texts of a page
of twenty; the raw client asks the engine for twenty ids that hold the phrase. Twenty pages each, in turn.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from services.kit import clock
from services.ops.bench import filing
from services.ops.bench.figures import Figure, quantile, ratio
from services.ops.bench.ground import Ground
from services.ops.bench.load import Request, send
from services.search.model.words import cut, pairs

PHRASE, PAGE = "悬挂营业执照", 20


def measure(ground: Ground) -> list[Figure]:
    """Milliseconds of a page."""
    if not _found(ground):
        filing.file(ground, ground.size(10.0, 2.0))
    ground.settle()
    count, ours, raw = ground.size(200, 20), [], []
    plain = _plain(ground.settings.search)
    for _ in range(ground.runs):
        ours.append(_ours(ground, count))
        raw.append(_timed(plain, count))
    return [
        Figure("a page through the gateway, p50", "ms", tuple(ours), note=f"{_found(ground)} hits in the first body"),
        Figure("the engine's own client, p50", "ms", tuple(raw)),
        ratio("gateway to raw client", ours, raw),
    ]


def _path() -> str:
    return f"/search?text={quote(PHRASE)}&limit={PAGE}"


def _found(ground: Ground) -> int:
    return int(ground.crowd.officers[0].voice.get(_path())["total"])


def _ours(ground: Ground, count: int) -> float:
    asked = cycle([Request(f"/api/v1{_path()}", officer.voice.token()) for officer in ground.crowd.officers])
    outcome = send(ground.platform.address, 1, islice(asked, count))
    if not outcome.rate:
        raise RuntimeError("nothing was answered")
    return 1000 * quantile(outcome.latencies, 0.5)


def _timed(ask: Callable[[], int], count: int) -> float:
    spent = []
    for _ in range(count):
        began = clock.monotonic()
        if not ask():
            raise RuntimeError("the raw client finds nothing")
        spent.append(1000 * (clock.monotonic() - began))
    return quantile(spent, 0.5)


def _plain(where: str) -> Callable[[], int]:
    """The least that the engine's client can do for the phrase."""
    if where.startswith("file:"):
        return _tantivy(Path(unquote(urlsplit(where).path)))
    from elasticsearch import Elasticsearch

    from services.search.index.elastic import ALIAS

    client = Elasticsearch(where)
    query = {"match_phrase": {"heading.pairs": " ".join(cut(PHRASE))}}
    return lambda: len(client.search(index=ALIAS, query=query, size=PAGE, source=False)["hits"]["hits"])


def _tantivy(folder: Path) -> Callable[[], int]:
    import tantivy

    index = tantivy.Index.open(str((folder / "current").resolve()))
    terms: list[str | tuple[int, str]] = list(enumerate(pairs(cut(PHRASE))))
    query = tantivy.Query.phrase_query(index.schema, "heading_pairs", terms)
    return lambda: len(index.searcher().search(query, PAGE).hits)
