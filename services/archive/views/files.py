"""Reading stored bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from anjuan.archive.v1.archive_pb2 import FileChunk, FindFilesAnswer, FindFilesRequest, GetFileRequest, HeldFile
from anjuan.archive.v1.archive_pb2 import UploadSession as Shown
from services.archive.model.uploads import UploadSession
from services.archive.settings import SETTINGS
from services.archive.store import ArchiveUnit
from services.archive.usecases.uploads import unnamed
from services.kit import access
from services.kit.errors import CaseNotKnownError, InvalidInputError, NotFoundError
from services.kit.identity import Actor
from services.kit.objects import ObjectStore, sha256_key


def shown(session: UploadSession) -> Shown:
    """A session as the caller sees it."""
    return Shown(
        upload_id=session.upload_id, size=session.size, offset=session.offset, state=session.state,
        sha256=session.sha256, expires_at=session.expires_at.isoformat(), file_name=session.file_name,
        media_type=session.media_type, reason=session.reason,
    )  # fmt: skip


def get_file(uow: ArchiveUnit, store: ObjectStore, actor: Actor, request: GetFileRequest) -> FileChunk:
    """At most `read_at_once` bytes from an offset; the reading is recorded.

    Raises:
        CaseNotKnownError: the caller may not see the case, or the bytes are not the case's.
        NotFoundError: nothing of the caller's own under this hash.
    """
    with uow:
        _may_read(uow, actor, request)
        unnamed(uow, actor, request.case_id)
        media_type = uow.uploads.media_type(request.sha256)
        uow.record("read_file", request.sha256, case_id=request.case_id,
                   detail={"offset": request.offset, "reason": request.reason})  # fmt: skip
    key = sha256_key(request.sha256)
    size = store.size(key)
    if size is None:
        raise NotFoundError("文件尚未收齐")
    chunk = store.get(key, request.offset, SETTINGS.read_at_once) if request.offset < size else b""
    return FileChunk(chunk=chunk, size=size, media_type=media_type)


def find_files(uow: ArchiveUnit, actor: Actor, request: FindFilesRequest) -> FindFilesAnswer:
    """Which of these files the caller has sent, or, for people who take in files, anybody to their body.

    Of any other nothing is said, not even that it exists: the answer opens no more than naming the hash in a filing
    does (see CaseFiles.is_internal).

    Raises:
        InvalidInputError: too many at once.
    """
    hashes = sorted(set(request.sha256))
    if len(hashes) > SETTINGS.find_at_once:
        raise InvalidInputError(f"一次至多查询{SETTINGS.find_at_once}个文件")
    with uow:
        found = uow.uploads.arrived(hashes, actor.person_id)
        if actor.kind == "staff" and not _own_is_all(found, hashes, actor.body_id) and _works_with_files(uow, actor):
            found = uow.uploads.arrived(hashes, actor.person_id, actor.body_id)
    return FindFilesAnswer(files=[HeldFile(**row._mapping) for row in found])


def _own_is_all(found: Sequence[Row[Any]], hashes: Sequence[str], body_id: str) -> bool:
    return {row.sha256 for row in found if row.stored and row.body_id == body_id} == set(hashes)


def _works_with_files(uow: ArchiveUnit, actor: Actor) -> bool:
    """Whether the post has to do with what is handed in here."""
    return any(access.allowed(uow.connection, actor, deed, body_id=actor.body_id) for deed in ("file", "upload"))


def _may_read(uow: ArchiveUnit, actor: Actor, request: GetFileRequest) -> None:
    case_id, sha256, reason = request.case_id, request.sha256, request.reason
    if not case_id:
        if not uow.uploads.owns(actor.person_id, sha256):
            raise NotFoundError("没有这个文件，或须指明案件")
        return
    # a party reads what is open in the own case, and what it handed in itself also while, or because, that is not
    # accepted; staff need the right to the dossier, an upper tier with its reason
    if actor.kind == "party":
        mine = uow.case_files.handed_in(case_id, sha256, actor.person_id)
        access.require(uow.connection, actor, "view_case", case_id=case_id, filer=mine)
    else:
        access.require(uow.connection, actor, "view_dossier", case_id=case_id, reason=reason)
    is_internal = uow.case_files.is_internal(case_id, sha256)
    if is_internal is None:
        raise CaseNotKnownError("案件中没有这个文件，或无权查看")
    if is_internal:
        access.require(uow.connection, actor, "view_internal", case_id=case_id, reason=reason)
