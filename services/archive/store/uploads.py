"""Upload sessions with their parts, and which bytes belong to which case."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, case, delete, exists, func, insert, or_, select, text, update

from services.archive.model.uploads import UploadSession
from services.archive.tables import case_files, upload_parts, upload_sessions
from services.kit.errors import NotFoundError

_FIELDS = tuple(UploadSession.__dataclass_fields__)


_LINK = text("""
    insert into case_files (case_id, sha256, name, is_internal, body_id, filed_by, checklist_item)
    values (:case_id, :sha256, :name, :is_internal, :body_id, :filed_by, :checklist_item)
    on conflict (case_id, sha256) do update
        set name = excluded.name, is_internal = case_files.is_internal or excluded.is_internal""")

_ARRIVED = text("""
    select distinct sha256, size, body_id, owner_id = :owner_id as own, state = 'stored' as stored
    from upload_sessions where sha256 = any(:hashes) and state in ('stored', 'assembling')
        and (owner_id = :owner_id or (body_id = :body_id and body_id <> ''))""")


def _session(row: Row[Any]) -> UploadSession:
    return UploadSession(**{name: row._mapping[name] for name in _FIELDS})


class Uploads:
    """Upload sessions and their parts."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def add(self, session: UploadSession) -> None:
        """A new session."""
        self.connection.execute(insert(upload_sessions).values(**{n: getattr(session, n) for n in _FIELDS}))

    def get(self, upload_id: str, *, locked: bool = False) -> UploadSession:
        """One session, its row locked when asked.

        Raises:
            NotFoundError: unknown.
        """
        found = select(upload_sessions).where(upload_sessions.c.upload_id == upload_id)
        row = self.connection.execute(found.with_for_update() if locked else found).one_or_none()
        if row is None:
            raise NotFoundError("没有这个上传，请重新创建")
        return _session(row)

    def change(self, upload_id: str, **values: Any) -> None:
        """Set columns of a session."""
        self.connection.execute(
            update(upload_sessions).where(upload_sessions.c.upload_id == upload_id).values(**values)
        )

    def add_part(self, upload_id: str, offset: int, length: int, object_key: str) -> None:
        """Bytes that are durable in the object store."""
        self.connection.execute(
            insert(upload_parts).values(upload_id=upload_id, offset=offset, length=length, object_key=object_key)
        )

    def part_keys(self, upload_id: str) -> list[str]:
        """Object keys in file order."""
        keys = select(upload_parts.c.object_key).where(upload_parts.c.upload_id == upload_id)
        return list(self.connection.execute(keys.order_by(upload_parts.c.offset)).scalars())

    def drop_parts(self, upload_id: str) -> None:
        """Forget the parts; their objects are removed by the caller afterwards."""
        self.connection.execute(delete(upload_parts).where(upload_parts.c.upload_id == upload_id))

    def expired(self, at: datetime, most: int = 200) -> Sequence[str]:
        """Ids of open sessions past their life, locked, at most so many."""
        table = upload_sessions
        due = select(table.c.upload_id).where(table.c.state == "open", table.c.expires_at < at)
        return self.connection.execute(due.limit(most).with_for_update(skip_locked=True)).scalars().all()

    def of_owner(self, owner_id: str, since: datetime) -> tuple[int, int]:
        """Bytes that this account has announced since then (what ended short: as it came), and its open sessions."""
        table = upload_sessions
        short = table.c.state.in_(("failed", "expired"))
        counted = func.coalesce(func.sum(case((short, table.c.offset), else_=table.c.size)), 0)
        mine = table.c.owner_id == owner_id
        announced = self.connection.execute(select(counted).where(mine, table.c.created_at > since)).scalar_one()
        unfinished = select(func.count()).where(mine, table.c.state == "open")
        return int(announced), int(self.connection.execute(unfinished).scalar_one())

    def came_to(self, sha256: str, body_id: str) -> bool:
        """Whether somebody has uploaded these bytes to this body."""
        table = upload_sessions
        found = select(exists().where(table.c.sha256 == sha256, table.c.body_id == body_id, table.c.state == "stored"))
        return bool(self.connection.execute(found).scalar())

    def owns(self, owner_id: str, sha256: str) -> bool:
        """Whether this caller has uploaded these bytes."""
        table = upload_sessions
        mine = select(table.c.upload_id).where(table.c.owner_id == owner_id, table.c.sha256 == sha256)
        return self.connection.execute(mine.where(table.c.state == "stored").limit(1)).first() is not None

    def arrived(self, hashes: Sequence[str], owner_id: str, body_id: str = "") -> Sequence[Row[Any]]:
        """What the caller has sent whole, or with `body_id` anybody to that body: columns as in HeldFile."""
        asked = {"hashes": list(hashes), "owner_id": owner_id, "body_id": body_id}
        return self.connection.execute(_ARRIVED, asked).all()

    def media_type(self, sha256: str) -> str:
        """What the bytes were announced as."""
        table = upload_sessions
        known = select(table.c.media_type).where(table.c.sha256 == sha256, table.c.state == "stored").limit(1)
        return self.connection.execute(known).scalar() or "application/octet-stream"


class CaseFiles:
    """Which bytes belong to which case."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def put(
        self, case_id: str, sha256: str, name: str, *, is_internal: bool, body_id: str, filed_by: str,
        checklist_item: str = "",
    ) -> None:  # fmt: skip
        """Link; once internal, always internal. Whose body, and who named it, decide whether it may be read."""
        self.connection.execute(_LINK, {
            "case_id": case_id, "sha256": sha256, "name": name, "is_internal": is_internal, "body_id": body_id,
            "filed_by": filed_by, "checklist_item": checklist_item,
        })  # fmt: skip

    def is_internal(self, case_id: str, sha256: str) -> bool | None:
        """None when the bytes do not belong to the case: named in it, and uploaded to its body or by who named them.

        A hash alone opens nothing: it stands in events and audit rows.
        """
        named = (case_files.c.case_id == case_id) & (case_files.c.sha256 == sha256)
        return self.connection.execute(select(case_files.c.is_internal).where(named, _brought())).scalar()

    def handed_in(self, case_id: str, sha256: str, owner_id: str) -> bool:
        """Whether this caller named these bytes in the case, and had uploaded them himself."""
        named = case_files.c.case_id == case_id, case_files.c.sha256 == sha256, case_files.c.filed_by == owner_id
        uploads = upload_sessions.c
        own = uploads.sha256 == sha256, uploads.owner_id == owner_id, uploads.state == "stored"
        return bool(self.connection.execute(select(exists().where(*named) & exists().where(*own))).scalar())

    def brought(self, case_id: str) -> Sequence[Row[Any]]:
        """Every file of the case whose bytes are here."""
        query = select(case_files).where(case_files.c.case_id == case_id, _brought())
        return self.connection.execute(query.order_by(case_files.c.name, case_files.c.sha256)).all()

    def cases_of(self, sha256: str) -> Sequence[str]:
        """Cases that name these bytes."""
        query = select(case_files.c.case_id).where(case_files.c.sha256 == sha256)
        return self.connection.execute(query.order_by(case_files.c.case_id)).scalars().all()


def _brought() -> ColumnElement[bool]:
    uploads = upload_sessions.c
    came = uploads.body_id == case_files.c.body_id, uploads.owner_id == case_files.c.filed_by
    return exists().where(uploads.sha256 == case_files.c.sha256, uploads.state == "stored", or_(*came))
