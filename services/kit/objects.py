"""The object store: one Protocol, a folder adapter and an S3 adapter; bytes are addressed by key."""

from __future__ import annotations

import filecmp
import hashlib
import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol
from urllib.parse import unquote, urlsplit

from minio import Minio
from minio.commonconfig import COMPLIANCE
from minio.error import MinioException, S3Error
from minio.retention import Retention
from urllib3.exceptions import HTTPError

from services.kit import clock
from services.kit.errors import NotFoundError, RuleRefusedError, UnavailableError

PART = 8 * 1024 * 1024
_GONE = ("NoSuchKey", "NoSuchObject")
# of its 4xx those that pass with time, or that an operator mends
_AWAY = ("SlowDown", "RequestTimeout", "RequestTimeTooSkewed", "OperationAborted", "NoSuchBucket", "AccessDenied",
         "InvalidAccessKeyId", "SignatureDoesNotMatch")  # fmt: skip
_LOCKED = "该文件已锁定，保管期内不得删除或改写：{}"


class ObjectStore(Protocol):
    """Keys are relative POSIX paths. A put is durable when it returns; a key is written once or identically.

    Every method may raise UnavailableError when the store does not answer.
    """

    def put(self, key: str, data: BinaryIO, size: int, media_type: str = "application/octet-stream") -> None: ...
    def get(self, key: str, offset: int = 0, length: int | None = None) -> bytes:
        """Raises NotFoundError for a key that is not there."""
    def size(self, key: str) -> int | None: ...
    def delete(self, key: str) -> None:
        """Raises RuleRefusedError while the object is locked."""
    def lock(self, key: str, until: datetime) -> bool:
        """Forbid removal until then, never for less than before; False where the store can only write-protect."""
    def locked(self, key: str) -> bool:
        """Whether what is there now is locked (a folder: write-protected)."""
    def keys(self, prefix: str) -> Iterator[str]: ...


def sha256_key(digest: str) -> str:
    """The key of content known by its SHA-256 (lowercase hex)."""
    return f"sha256/{digest[:2]}/{digest[2:4]}/{digest}"


def put_bytes(store: ObjectStore, data: bytes, media_type: str = "application/octet-stream") -> str:
    """Store content under its own hash; returns the hash."""
    digest = hashlib.sha256(data).hexdigest()
    key = sha256_key(digest)
    if store.size(key) != len(data):
        store.put(key, io.BytesIO(data), len(data), media_type)
    return digest


def open_store(where: str) -> ObjectStore:
    """`file:///folder`, or `s3://key:secret@host:port/bucket` (s3s for TLS).

    Raises:
        ValueError: another scheme.
    """
    url = urlsplit(where)
    if url.scheme == "file":
        return FolderStore(Path(unquote(url.path)))
    if url.scheme in ("s3", "s3s"):
        client = Minio(
            endpoint=f"{url.hostname}:{url.port or 9000}", access_key=unquote(url.username or ""),
            secret_key=unquote(url.password or ""), secure=url.scheme == "s3s",
        )  # fmt: skip
        return S3Store(client, url.path.strip("/"))
    raise ValueError(f"object store {url.scheme}:// is not known; use file:// or s3://")


class FolderStore:
    """A folder: written beside, fsynced, renamed. It cannot lock, only write-protect; `lock` says so."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def _path(self, key: str) -> Path:
        parts = PurePosixPath(key).parts
        if not parts or key.startswith("/") or any(p in ("..", ".") for p in parts):
            raise ValueError(f"not a key: {key!r}")
        return self.folder.joinpath(*parts)

    def put(self, key: str, data: BinaryIO, size: int, media_type: str = "application/octet-stream") -> None:
        """See ObjectStore."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=".put-")
        written = 0
        try:
            with os.fdopen(descriptor, "wb") as file:
                while piece := data.read(PART):
                    written += file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            if written != size:
                raise ValueError(f"{key}: {written} bytes came, {size} were announced")
            if not self.locked(key):
                Path(beside).replace(path)
            elif not filecmp.cmp(beside, path, shallow=False):
                raise RuleRefusedError(_LOCKED.format(key))
        finally:
            Path(beside).unlink(missing_ok=True)
        self._sync(path.parent)

    def _sync(self, folder: Path) -> None:
        # a new name is durable only when every folder on its way is
        while folder != self.folder.parent:
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            folder = folder.parent

    def get(self, key: str, offset: int = 0, length: int | None = None) -> bytes:
        """See ObjectStore."""
        try:
            with self._path(key).open("rb") as file:
                file.seek(offset)
                return file.read() if length is None else file.read(length)
        except FileNotFoundError as error:
            raise NotFoundError(f"存储中没有该文件：{key}") from error

    def size(self, key: str) -> int | None:
        """Bytes, or None when there is no such key."""
        try:
            return self._path(key).stat().st_size
        except FileNotFoundError:
            return None

    def delete(self, key: str) -> None:
        """See ObjectStore."""
        if self.locked(key):
            raise RuleRefusedError(_LOCKED.format(key))
        self._path(key).unlink(missing_ok=True)

    def lock(self, key: str, until: datetime) -> bool:
        """Write-protected; whoever owns the folder can still remove it: False."""
        try:
            self._path(key).chmod(0o444)
        except FileNotFoundError as error:
            raise NotFoundError(f"存储中没有该文件：{key}") from error
        return False

    def locked(self, key: str) -> bool:
        """See ObjectStore."""
        path = self._path(key)
        return path.exists() and not path.stat().st_mode & 0o222

    def keys(self, prefix: str) -> Iterator[str]:
        """Keys in order that begin with a folder's name."""
        base = self._path(prefix) if prefix else self.folder
        for path in sorted(base.rglob("*")):
            if path.is_file() and not path.name.startswith(".put-"):
                yield path.relative_to(self.folder).as_posix()


@contextmanager
def _asking(key: str = "", removing: bool = False) -> Iterator[None]:
    """What S3 answers, in our words; a request that it will never take is a fault of ours and stays as it is."""
    try:
        yield
    except S3Error as error:
        if error.code in _GONE:
            raise NotFoundError(f"存储中没有该文件：{key}") from error
        worm = error.code == "InvalidRequest" and "WORM" in (error.message or "")  # MinIO's word for a locked object
        if worm or error.code == "ObjectLocked" or (removing and error.code == "AccessDenied"):
            raise RuleRefusedError(_LOCKED.format(key)) from error
        if error.response.status >= 500 or error.response.status in (408, 429) or error.code in _AWAY:
            raise UnavailableError(f"文件存储暂不可用：{error.code}") from error
        raise
    except (MinioException, HTTPError) as error:  # no answer, half an answer, or none of S3's
        raise UnavailableError("文件存储暂不可用，请稍后重试") from error


class S3Store:
    """Any S3 store, plain calls only; locks where the bucket was made with object lock."""

    def __init__(self, client: Minio, bucket: str) -> None:
        self.client, self.bucket = client, bucket
        with _asking():
            if not client.bucket_exists(bucket):
                try:
                    client.make_bucket(bucket, object_lock=True)
                except S3Error as error:  # another process was faster
                    if error.code not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
                        raise

    def put(self, key: str, data: BinaryIO, size: int, media_type: str = "application/octet-stream") -> None:
        """See ObjectStore."""
        with _asking(key):
            self.client.put_object(self.bucket, key, data, size, content_type=media_type, part_size=PART)

    def get(self, key: str, offset: int = 0, length: int | None = None) -> bytes:
        """See ObjectStore."""
        with _asking(key):
            answer = self.client.get_object(self.bucket, key, offset=offset, length=length or 0)
            try:
                return answer.read()
            finally:
                answer.close()
                answer.release_conn()

    def size(self, key: str) -> int | None:
        """Bytes, or None when there is no such key."""
        with suppress(NotFoundError), _asking(key):
            return self.client.stat_object(self.bucket, key).size
        return None

    def delete(self, key: str) -> None:
        """Removes the current version for good."""
        with suppress(NotFoundError), _asking(key, removing=True):
            version = self.client.stat_object(self.bucket, key).version_id
            self.client.remove_object(self.bucket, key, version_id=version)

    def lock(self, key: str, until: datetime) -> bool:
        """COMPLIANCE retention on the current version."""
        with _asking(key):
            version = self.client.stat_object(self.bucket, key).version_id
            if version and not self._locked(key, until):
                self.client.set_object_retention(self.bucket, key, Retention(COMPLIANCE, until), version_id=version)
        return bool(version)

    def locked(self, key: str) -> bool:
        """See ObjectStore."""
        with _asking(key):
            return self._locked(key, clock.now())

    def _locked(self, key: str, until: datetime) -> bool:
        try:
            held = self.client.get_object_retention(self.bucket, key)
        except S3Error as error:
            if "ObjectLockConfiguration" in f"{error.code} {error.message}":  # SeaweedFS: never locked
                return False
            raise
        return held is not None and held.retain_until_date >= until

    def keys(self, prefix: str) -> Iterator[str]:
        """Keys in order that begin with the prefix."""
        with _asking(prefix):
            for found in self.client.list_objects(self.bucket, prefix=prefix, recursive=True):
                yield str(found.object_name)
