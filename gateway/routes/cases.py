"""The case register, and what the rooms know of one case."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field

from anjuan.intake.v1 import intake_pb2 as pb
from anjuan.kit.v1 import operations_pb2 as ops
from anjuan.supervision.v1 import supervision_pb2 as sup
from anjuan.workflow.v1 import workflow_pb2 as wf
from gateway.auth import IfMatch, SignedIn
from gateway.routes.filings import Party
from gateway.routes.shared import (
    PREFIX,
    Body,
    Cursor,
    DayQuery,
    Id,
    IdQuery,
    IdText,
    Limit,
    Name,
    Reason,
    Words,
    WordsQuery,
    reply,
)
from gateway.shapes import answer, parse

router = APIRouter(prefix=PREFIX, tags=["案件"])
State = Literal["", "received", "accepted", "docketed", "declined", "not_docketed", "closed"]
Position = Annotated[str, Query(pattern="^[0-9]{0,18}$", description="上一页返回的 next_cursor")]
Room = Literal["intake", "workflow", "supervision", "documents", "archive", "notices", "identity"]


class RegisterCorrection(Body):
    """What is corrected in the register, and why; the version read goes into If-Match."""

    title: Words = ""
    cause: Words = ""
    parties: Annotated[list[Party], Field(max_length=500)] = []
    reason: Name


class Assignment(Body):
    """Who carries the case from now on, and why."""

    officer_ids: Annotated[list[IdText], Field(min_length=1, max_length=20)]
    department_id: IdText = ""
    reason: Name


class NewRequest(Body):
    """The start event of what is asked for (an extension, an exclusion, a recusal ...)."""

    node_id: Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,59}$")]


@router.get("/cases", response_model=answer(pb.ListCasesAnswer), summary="案件列表")
async def list_cases(
    caller: SignedIn, body_id: IdQuery = "", state: Annotated[State, Query()] = "", procedure_id: IdQuery = "",
    case_number: WordsQuery = "", party_name: WordsQuery = "", received_from: DayQuery = "", received_to: DayQuery = "",
    include_subtree: bool = False, cursor: Cursor = "", limit: Limit = 20,
) -> Response:  # fmt: skip
    """The register as far as the caller may see it."""
    asked = pb.ListCasesRequest(
        body_id=body_id, state=state, procedure_id=procedure_id, case_number=case_number, party_name=party_name,
        received_from=received_from, received_to=received_to, include_subtree=include_subtree, cursor=cursor,
        limit=limit,
    )  # fmt: skip
    return reply(await caller.ask("intake", "ListCases", asked))


@router.get("/cases/{case_id}", response_model=answer(pb.Case), summary="案件")
async def get_case(case_id: Id, caller: SignedIn) -> Response:
    """One case."""
    return reply(await caller.ask("intake", "GetCase", pb.GetCaseRequest(case_id=case_id)))


@router.patch("/cases/{case_id}", response_model=answer(pb.Case), summary="更正登记")
async def correct_register(case_id: Id, body: RegisterCorrection, caller: SignedIn, version: IfMatch) -> Response:
    """Correct the register, with a reason."""
    asked = parse(body, pb.CorrectRegisterRequest, case_id=case_id, if_version=version)
    return reply(await caller.ask("intake", "CorrectRegister", asked))


@router.get("/cases/{case_id}/course", response_model=answer(wf.Course), summary="办案过程")
async def get_course(case_id: Id, caller: SignedIn, reason: Reason = "") -> Response:
    """Every node, who did it and when, opinions and effects; their content for an upper tier with a reason alone."""
    return reply(await caller.ask("workflow", "GetCourse", wf.GetCourseRequest(case_id=case_id, reason=reason)))


@router.get("/cases/{case_id}/clocks", response_model=answer(sup.ListClocksAnswer), summary="案件期限")
async def list_clocks(case_id: Id, caller: SignedIn, cursor: Cursor = "", limit: Limit = 100) -> Response:
    """Every clock of the case, explained line by line."""
    asked = sup.ListClocksRequest(case_id=case_id, cursor=cursor, limit=limit)
    return reply(await caller.ask("supervision", "ListClocks", asked))


@router.post("/cases/{case_id}/assignment", response_model=answer(wf.Course), summary="指定承办人")
async def assign(case_id: Id, body: Assignment, caller: SignedIn) -> Response:
    """Assign or reassign the case."""
    asked = parse(body, wf.AssignCaseRequest, case_id=case_id)
    return reply(await caller.ask("workflow", "AssignCase", asked))


@router.post("/cases/{case_id}/requests", response_model=answer(wf.OpenRequestAnswer), summary="发起申请事项")
async def open_request(case_id: Id, body: NewRequest, caller: SignedIn) -> Response:
    """Start what the pack lets people ask for at any time; answers the tasks that it opened."""
    return reply(await caller.ask("workflow", "OpenRequest", parse(body, wf.OpenRequestRequest, case_id=case_id)))


@router.get("/cases/{case_id}/audit", response_model=answer(ops.ListAuditAnswer), summary="案件日志")
async def list_audit(
    case_id: Id, caller: SignedIn, room: Annotated[Room, Query()] = "intake", cursor: Position = "", limit: Limit = 50
) -> Response:
    """What one room recorded of the case."""
    asked = ops.ListAuditRequest(case_id=case_id, cursor=cursor, limit=limit)
    return reply(await caller.ask(room, "ListAudit", asked))
