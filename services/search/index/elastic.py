"""Elasticsearch 8: an index for each rebuild, the alias names the one that is searched.

Analysis stays within `standard`, `lowercase` and `shingle`, so that any Elasticsearch 8 will do; the text arrives cut
into words (model/words.py), and both adapters find the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from elastic_transport import TransportError
from elasticsearch import ApiError, Elasticsearch, NotFoundError

from services.kit import clock
from services.kit.errors import UnavailableError
from services.search.index import NoIndexError, Written
from services.search.model.documents import Document
from services.search.model.filters import FACETS, FIELDS, NOTHING, Among, Either, Every, Except, Filter
from services.search.model.query import MOST, Found, Query, Row
from services.search.model.words import Phrase, cut
from services.search.settings import KNOBS

ALIAS = "anjuan-search"
MOST_TERMS = 60_000  # in one condition; the engine's own limit is 65,536
_SCORE = {"number": 2.0, "heading": 1.0, "text": 0.0}
_TIER = {score: tier for tier, score in _SCORE.items()}
_ANALYSIS = {
    "filter": {"pairs": {"type": "shingle", "min_shingle_size": 2, "max_shingle_size": 2, "output_unigrams": False,
                         "token_separator": "_"}},
    "analyzer": {"words": {"type": "custom", "tokenizer": "standard", "filter": ["lowercase"]},
                 "pairs": {"type": "custom", "tokenizer": "standard", "filter": ["lowercase", "pairs"]}},
}  # fmt: skip
_TEXT = {"type": "text", "analyzer": "words", "norms": False, "index_options": "docs",
         "fields": {"pairs": {"type": "text", "analyzer": "pairs", "norms": False}}}  # fmt: skip
_MAPPING: dict[str, Any] = {
    "dynamic": "strict",
    "_source": {"includes": ["document_id", "order", "version", "write", "findable"]},
    "properties": {
        **{name: {"type": "keyword"} for name in (*FIELDS, "document_id")}, "heading": _TEXT, "text": _TEXT,
        "order": {"type": "long"}, "version": {"type": "long"}, "write": {"type": "long"},
        "findable": {"type": "boolean"},
    },
}  # fmt: skip


@contextmanager
def _asking() -> Iterator[None]:
    """The engine's own refusals of what we send are faults of ours and stay as they are."""
    try:
        yield
    except TransportError as error:
        raise UnavailableError("检索引擎没有应答，请稍后重试") from error
    except NotFoundError as error:
        raise NoIndexError from error
    except ApiError as error:
        if error.status_code in (408, 429) or error.status_code >= 500:
            raise UnavailableError("检索引擎暂不可用，请稍后重试") from error
        raise


class ElasticIndex:
    """See Index."""

    def __init__(self, url: str, alias: str = ALIAS) -> None:
        self.url, self.alias = url, alias

    @cached_property
    def client(self) -> Elasticsearch:
        """Connections open at the first call, and anew at the first after close."""
        return Elasticsearch(self.url, request_timeout=KNOBS.call_seconds, max_retries=1, retry_on_timeout=False)

    def current(self) -> str:
        """See Index."""
        with _asking():
            if not self.client.indices.exists_alias(name=self.alias):
                return ""
            return next(iter(self.client.indices.get_alias(name=self.alias)))

    def create(self) -> str:
        """See Index."""
        name = f"{self.alias}-{clock.new_id()}"
        settings = {"analysis": _ANALYSIS, "number_of_shards": 1,
                    "auto_expand_replicas": "0-1", "translog.durability": "request"}  # fmt: skip
        with _asking():
            self.client.indices.create(index=name, mappings=_MAPPING, settings=settings)
        return name

    def write(self, documents: Sequence[Document], name: str = "") -> None:
        """See Index."""
        if not documents:
            return
        lines: list[Mapping[str, Any]] = []
        for document in documents:
            lines.append({"index": {"_id": document.document_id, "version": document.write,
                                    "version_type": "external_gte"}})  # fmt: skip
            lines.append(_source(document))
        with _asking():
            patient = self.client.options(request_timeout=KNOBS.write_seconds)
            # what people search is written when it can be found; one that is being filled is refreshed at its end
            told = patient.bulk(operations=lines, index=name or self.alias, require_alias=not name, refresh=not name)
        _check([item["index"] for item in told["items"]])

    def switch(self, name: str) -> None:
        """See Index."""
        actions: list[dict[str, Any]] = [{"add": {"index": name, "alias": self.alias}}]
        with _asking():
            others = [other for other in self.client.indices.get(index=f"{self.alias}-*") if other != name]
            actions += [{"remove_index": {"index": other}} for other in others]
            self.client.indices.update_aliases(actions=actions)

    def drop(self, name: str) -> None:
        """See Index."""
        with _asking():
            self.client.indices.delete(index=name, ignore_unavailable=True)

    def close(self) -> None:
        """See Index."""
        if "client" in self.__dict__:
            self.client.close()
            del self.client

    def refresh(self, name: str = "") -> None:
        """See Index."""
        with _asking():
            self.client.indices.refresh(index=name or self.alias)

    def search(self, query: Query) -> Found:
        """See Index."""
        told = _body(query)
        with _asking():
            answer = self.client.search(index=self.alias, **told)
        rows = tuple(_row(hit) for hit in answer["hits"]["hits"])
        if not query.counted:
            return Found(rows, 0, {})
        counts = {name: {b["key"]: b["doc_count"] for b in answer["aggregations"][name]["buckets"]} for name in FACETS}
        return Found(rows, answer["hits"]["total"]["value"], counts)

    def entries(self, name: str) -> Iterator[Written]:
        """See Index."""
        after: list[int] | None = None
        while True:
            with _asking():
                answer = self.client.search(index=name, query={"match_all": {}}, size=KNOBS.batch,
                                            sort=[{"order": "asc"}], search_after=after)  # fmt: skip
            hits = answer["hits"]["hits"]
            for hit in hits:
                row, after = hit["_source"], hit["sort"]
                yield Written(row["document_id"], row["version"], row["write"], row["findable"])
            if len(hits) < KNOBS.batch:
                return


def _source(document: Document) -> dict[str, Any]:
    texts = {"heading": document.heading, "text": (*document.heading, *document.text)}
    looked_through = {name: [" ".join(cut(text)) for text in told] for name, told in texts.items()}
    plain = {name: getattr(document, name) for name in ("document_id", "order", "version", "write", "findable")}
    return {**plain, **looked_through, **{name: list(values) for name, values in document.terms.items()}}


def _check(items: Sequence[Mapping[str, Any]]) -> None:
    """Every item is durable, or older than what is there.

    Raises:
        UnavailableError: the engine could not take one now. RuntimeError: it will never take one: a fault of ours.
    """
    for item in items:
        if item["status"] in (200, 201, 409):
            continue
        if item["status"] == 404:
            raise NoIndexError
        if item["status"] == 429 or item["status"] >= 500:
            raise UnavailableError("检索引擎暂不可用，请稍后重试")
        raise RuntimeError(f"{item['_id']}: {item['error']['type']}: {item['error'].get('reason', '')[:300]}")


def _body(query: Query) -> dict[str, Any]:
    """The question: nothing of a document is read but its id and what it is sorted by."""
    order: dict[str, Any] = {"order": "asc" if query.oldest_first else "desc"}
    told: dict[str, Any] = {
        "query": _rendered(query), "size": query.limit, "track_total_hits": query.counted,
        "stored_fields": "_none_", "docvalue_fields": ["document_id"],
        "sort": [{"_score": "desc"}, order] if query.ranked else [order],
    }  # fmt: skip
    if query.after is not None:
        tier, last = query.after
        told["search_after"] = [_SCORE[tier], last] if query.ranked else [last]
    if query.counted:
        size = 10 * KNOBS.longest_facet
        told["aggs"] = {name: {"terms": {"field": name, "size": size}} for name in FACETS}
    return told


def _row(hit: Mapping[str, Any]) -> Row:
    *score, order = hit["sort"]
    return Row(hit["fields"]["document_id"][0], order, _TIER[score[0]] if score else "")


def _rendered(query: Query) -> dict[str, Any]:
    must = [*_parts(query.filter), *(_phrase("text", phrase) for phrase in query.phrases)]
    if (query.since, query.until) != (0, MOST):
        must.append({"range": {"order": {"gte": query.since, "lte": query.until}}})
    if not query.ranked:
        return _every(must)
    heading = _every([_phrase("heading", phrase) for phrase in query.phrases])
    number = [_scored(_filtered(query.number), "number")] if query.number != NOTHING else []
    best = {"dis_max": {"queries": [*number, _scored(heading, "heading")]}}
    return {"bool": {"filter": must, "should": [best]}}


def _scored(part: dict[str, Any], tier: str) -> dict[str, Any]:
    """A constant for the tier, the highest of which is a document's score: nothing depends on other documents."""
    return {"constant_score": {"filter": part, "boost": _SCORE[tier]}}


def _phrase(field: str, phrase: Phrase) -> dict[str, Any]:
    if len(phrase) == 1:
        return {"term": {field: phrase[0]}}
    return {"match_phrase": {f"{field}.pairs": " ".join(phrase)}}


def _filtered(condition: Filter) -> dict[str, Any]:
    match condition:
        case Among(field, (value,)):
            return {"term": {field: value}}
        case Among(field, values):
            parts = [values[at : at + MOST_TERMS] for at in range(0, len(values), MOST_TERMS)]
            told = [{"terms": {field: list(part)}} for part in parts]
            return _either(told)
        case Every():
            return _every(_parts(condition))
        case Either(either):
            return _either([_filtered(part) for part in either])
        case Except(part):
            return {"bool": {"must_not": [_filtered(part)]}}


def _parts(condition: Filter) -> list[dict[str, Any]]:
    """What has to hold, flat: the engine goes through every level of a question several times."""
    if isinstance(condition, Every):
        return [told for part in condition.parts for told in _parts(part)]
    return [_filtered(condition)]


def _every(told: list[dict[str, Any]]) -> dict[str, Any]:
    return {"bool": {"filter": told}} if told else {"match_all": {}}


def _either(told: list[dict[str, Any]]) -> dict[str, Any]:
    if len(told) == 1:
        return told[0]
    return {"bool": {"should": told, "minimum_should_match": 1}} if told else {"match_none": {}}
