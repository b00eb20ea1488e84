"""tantivy in a folder: a sub-folder for each index, the link `current` names the one that is searched.

The process that writes holds tantivy's lock from its first write on; the kernel frees it when the process ends,
however it ends. Readers see each commit at their next search.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import tantivy
from tantivy import Occur, Order  # fmt: skip
from tantivy import Query as Tantivy

from services.kit import clock
from services.kit.errors import UnavailableError
from services.search.index import NoIndexError, Written
from services.search.model.documents import Document
from services.search.model.filters import FACETS, FIELDS, Among, Either, Every, Except, Filter
from services.search.model.query import MOST, TIERS, Found, Query, Row
from services.search.model.words import Phrase, cut, pairs
from services.search.settings import KNOBS

CURRENT, SPACED = "current", "spaced"
LARGEST_ROW = 64


def _schema() -> Any:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("document_id", stored=True, tokenizer_name="raw", index_option="basic")
    for name in FIELDS:
        builder.add_text_field(name, fast=name in FACETS, tokenizer_name="raw", index_option="basic")
    for name in ("heading", "text"):
        builder.add_text_field(name, tokenizer_name=SPACED, index_option="basic")
        builder.add_text_field(f"{name}_pairs", tokenizer_name=SPACED, index_option="position")
    builder.add_unsigned_field("order", stored=True, indexed=True, fast=True)
    builder.add_unsigned_field("write", stored=True)
    builder.add_unsigned_field("version", stored=True)
    builder.add_boolean_field("findable", stored=True)
    return builder.build()


SCHEMA = _schema()


def _opened(folder: Path) -> Any:
    index = tantivy.Index(SCHEMA, path=str(folder))
    index.register_tokenizer(SPACED, tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build())
    return index


class TantivyIndex:
    """See Index."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.RLock()
        self._open: dict[str, Any] = {}
        self._writers: dict[str, Any] = {}

    def current(self) -> str:
        """See Index."""
        link = self.folder / CURRENT
        return link.readlink().name if link.is_dir() else ""

    def create(self) -> str:
        """See Index."""
        name = f"index-{clock.new_id()}"
        (self.folder / name).mkdir(parents=True)
        self._index(name)
        return name

    def _index(self, name: str = "") -> Any:
        name = name or self.current()
        if not name or not (self.folder / name).is_dir():
            raise NoIndexError
        with self._lock:
            if name not in self._open:
                self._open[name] = _opened(self.folder / name)
            return self._open[name]

    def _writer(self, name: str) -> Any:
        with self._lock:
            if name not in self._writers:
                try:
                    self._writers[name] = self._index(name).writer(KNOBS.writer_memory, 1)
                except ValueError as error:  # the lock is another process's
                    raise UnavailableError("检索索引正由另一个进程写入，稍后重试") from error
            return self._writers[name]

    def write(self, documents: Sequence[Document], name: str = "") -> None:
        """See Index."""
        name = name or self.current()
        index = self._index(name)
        writer, known = self._writer(name), self._known(index, [d.document_id for d in documents])
        fresh = [d for d in documents if d.write >= known.get(d.document_id, -1)]
        try:
            for document in {d.document_id: d for d in sorted(fresh, key=lambda d: d.write)}.values():
                writer.delete_documents_by_term("document_id", document.document_id)
                writer.add_document(_stored(document))
            writer.commit()
        except ValueError as error:  # a writer that failed once is of no more use
            with self._lock:
                self._writers.pop(name, None)
            raise UnavailableError(f"检索索引写入失败：{error}") from error

    def _known(self, index: Any, ids: list[str]) -> dict[str, int]:
        index.reload()
        searcher = index.searcher()
        found = searcher.search(Tantivy.term_set_query(SCHEMA, "document_id", ids), max(len(ids), 1), count=False)
        rows = (searcher.doc(address) for _, address in found.hits)
        return {row["document_id"][0]: row["write"][0] for row in rows}

    def switch(self, name: str) -> None:
        """See Index."""
        self._end(name)
        beside = self.folder / f"{CURRENT}.next"
        beside.unlink(missing_ok=True)
        beside.symlink_to(name)
        beside.replace(self.folder / CURRENT)
        for other in self.folder.glob("index-*"):
            if other.name != name:
                self.drop(other.name)

    def _end(self, name: str) -> None:
        with self._lock:
            writer = self._writers.pop(name, None)
            if writer is not None:
                writer.wait_merging_threads()

    def drop(self, name: str) -> None:
        """See Index."""
        self._end(name)
        with self._lock:
            self._open.pop(name, None)
        shutil.rmtree(self.folder / name, ignore_errors=True)

    def close(self) -> None:
        """See Index."""
        for name in list(self._writers):
            self._end(name)
        self._open.clear()

    def refresh(self, name: str = "") -> None:
        """See Index."""
        self._index(name).reload()

    def _searcher(self, name: str = "") -> Any:
        index = self._index(name)
        with suppress(ValueError):  # removed by a switch this very moment: what was open stays readable
            index.reload()
        return index.searcher()

    def search(self, query: Query) -> Found:
        """See Index."""
        with self._lock:  # those of removed indexes are let go
            for name in self._open.keys() - self._writers.keys() - {self.current()}:
                del self._open[name]
        searcher, asked = self._searcher(), _rendered(query)
        rows = tuple(_rows(searcher, asked, query)) if query.limit else ()
        if not query.counted:
            return Found(rows, 0, {})
        facets = _facets(searcher, asked)
        return Found(rows, sum(facets["kind"].values()), facets)  # every document has one kind

    def entries(self, name: str) -> Iterator[Written]:
        """See Index."""
        searcher, after = self._searcher(name), -1
        while True:
            asked = _orders(after + 1, MOST)
            hits = searcher.search(asked, KNOBS.batch, count=False, order_by_field="order", order=Order.Asc).hits
            for order, address in hits:
                row, after = searcher.doc(address), order
                yield Written(row["document_id"][0], row["version"][0], row["write"][0], row["findable"][0])
            if len(hits) < KNOBS.batch:
                return


def _stored(document: Document) -> Any:
    made = tantivy.Document()
    made.add_text("document_id", document.document_id)
    for name, values in document.terms.items():
        for value in values:
            made.add_text(name, value)
    for name, texts in (("heading", document.heading), ("text", (*document.heading, *document.text))):
        for row in map(cut, texts):
            made.add_text(name, " ".join(row))
            made.add_text(f"{name}_pairs", " ".join(pairs(row)))
    for name in ("order", "write", "version"):
        made.add_unsigned(name, getattr(document, name))
    made.add_boolean("findable", document.findable)
    return made


def _rendered(query: Query) -> Any:
    must = [_filtered(query.filter), *(_phrase("text", phrase) for phrase in query.phrases)]
    if (query.since, query.until) != (0, MOST):
        must.append(_orders(query.since, query.until))
    return _all(must)


def _all(parts: Any) -> Any:
    return Tantivy.boolean_query([(Occur.Must, part) for part in parts])


def _phrase(field: str, phrase: Phrase) -> Any:
    if len(phrase) == 1:
        return Tantivy.term_query(SCHEMA, field, phrase[0], "basic")
    row: list[Any] = list(pairs(phrase))
    if len(row) == 1:
        return Tantivy.term_query(SCHEMA, f"{field}_pairs", row[0], "basic")
    return Tantivy.phrase_query(SCHEMA, f"{field}_pairs", row)


def _filtered(condition: Filter) -> Any:
    match condition:
        case Among(field, values):
            return _among(field, values)
        case Every(parts):
            return _all(map(_filtered, parts)) if parts else Tantivy.all_query()
        case Either(parts):
            told = [(Occur.Should, _filtered(part)) for part in parts]
            return Tantivy.boolean_query(told) if told else Tantivy.empty_query()
        case Except(part):
            return Tantivy.boolean_query([(Occur.Must, Tantivy.all_query()), (Occur.MustNot, _filtered(part))])


def _among(field: str, values: Sequence[str]) -> Any:
    if len(values) > LARGEST_ROW:  # a set is one automaton: slow to make, but of any size
        return Tantivy.term_set_query(SCHEMA, field, list(values))
    told = [(Occur.Should, Tantivy.term_query(SCHEMA, field, value, "basic")) for value in values]
    return told[0][1] if len(told) == 1 else Tantivy.boolean_query(told) if told else Tantivy.empty_query()


def _orders(first: int, last: int) -> Any:
    return Tantivy.range_query(SCHEMA, "order", tantivy.FieldType.Unsigned, first, last)


def _rows(searcher: Any, asked: Any, query: Query) -> Iterator[Row]:
    """Rows behind the place of the question, tier by tier."""
    before, last = query.after or ("", None)
    order, left = Order.Asc if query.oldest_first else Order.Desc, query.limit
    for tier in TIERS[TIERS.index(before) if before else 0 :] if query.ranked else ("",):
        parts = [(Occur.Must, asked), *_tier(query, tier)]
        if last is not None and tier == before:
            parts.append((Occur.Must, _orders(last + 1, MOST) if query.oldest_first else _orders(0, last - 1)))
        wanted = Tantivy.boolean_query(parts)
        hits = searcher.search(wanted, left, count=False, order_by_field="order", order=order).hits
        yield from (Row(searcher.doc(address)["document_id"][0], key, tier) for key, address in hits)
        left -= len(hits)
        if not left:
            return


def _tier(query: Query, tier: str) -> list[tuple[Any, Any]]:
    """What sets a tier apart."""
    if not tier:
        return []
    number = _filtered(query.number)
    if tier == "number":
        return [(Occur.Must, number)]
    heading = _all(_phrase("heading", phrase) for phrase in query.phrases)
    return [(Occur.Must if tier == "heading" else Occur.MustNot, heading), (Occur.MustNot, number)]


def _facets(searcher: Any, asked: Any) -> dict[str, dict[str, int]]:
    wanted = {name: {"terms": {"field": name, "size": 10 * KNOBS.longest_facet}} for name in FACETS}
    told = searcher.aggregate(asked, wanted)
    return {name: {b["key"]: b["doc_count"] for b in told[name]["buckets"]} for name in FACETS}
