"""Upload sessions that any process continues."""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from anjuan.archive.v1.archive_pb2 import OpenUploadRequest
from anjuan.archive.v1.events_pb2 import UploadStored
from services.archive.model.uploads import (
    UploadSession,
    allowance,
    check_allowance,
    check_announced,
    check_append,
    looks_like,
)
from services.archive.settings import SETTINGS
from services.archive.store import ArchiveUnit
from services.archive.usecases.batches import brought
from services.archive.usecases.contents import keep
from services.archive.usecases.papers import MATERIALS
from services.archive.usecases.reading import AHEAD
from services.kit import access, clock, jobs
from services.kit.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError
from services.kit.events import Event
from services.kit.identity import Actor
from services.kit.objects import ObjectStore
from services.kit.run import Host

ASSEMBLE = "assemble_upload"
REPORTER = "reporter"  # in whose name intake tells of a report; source material, never open to a party
# In whose name bytes of a party come that belong to no case yet: it may turn out to have been a reporter, and what
# is on the record or on the bus can never be taken back. Whose session it is stands in its row alone.
UPLOADER = Actor(kind="party", person_id="uploader", name="上传人")


def open_upload(uow: ArchiveUnit, actor: Actor, request: OpenUploadRequest) -> UploadSession:
    """Announce a file.

    Raises:
        InvalidInputError, TooLargeError: by check_announced.
        RateLimitedError: the account's allowance is used up.
        NotAllowedError, CaseNotKnownError: the caller may not upload for this body or case.
    """
    limit = allowance(actor.kind)
    check_announced(request.size, request.sha256, request.media_type, request.purpose, limit.largest_file)
    body_id = request.body_id or actor.body_id
    if not body_id:
        raise InvalidInputError("请指明接收机构", [{"pointer": "/body_id", "detail": "必填"}])
    session = UploadSession(
        upload_id=clock.new_id(), owner_id=actor.person_id, body_id=body_id, case_id=request.case_id,
        size=request.size, offset=0, sha256=request.sha256, file_name=request.file_name[:255],
        media_type=request.media_type, purpose=request.purpose, state="open", reason="",
        expires_at=clock.now() + SETTINGS.session_life,
    )  # fmt: skip
    with uow:
        _may_upload(uow, actor, session)
        unnamed(uow, actor, session.case_id)
        now = uow.uploads.of_owner(session.owner_id, clock.now() - timedelta(days=1))
        check_allowance(limit, session.size, *now)
        uow.uploads.add(session)
        uow.record("open_upload", session.upload_id, case_id=request.case_id, body_id=body_id,
                   detail={"sha256": session.sha256, "size": session.size})  # fmt: skip
    return session


def _may_upload(uow: ArchiveUnit, actor: Actor, session: UploadSession) -> None:
    """A party hands in materials where it may file, and to an accepted case of its own; others as their post allows."""
    is_party = actor.kind == "party"
    if is_party and session.purpose != "material":
        raise NotAllowedError("当事人只能上传材料，不能上传扫描批次")
    access.require(uow.connection, actor, "file" if is_party else "upload", body_id=session.body_id)
    if session.case_id:
        access.require(uow.connection, actor, "view_case" if is_party else "upload", case_id=session.case_id)
        if uow.cases.get(session.case_id).body_id != session.body_id:
            raise InvalidInputError("案件不在该机关", [{"pointer": "/case_id", "detail": "与 body_id 不符"}])


def unnamed(uow: ArchiveUnit, actor: Actor, case_id: str) -> None:
    """From here on nothing that is recorded or told names a party that has no case."""
    if actor.kind == "party" and not case_id:
        uow.acting(UPLOADER)


def _mine(session: UploadSession, actor: Actor) -> None:
    if session.owner_id != actor.person_id:
        raise NotFoundError("没有这个上传，请重新创建")


def get_upload(uow: ArchiveUnit, actor: Actor, upload_id: str) -> UploadSession:
    """The caller's own session; another's is NotFoundError."""
    with uow:
        session = uow.uploads.get(upload_id)
    _mine(session, actor)
    return session


def append(
    uow: ArchiveUnit, store: ObjectStore, actor: Actor, upload_id: str, offset: int, chunk: bytes
) -> UploadSession:
    """Take the next bytes: durable in the store first, then counted; the last ones start the assembly.

    Raises:
        ConflictError: another offset (its `offset` says where to go on), or a session that is closed.
    """
    session = get_upload(uow, actor, upload_id)
    unnamed(uow, actor, session.case_id)
    check_append(session, offset, len(chunk))
    if not chunk:
        raise InvalidInputError("没有内容可写入")
    if len(chunk) == session.size:
        return _whole(uow, store, session, chunk)
    key = f"uploads/{upload_id}/{offset:016d}-{hashlib.sha256(chunk).hexdigest()[:16]}"
    store.put(key, io.BytesIO(chunk), len(chunk))
    with uow:
        session = uow.uploads.get(upload_id, locked=True)
        check_append(session, offset, len(chunk))
        uow.uploads.add_part(upload_id, offset, len(chunk), key)
        complete = offset + len(chunk) == session.size
        uow.uploads.change(upload_id, offset=offset + len(chunk), state="assembling" if complete else "open")
        if complete:
            jobs.add(uow, ASSEMBLE, {"upload_id": upload_id}, run_at=clock.now() - AHEAD)
        return uow.uploads.get(upload_id)


def _whole(uow: ArchiveUnit, store: ObjectStore, session: UploadSession, chunk: bytes) -> UploadSession:
    """A file that came in one piece needs no assembly."""
    reason = _fault(session, hashlib.sha256(chunk).hexdigest(), chunk[:16])
    if not reason:
        keep(store, session.sha256, io.BytesIO(chunk), session.size, session.media_type)
    with uow:
        check_append(uow.uploads.get(session.upload_id, locked=True), 0, len(chunk))
        uow.uploads.change(session.upload_id, offset=session.size)
        _end(uow, session, reason)
        return uow.uploads.get(session.upload_id)


def _end(uow: ArchiveUnit, session: UploadSession, reason: str) -> None:
    """Stored, or failed for a reason."""
    _close(uow, session.upload_id, "failed" if reason else "stored", reason)
    if not reason:
        _tell_stored(uow, session)
        if session.purpose == "scan_batch":
            brought(uow, session.owner_id, session.sha256)
        for case_id in uow.case_files.cases_of(session.sha256):
            jobs.add(uow, MATERIALS, {"case_id": case_id}, run_at=clock.now() - AHEAD)


def cancel_upload(uow: ArchiveUnit, store: ObjectStore, actor: Actor, upload_id: str) -> UploadSession:
    """Give up an unfinished session.

    Raises:
        ConflictError: its bytes are already whole.
    """
    with uow:
        session = uow.uploads.get(upload_id, locked=True)
        _mine(session, actor)
        unnamed(uow, actor, session.case_id)
        if session.state in ("assembling", "stored"):
            raise ConflictError("文件已收齐，不能取消")
        _close(uow, upload_id, "expired", "上传人已取消")
    _remove_parts(store, upload_id)
    return get_upload(uow, actor, upload_id)


def _close(uow: ArchiveUnit, upload_id: str, state: str, reason: str) -> None:
    uow.uploads.change(upload_id, state=state, reason=reason)
    uow.uploads.drop_parts(upload_id)
    uow.record("close_upload", upload_id, detail={"state": state, "reason": reason})


def _remove_parts(store: ObjectStore, upload_id: str) -> None:
    for key in list(store.keys(f"uploads/{upload_id}")):
        store.delete(key)


def assemble(host: Host, payload: Mapping[str, Any]) -> None:
    """Job: join the parts, compare with the announced hash, keep the bytes under it. Safe to run twice."""
    upload_id, uow = str(payload["upload_id"]), host.begin_as_system(ASSEMBLE)
    with uow:
        session, keys = uow.uploads.get(upload_id), uow.uploads.part_keys(upload_id)
    if session.state != "assembling":
        return
    reason = _join(host.objects, session, keys)
    with uow:
        if uow.uploads.get(upload_id, locked=True).state != "assembling":
            return
        _end(uow, session, reason)
    _remove_parts(host.objects, upload_id)


def _join(store: ObjectStore, session: UploadSession, keys: list[str]) -> str:
    """The reason why the bytes are refused, or an empty text after they are stored."""
    digest = hashlib.sha256()
    with tempfile.TemporaryFile() as whole:
        for key in keys:
            part = store.get(key)
            digest.update(part)
            whole.write(part)
        whole.seek(0)
        if reason := _fault(session, digest.hexdigest(), whole.read(16)):
            return reason
        whole.seek(0)
        keep(store, session.sha256, whole, session.size, session.media_type)
    return ""


def _fault(session: UploadSession, sha256: str, head: bytes) -> str:
    if sha256 != session.sha256:
        return "文件内容与声明的 SHA-256 不符，请重新上传"
    if not looks_like(session.media_type, head):
        return f"文件内容不是 {session.media_type}，请检查后重新上传"
    return ""


def _tell_stored(uow: ArchiveUnit, session: UploadSession) -> None:
    stored = UploadStored(
        upload_id=session.upload_id, sha256=session.sha256, size=session.size, media_type=session.media_type,
        purpose=session.purpose,
    )  # fmt: skip
    uow.emit(stored, stream=session.upload_id, body_id=session.body_id)


def expire_uploads(uow: ArchiveUnit, root_id: str | None) -> None:
    """Tick: sessions past their life, by wall time; bytes of theirs go with the next scrub of the store."""
    if root_id is None:
        with uow:
            for upload_id in uow.uploads.expired(clock.now()):
                _close(uow, upload_id, "expired", "超过保留期限未完成上传")


def link_materials(uow: ArchiveUnit, event: Event) -> None:
    """The materials of a filing belong to its case.

    What a party names, the party must have uploaded: that others gave it to the same body opens nothing.
    """
    by_party = event.actor.kind == "party" and event.actor.person_id != REPORTER
    body_id = "" if by_party else event.body_id
    for material in event.data.filing.materials:
        if material.sha256:
            uow.case_files.put(
                event.case_id, material.sha256, material.name, is_internal=material.internal, body_id=body_id,
                filed_by=event.actor.person_id, checklist_item=material.checklist_item,
            )  # fmt: skip


def link_reply(uow: ArchiveUnit, event: Event) -> None:
    """A superior's paper answer belongs to the case that asked."""
    if event.data.scan_sha256:
        uow.case_files.put(event.case_id, event.data.scan_sha256, f"批复 {event.data.number}", is_internal=True,
                           body_id=event.body_id, filed_by=event.actor.person_id)  # fmt: skip
