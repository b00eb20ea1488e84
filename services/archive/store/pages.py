"""Pages and the dossier they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    Text,
    bindparam,
    func,
    insert,
    select,
    text,
    update,
)  # fmt: skip

from services.archive.model.pages import Page
from services.archive.tables import page_readings, pages
from services.kit.errors import NotFoundError

_FIELDS = tuple(Page.__dataclass_fields__)
_PLACE = text("""
    update pages set position = new.position, version = version + 1
    from unnest(:ids, :spots) as new(page_id, position) where pages.page_id = new.page_id""").bindparams(
    bindparam("ids", type_=ARRAY(Text())), bindparam("spots", type_=ARRAY(BigInteger()))
)
STEP = 1024  # between neighbours, so that an insertion seldom moves others


def _read(row: Row[Any]) -> Page:
    return Page(**{name: row._mapping[name] for name in _FIELDS})


class Pages:
    """Pages."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def add(self, new: Sequence[Page]) -> None:
        """Several at once."""
        if new:
            self.connection.execute(insert(pages), [{name: getattr(page, name) for name in _FIELDS} for page in new])

    def get(self, page_id: str) -> Page:
        """Raises NotFoundError."""
        row = self.connection.execute(select(pages).where(pages.c.page_id == page_id)).one_or_none()
        if row is None:
            raise NotFoundError("没有这一页")
        return _read(row)

    def first(self, limit: int | None, *conditions: ColumnElement[bool]) -> list[Page]:
        """At most so many, in the order of the dossier."""
        order = (pages.c.volume, pages.c.seq, pages.c.position, pages.c.page_id)
        query = select(pages).where(*conditions).order_by(*order).limit(limit)
        return [_read(row) for row in self.connection.execute(query)]

    def of_pile(self, pile_id: str) -> list[Page]:
        """As scanned."""
        query = select(pages).where(pages.c.pile_id == pile_id).order_by(pages.c.number)
        return [_read(row) for row in self.connection.execute(query)]

    def of_batch(self, batch_id: str) -> list[Page]:
        """As scanned."""
        query = select(pages).where(pages.c.batch_id == batch_id).order_by(pages.c.number)
        return [_read(row) for row in self.connection.execute(query)]

    def of_content(self, sha256: str, *, locked: bool = False) -> list[Page]:
        """Pages that show this picture."""
        query = select(pages).where(pages.c.sha256 == sha256).order_by(pages.c.page_id)
        return [_read(row) for row in self.connection.execute(query.with_for_update() if locked else query)]

    def put_thumbnails(self, made: dict[str, str]) -> None:
        """Small pictures by content; no new version."""
        for sha256, small in made.items():
            mine = pages.c.sha256 == sha256
            self.connection.execute(update(pages).where(mine).values(thumbnail_sha256=small))

    def of_case(self, case_id: str) -> list[Page]:
        """Everything current, hidden ones too."""
        return self.first(None, pages.c.case_id == case_id, pages.c.state == "current")

    def ever_of_case(self, case_id: str) -> list[Page]:
        """Everything that ever came to it, replaced ones too."""
        return self.first(None, pages.c.case_id == case_id)

    def change(self, page_ids: Iterable[str], **values: Any) -> None:
        """Set columns; versions go up."""
        mine = pages.c.page_id.in_(list(page_ids))
        self.connection.execute(update(pages).where(mine).values(**values, version=pages.c.version + 1))

    def telling(self, page_id: str) -> Page:
        """The page, for another fact about it."""
        mine = update(pages).where(pages.c.page_id == page_id).values(told=pages.c.told + 1)
        return _read(self.connection.execute(mine.returning(pages)).one())

    def read_after(self, after_id: str, limit: int) -> list[tuple[Page, str, float]]:
        """Pages of cases whose text is known, with it and its confidence, by id."""
        read = page_readings.c
        same = (read.sha256 == pages.c.sha256) & (read.turned == pages.c.turned)
        query = select(pages, read.text, read.confidence).join(page_readings, same)
        ours = pages.c.page_id > after_id, pages.c.case_id != "", pages.c.kind != "cover"
        rows = self.connection.execute(query.where(*ours).order_by(pages.c.page_id).limit(limit))
        return [(_read(row), row._mapping["text"], row._mapping["confidence"]) for row in rows]

    def place(self, positions: dict[str, int]) -> None:
        """Positions by page id."""
        values = {"ids": list(positions), "spots": list(positions.values())}
        self.connection.execute(_PLACE, values)

    def last_position(self, case_id: str) -> int:
        """Of the case's last page; 0 without one."""
        query = select(func.coalesce(func.max(pages.c.position), 0)).where(pages.c.case_id == case_id)
        return int(self.connection.execute(query).scalar_one())

    def shown(self, case_id: str) -> int:
        """How many pages the dossier has."""
        query = select(func.count()).where(pages.c.case_id == case_id, pages.c.state == "current", ~pages.c.is_hidden)
        return int(self.connection.execute(query).scalar_one())
