"""Every object that a table of this room names, by hash, with what it is."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text


@dataclass(frozen=True)
class Holding:
    """One thing that lies under a hash. `is_locked`: the store itself has locked it with its dossier."""

    sha256: str
    what: str
    name: str
    case_id: str
    case_number: str
    page_id: str
    volume_id: str
    page_number: int
    is_locked: bool


# table, column of the hash, condition, what it is, its name; then case, page, volume, page number, locked
_HELD = (
    ("pages", "sha256", "true", "page", "title || ' 第' || number || '页'", "case_id, page_id, volume_id, page_number",
     "false"),
    ("pages", "thumbnail_sha256", "thumbnail_sha256 not in ('', 'broken')", "thumbnail",
     "title || ' 第' || number || '页'", "case_id, page_id, volume_id, page_number", "false"),
    ("scan_batches", "master_sha256", "state = 'received'", "master", "file_name", "'', '', '', 0", "false"),
    ("upload_sessions", "sha256", "state = 'stored'", "upload", "file_name", "case_id, '', '', 0", "false"),
    ("papers", "sha256", "state <> 'expected'", "paper", "title", "case_id, '', '', 0", "false"),
    ("volumes", "pdf_sha256", "state = 'bound'", "volume", "volume || ' 第' || part || '册'",
     "case_id, '', volume_id, 0", "false"),
    ("dossiers", "manifest_sha256", "state = 'archived'", "manifest", "'归档清单'", "case_id, '', '', 0", "is_locked"),
    ("dossier_objects join dossiers using (dossier_id)", "sha256", "state = 'archived'", "dossier", "'归档卷宗内文件'",
     "case_id, '', '', 0", "is_locked"),
)  # fmt: skip
# each part by its own index, so that a call costs the same however much there is
_NEXT = " union all ".join(
    f"(select distinct {column} as sha256 from {table} where {column} > :after and {condition} "  # noqa: S608
    f"order by {column} limit :limit)" for table, column, condition, *_ in _HELD
)  # fmt: skip
_WHAT = " union all ".join(
    f"select {column}, '{what}', {name}, {places}, {locked} from {table} "  # noqa: S608
    f"where {column} = any(:hashes) and {condition}" for table, column, condition, what, name, places, locked in _HELD
)  # fmt: skip
_NEXT_HASHES = text(f"select distinct sha256 from ({_NEXT}) as held order by sha256 limit :limit")  # noqa: S608
_HOLDINGS = text(
    "select held.*, coalesce(case_card.case_number, '') as case_number "  # noqa: S608 - names of our own tables
    f"from ({_WHAT}) as held (sha256, what, name, case_id, page_id, volume_id, page_number, is_locked) "
    "left join case_card using (case_id) order by sha256, what, case_id, page_id"
)


class Holdings:
    """Reads only."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def after(self, sha256: str, limit: int) -> dict[str, list[Holding]]:
        """The next objects in the order of their hashes, each with everything that lies under it."""
        hashes = list(self.connection.execute(_NEXT_HASHES, {"after": sha256, "limit": limit}).scalars())
        found: dict[str, list[Holding]] = {one: [] for one in hashes}
        for row in self.connection.execute(_HOLDINGS, {"hashes": hashes}):
            found[row.sha256].append(Holding(**row._mapping))
        return found
