"""Published packs: the projection says which there are, the object store holds their bundles."""

from __future__ import annotations

from sqlalchemy import Connection, select

from services.kit import schema
from services.kit.errors import NotFoundError, UnavailableError
from services.kit.objects import ObjectStore, sha256_key
from services.kit.procedure.bundle import load_bundle
from services.kit.procedure.model import Pack


class Packs:
    """Shared by all calls of a process; a bundle is immutable, so loaded packs are kept by hash."""

    def __init__(self, objects: ObjectStore) -> None:
        self.objects = objects
        self._loaded: dict[str, Pack] = {}

    def pinned(self, connection: Connection, pack: tuple[str, str]) -> Pack:
        """One published version.

        Raises:
            UnavailableError: it has not arrived here yet.
        """
        table = schema.packs
        query = select(table.c.sha256).where(table.c.pack_id == pack[0], table.c.version == pack[1])
        if (sha256 := connection.execute(query).scalar()) is None:
            raise UnavailableError(f"程序包 {pack[0]} {pack[1]} 尚未同步到此处，请稍后重试")
        if sha256 not in self._loaded:
            try:
                self._loaded[sha256] = load_bundle(self.objects.get(sha256_key(sha256)))
            except NotFoundError as error:
                raise UnavailableError(f"程序包 {pack[0]} {pack[1]} 尚未进入对象存储，请稍后重试") from error
        return self._loaded[sha256]
