"""Published packs with their engines, loaded from the object store and kept by hash."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from contextvars import ContextVar
from threading import Lock
from typing import TypeVar

from sqlalchemy import select

from services.kit import schema
from services.kit.errors import NotFoundError, UnavailableError
from services.kit.objects import ObjectStore, sha256_key
from services.kit.procedure import bundle
from services.kit.procedure.engine import Engine
from services.workflow.settings import KNOBS
from services.workflow.store import WorkflowUnit

Answer = TypeVar("Answer")
_elsewhere: ContextVar[bool] = ContextVar("loads_elsewhere", default=False)


class NotLoadedError(Exception):
    """The bundle is to be loaded first, and no transaction is to wait for the object store meanwhile."""

    def __init__(self, sha256: str) -> None:
        super().__init__(sha256)
        self.sha256 = sha256


class Library:
    """Safe to share between threads; a pack never changes under its hash."""

    def __init__(self, objects: ObjectStore) -> None:
        self.objects = objects
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._lock = Lock()

    def engine(self, sha256: str) -> Engine:
        """The engine of a stored bundle; `engine.pack` is the pack.

        Raises:
            UnavailableError: the bundle does not lie in the object store (yet).
        """
        with self._lock:
            if sha256 in self._engines:
                self._engines.move_to_end(sha256)
                return self._engines[sha256]
        if _elsewhere.get():
            raise NotLoadedError(sha256)
        return self._load(sha256)

    def loading_outside(self, answer: Callable[[], Answer]) -> Answer:
        """What `answer` gives; when it needs a bundle that is not loaded its transaction ends and it is asked anew."""
        token = _elsewhere.set(True)
        try:
            while True:
                try:
                    return answer()
                except NotLoadedError as missing:
                    self._load(missing.sha256)
        finally:
            _elsewhere.reset(token)

    def _load(self, sha256: str) -> Engine:
        try:
            engine = Engine(bundle.load_bundle(self.objects.get(sha256_key(sha256))))
        except NotFoundError as error:
            raise UnavailableError(f"程序包 {sha256[:12]} 尚未进入对象存储，稍后重试") from error
        with self._lock:
            self._engines[sha256] = engine
            while len(self._engines) > KNOBS.cached_packs:
                self._engines.popitem(last=False)
        return engine

    def published(self, uow: WorkflowUnit, pack_id: str, version: str) -> Engine:
        """The engine of a published version.

        Raises:
            UnavailableError: it is not (yet) published here.
        """
        if (pack_id, version) not in uow.published:
            packs = schema.packs.c
            query = select(packs.sha256).where(packs.pack_id == pack_id, packs.version == version)
            sha256 = uow.connection.execute(query).scalar()
            if sha256 is None:
                raise UnavailableError(f"程序包 {pack_id} {version} 尚未发布，稍后重试")
            uow.published[pack_id, version] = sha256
        return self.engine(uow.published[pack_id, version])
