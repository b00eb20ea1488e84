"""Instruments: drafts, their docx versions, signatures, the sealed PDF, and serving with proof."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from anjuan.documents.v1 import documents_pb2 as pb
from gateway.auth import IfMatch, SignedIn
from gateway.routes.shared import PREFIX, Body, Cursor, Day, Id, IdQuery, Json, Limit, Sha256, Words, reply
from gateway.shapes import answer, parse
from services.kit.errors import InvalidInputError, TooLargeError

router = APIRouter(prefix=PREFIX, tags=["文书"])
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
LARGEST = 10 * 1024 * 1024
State = Literal["", "draft", "approved", "issuing", "issued"]
Method = Literal["", "personal", "electronic", "postal", "leaving", "entrusted", "publication"]
_BYTES = {"type": "string", "format": "binary"}
_UPLOAD = {"requestBody": {"required": True, "content": {DOCX: {"schema": _BYTES}}}}
_KINDS = {kind: {"schema": _BYTES} for kind in ("application/pdf", DOCX)}
_DOWNLOAD: dict[int | str, dict[str, Any]] = {200: {"description": "文件内容", "content": _KINDS}}


class NewInstrument(Body):
    """Which instrument of the case's procedure, and what is to stand in it."""

    instrument: Annotated[str, Field(min_length=1, max_length=60, pattern="^[a-z][a-z0-9-]*$")]
    fields: Json = {}


class Approval(Body):
    """What the signer has read, by the hash of the docx."""

    sha256: Sha256


class ServingProof(Body):
    """Days and papers of one serving; the law fixes the day on which it counts."""

    served_on: Day | Literal[""] = ""
    left_on: Day | Literal[""] = ""
    method: Method = ""
    proof_sha256: Sha256 | Literal[""] = ""
    consent_sha256: Sha256 | Literal[""] = ""
    note: Words = ""
    failed: bool = False


@router.get("/instruments", response_model=answer(pb.ListInstrumentsAnswer), summary="文书列表")
async def list_instruments(
    caller: SignedIn, case_id: IdQuery = "", state: Annotated[State, Query()] = "", cursor: Cursor = "",
    limit: Limit = 20,
) -> Response:  # fmt: skip
    """Newest first, as far as the caller may see them; a party sees what was served on it."""
    asked = pb.ListInstrumentsRequest(case_id=case_id, state=state, cursor=cursor, limit=limit)
    return reply(await caller.ask("documents", "ListInstruments", asked))


@router.post(
    "/cases/{case_id}/instruments", response_model=answer(pb.Instrument), status_code=201, summary="拟制文书"
)
async def draft_instrument(case_id: Id, body: NewInstrument, caller: SignedIn) -> Response:
    """Draft from the procedure's template; an open draft of the same kind gets a new version."""
    asked = parse(body, pb.DraftInstrumentRequest, case_id=case_id)
    made = await caller.ask("documents", "DraftInstrument", asked, seconds=40)
    return reply(made, 201, f"{PREFIX}/instruments/{made.instrument_id}")


@router.get("/instruments/{instrument_id}", response_model=answer(pb.Instrument), summary="文书")
async def get_instrument(instrument_id: Id, caller: SignedIn) -> Response:
    """One instrument with its versions, signatures and servings."""
    return reply(await caller.ask("documents", "GetInstrument", pb.GetInstrumentRequest(instrument_id=instrument_id)))


@router.put(
    "/instruments/{instrument_id}/content", response_model=answer(pb.Instrument), summary="上传修改稿",
    openapi_extra=_UPLOAD,
)  # fmt: skip
async def upload_version(instrument_id: Id, request: Request, caller: SignedIn, version: IfMatch) -> Response:
    """The docx that was downloaded, edited in Word or WPS; the version read goes into If-Match."""
    if request.headers.get("content-type", "").split(";")[0].strip() != DOCX:
        raise InvalidInputError(f"Content-Type 应为 {DOCX}")
    docx = bytearray()
    async for piece in request.stream():
        docx += piece
        if len(docx) > LARGEST:
            raise TooLargeError(f"文书超过上限 {LARGEST // 1024**2} MB，请压缩其中的图片")
    asked = pb.UploadVersionRequest(instrument_id=instrument_id, docx=bytes(docx), if_version=version)
    return reply(await caller.ask("documents", "UploadVersion", asked, seconds=40))


@router.post("/instruments/{instrument_id}/approval", response_model=answer(pb.Instrument), summary="签发、签名")
async def approve_instrument(instrument_id: Id, body: Approval, caller: SignedIn) -> Response:
    """Sign the newest version; only what was read can be signed."""
    asked = parse(body, pb.ApproveInstrumentRequest, instrument_id=instrument_id)
    return reply(await caller.ask("documents", "ApproveInstrument", asked))


@router.get(
    "/instruments/{instrument_id}/content", summary="下载文书", responses=_DOWNLOAD, response_class=Response
)
async def get_content(
    instrument_id: Id, caller: SignedIn, format: Annotated[Literal["pdf", "docx"], Query()] = "pdf",
    number: Annotated[int, Query(ge=0, le=100_000, description="docx 第几稿；0 为最新")] = 0,
) -> Response:  # fmt: skip
    """The sealed PDF, or a docx version; the download is recorded."""
    asked = pb.GetContentRequest(instrument_id=instrument_id, format=format, number=number)
    found = await caller.ask("documents", "GetContent", asked, seconds=40)
    name = f"attachment; filename*=UTF-8''{quote(found.file_name)}"
    return Response(found.content, media_type=found.media_type, headers={"Content-Disposition": name})


@router.post("/servings/{serving_id}/proof", response_model=answer(pb.Serving), summary="送达证明")
async def prove_serving(serving_id: Id, body: ServingProof, caller: SignedIn) -> Response:
    """Prove a serving, or say that it failed."""
    asked = parse(body, pb.ProveServingRequest, serving_id=serving_id)
    return reply(await caller.ask("documents", "ProveServing", asked))
