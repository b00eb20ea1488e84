"""Resumable upload, tus 1.0 (creation, checksum, termination, expiration); archive owns sessions and bytes."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import AsyncIterator
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Header, Path, Query, Request, Response
from starlette.requests import ClientDisconnect

from anjuan.archive.v1 import archive_pb2 as pb
from gateway.auth import Caller, SignedIn
from gateway.problems import RESPONSES, require_type
from gateway.routes.shared import PREFIX, Id, IdQuery, Reason
from services.kit.errors import ConflictError, DomainError, InvalidInputError, TooLargeError

router = APIRouter(prefix=PREFIX, tags=["上传"])
LARGEST, CHUNK = 16 * 1024**3, "application/offset+octet-stream"
TUS = {"Tus-Resumable": "1.0.0", "Tus-Version": "1.0.0", "Tus-Extension": "creation,checksum,termination,expiration",
       "Tus-Checksum-Algorithm": "sha256", "Tus-Max-Size": str(LARGEST)}  # fmt: skip
_PAIRS = "filename, filetype, sha256, purpose, body_id, case_id"
PIECE = 4 * 1024 * 1024  # each costs a write to the store and two short transactions
SMALL_PIECE = 1024 * 1024  # the most that an archive of the release before takes at once
_BYTES = {"type": "string", "format": "binary"}
_BODY = {"requestBody": {"required": True, "content": {CHUNK: {"schema": _BYTES}}}}
_FILE: dict[int | str, dict[str, Any]] = {200: {"description": "文件内容", "content": {"*/*": {"schema": _BYTES}}}}
_DIFFERS: dict[int | str, dict[str, Any]] = {460: {**RESPONSES[400], "description": "分块校验不符"}}


class ChecksumError(DomainError):
    """The chunk differs from its Upload-Checksum: send it again."""

    slug, title, http, grpc = "checksum-mismatch", "分块校验不符", 460, "ABORTED"


def _metadata(header: str) -> dict[str, str]:
    """The pairs of Upload-Metadata; raises InvalidInputError for anything else."""
    pairs = {}
    for part in filter(None, header.split(",")):
        name, _, value = part.strip().partition(" ")
        try:
            pairs[name] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise InvalidInputError(f"Upload-Metadata 中 {name[:40]} 不是 base64 编码的 UTF-8") from error
    return pairs


def _told(session: pb.UploadSession, status: int) -> Response:
    headers = TUS | {
        "Upload-Offset": str(session.offset), "Upload-Length": str(session.size), "Upload-Expires": session.expires_at,
        "Anjuan-Upload-State": session.state, "Location": f"{PREFIX}/uploads/{session.upload_id}",
    }  # fmt: skip
    if session.reason:  # Chinese, and a header is ASCII
        headers["Anjuan-Upload-Reason"] = quote(session.reason)
    return Response(status_code=status, headers=headers)


@router.options("/uploads", status_code=204, summary="上传能力")
async def capabilities() -> Response:
    """What this server can of tus."""
    return Response(status_code=204, headers=TUS)


@router.post("/uploads", status_code=201, summary="创建上传", response_class=Response)
async def create(
    caller: SignedIn,
    upload_length: Annotated[int, Header(ge=1, le=LARGEST)],
    upload_metadata: Annotated[str, Header(max_length=4000, description=_PAIRS)] = "",
) -> Response:  # fmt: skip
    """Announce a file by size and SHA-256; any process continues it."""
    told = _metadata(upload_metadata)
    asked = pb.OpenUploadRequest(
        size=upload_length, sha256=told.get("sha256", ""), file_name=told.get("filename", ""),
        media_type=told.get("filetype", ""), purpose=told.get("purpose", "material"),
        body_id=told.get("body_id", ""), case_id=told.get("case_id", ""),
    )  # fmt: skip
    return _told(await caller.ask("archive", "OpenUpload", asked), 201)


@router.head("/uploads/{upload_id}", status_code=200, summary="上传进度", response_class=Response)
async def progress(upload_id: Id, caller: SignedIn) -> Response:
    """How many bytes are durable."""
    return _told(await caller.ask("archive", "GetUpload", pb.GetUploadRequest(upload_id=upload_id)), 200)


def _checksum(header: str, chunk: bytes) -> None:
    if not header:
        return
    algorithm, _, value = header.partition(" ")
    if algorithm != "sha256":
        raise InvalidInputError("Upload-Checksum 仅支持 sha256")
    if base64.b64encode(hashlib.sha256(chunk).digest()).decode() != value:
        raise ChecksumError("分块内容与 Upload-Checksum 不符，请重发该分块")


async def _append(caller: Caller, upload_id: str, offset: int, piece: bytes) -> pb.UploadSession:
    """One piece; what an archive of the release before finds too large goes in small ones."""
    try:
        return await _append_one(caller, upload_id, offset, piece)
    except TooLargeError:
        told: pb.UploadSession = await caller.ask("archive", "GetUpload", pb.GetUploadRequest(upload_id=upload_id))
        if len(piece) <= SMALL_PIECE or offset + len(piece) > told.size:
            raise
    for at in range(0, len(piece), SMALL_PIECE):
        told = await _append_one(caller, upload_id, offset + at, piece[at : at + SMALL_PIECE])
    return told


async def _append_one(caller: Caller, upload_id: str, offset: int, piece: bytes) -> pb.UploadSession:
    asked = pb.AppendRequest(upload_id=upload_id, offset=offset, chunk=piece)
    session: pb.UploadSession = await caller.ask("archive", "Append", asked, seconds=60)
    return session


@router.patch("/uploads/{upload_id}", status_code=204, summary="续传", openapi_extra=_BODY, responses=_DIFFERS)
async def append(
    upload_id: Id, request: Request, caller: SignedIn, upload_offset: Annotated[int, Header(ge=0, le=LARGEST)],
    upload_checksum: Annotated[str, Header(max_length=200)] = "",
) -> Response:  # fmt: skip
    """Bytes from Upload-Offset on; what has arrived when a line is cut stays."""
    require_type(request, CHUNK)
    if upload_checksum:
        chunk = await _held(request)
        _checksum(upload_checksum, chunk)
        return await _send(caller, upload_id, upload_offset, _Held(chunk))
    return await _send(caller, upload_id, upload_offset, request)


async def _held(request: Request) -> bytes:
    """A whole chunk; raises TooLargeError also when its length was not announced."""
    chunk = bytearray()
    async for part in request.stream():
        chunk += part
        if len(chunk) > request.app.state.settings.largest_chunk:
            raise TooLargeError("请求内容过大，请分次提交或使用断点上传")
    return bytes(chunk)


class _Held:
    """A whole chunk in memory, read like a stream."""

    def __init__(self, chunk: bytes) -> None:
        self.chunk = chunk

    async def stream(self) -> AsyncIterator[bytes]:
        """The one piece."""
        yield self.chunk


async def _send(caller: Caller, upload_id: str, offset: int, source: Request | _Held) -> Response:
    buffer, session = bytearray(), None
    try:
        async for part in source.stream():
            buffer += part
            while len(buffer) >= PIECE:
                session = await _append(caller, upload_id, offset, bytes(buffer[:PIECE]))
                del buffer[:PIECE]
                offset = session.offset
    except ClientDisconnect:
        if buffer:
            await _append(caller, upload_id, offset, bytes(buffer))
        raise
    if buffer or session is None:
        if not buffer:
            raise ConflictError("分块为空，请从 Upload-Offset 起继续上传")
        session = await _append(caller, upload_id, offset, bytes(buffer))
    return _told(session, 204)


@router.delete("/uploads/{upload_id}", status_code=204, summary="取消上传")
async def cancel(upload_id: Id, caller: SignedIn) -> Response:
    """Give an unfinished upload up."""
    await caller.ask("archive", "CancelUpload", pb.CancelUploadRequest(upload_id=upload_id))
    return Response(status_code=204, headers=TUS)


@router.get("/files/{sha256}", summary="下载文件", responses=_FILE, response_class=Response)
async def get_file(
    sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$")], caller: SignedIn, case_id: IdQuery = "",
    offset: Annotated[int, Query(ge=0, le=LARGEST)] = 0, reason: Reason = "",
) -> Response:  # fmt: skip
    """A stored file, as far as the caller may see its case; at most 8 MiB from offset."""
    asked = pb.GetFileRequest(sha256=sha256, case_id=case_id, offset=offset, reason=reason)
    part = await caller.ask("archive", "GetFile", asked)
    headers = {"Content-Disposition": "attachment", "Anjuan-File-Size": str(part.size)}
    return Response(part.chunk, media_type=part.media_type or "application/octet-stream", headers=headers)
