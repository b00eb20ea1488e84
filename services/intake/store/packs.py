"""Published packs: the projection says which there are, the object store holds their bundles."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextvars import ContextVar
from datetime import date
from typing import TypeVar

from sqlalchemy import Connection, select, text

from services.kit import schema
from services.kit.errors import InvalidInputError, UnavailableError
from services.kit.objects import ObjectStore, sha256_key
from services.kit.procedure.bundle import load_bundle
from services.kit.procedure.model import Pack

TABLE = schema.packs
_VALID = text("select version, sha256, valid_from from packs where pack_id = :pack_id and valid_from <= :on")
Answer = TypeVar("Answer")
_elsewhere: ContextVar[bool] = ContextVar("loads_elsewhere", default=False)


class NotLoadedError(Exception):
    """The bundle is to be loaded first, and no transaction is to wait for the object store meanwhile."""

    def __init__(self, sha256: str) -> None:
        super().__init__(sha256)
        self.sha256 = sha256


class Packs:
    """Shared by all calls of a process; a bundle is immutable, so one loaded pack per hash is kept."""

    def __init__(self, objects: ObjectStore) -> None:
        self.objects = objects
        self._loaded: dict[str, Pack] = {}

    def newest(self, connection: Connection, pack_id: str, on: date) -> Pack:
        """The published version that holds on a day; of two with the same first day the higher version.

        Raises:
            InvalidInputError: none holds on that day.
        """
        rows = connection.execute(_VALID, {"pack_id": pack_id, "on": on}).all()
        if not rows:
            detail = f"没有程序“{pack_id}”，或者其程序包在{on}尚未施行"
            raise InvalidInputError(detail, [{"pointer": "/procedure_id", "detail": detail}])
        return self._load(max(rows, key=lambda row: (row.valid_from, _rank(row.version))).sha256)

    def pinned(self, connection: Connection, pack: tuple[str, str]) -> Pack:
        """The version a case is pinned to.

        Raises:
            UnavailableError: it has not arrived here yet.
        """
        query = select(TABLE.c.sha256).where(TABLE.c.pack_id == pack[0], TABLE.c.version == pack[1])
        if (sha256 := connection.execute(query).scalar()) is None:
            raise UnavailableError(f"程序包 {pack[0]} {pack[1]} 尚未同步到此处，请稍后重试")
        return self._load(sha256)

    def loading_outside(self, answer: Callable[[], Answer]) -> Answer:
        """What `answer` gives; when it needs a bundle that is not loaded its transaction ends and it is asked anew."""
        token = _elsewhere.set(True)
        try:
            while True:
                try:
                    return answer()
                except NotLoadedError as missing:
                    self._loaded[missing.sha256] = load_bundle(self.objects.get(sha256_key(missing.sha256)))
        finally:
            _elsewhere.reset(token)

    def _load(self, sha256: str) -> Pack:
        if sha256 not in self._loaded:
            if _elsewhere.get():
                raise NotLoadedError(sha256)
            self._loaded[sha256] = load_bundle(self.objects.get(sha256_key(sha256)))
        return self._loaded[sha256]


def _rank(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))
