"""The work list, and doing what is on it."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field

from anjuan.workflow.v1 import workflow_pb2 as pb
from gateway.auth import IfMatch, SignedIn
from gateway.routes.shared import (
    PREFIX,
    Body,
    Cursor,
    Day,
    Id,
    IdQuery,
    IdText,
    Json,
    Limit,
    Name,
    Reason,
    Words,
    reply,
)
from gateway.shapes import answer, parse

router = APIRouter(prefix=PREFIX, tags=["待办"])


class Completion(Body):
    """The node's form."""

    data: Json = {}
    occurred_on: Annotated[Day | None, Field(description="行为发生日；缺省为今天")] = None
    with_ids: Annotated[list[IdText], Field(max_length=20, description="共同办理的人")] = []


class Draft(Body):
    """What is typed so far; nothing is checked yet."""

    data: Json = {}


class SendingBack(Body):
    """To which earlier node, and why."""

    to_node_id: Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,59}$")]
    reason: Name


class Decision(Body):
    """An approver's opinion; a return needs its reason."""

    decision: Literal["agree", "return"]
    text: Words = ""
    occurred_on: Annotated[Day | None, Field(description="行为发生日；缺省为今天")] = None


class Recall(Body):
    """Taking one's submission back."""

    reason: Name


@router.get("/tasks", response_model=answer(pb.ListTasksAnswer), summary="待办与已办")
async def list_tasks(
    caller: SignedIn, state: Annotated[Literal["to_do", "done"], Query()] = "to_do", body_id: IdQuery = "",
    due_state: Annotated[Literal["", "due_soon", "overdue"], Query()] = "", procedure_id: IdQuery = "",
    case_id: IdQuery = "", cursor: Cursor = "", limit: Limit = 20,
) -> Response:  # fmt: skip
    """What the caller has to do, most urgent first, or has done."""
    asked = pb.ListTasksRequest(state=state, body_id=body_id, due_state=due_state, procedure_id=procedure_id,
                                case_id=case_id, cursor=cursor, limit=limit)  # fmt: skip
    return reply(await caller.ask("workflow", "ListTasks", asked))


@router.get("/tasks/{task_id}", response_model=answer(pb.TaskView), summary="任务")
async def get_task(task_id: Id, caller: SignedIn, reason: Reason = "") -> Response:
    """The task with its form, draft, opinions and possible actions."""
    view = await caller.ask("workflow", "GetTask", pb.GetTaskRequest(task_id=task_id, reason=reason))
    response = reply(view)
    response.headers["ETag"] = f'"{view.task.version}"'
    return response


@router.post("/tasks/{task_id}/completion", response_model=answer(pb.CompleteTaskAnswer), summary="办理")
async def complete(task_id: Id, body: Completion, caller: SignedIn, version: IfMatch) -> Response:
    """Submit the node's form."""
    asked = parse(body, pb.CompleteTaskRequest, task_id=task_id, if_version=version)
    return reply(await caller.ask("workflow", "CompleteTask", asked))


@router.post("/tasks/{task_id}/decision", response_model=answer(pb.CompleteTaskAnswer), summary="审批")
async def decide(task_id: Id, body: Decision, caller: SignedIn, version: IfMatch) -> Response:
    """Agree or return."""
    asked = parse(body, pb.DecideApprovalRequest, task_id=task_id, if_version=version)
    return reply(await caller.ask("workflow", "DecideApproval", asked))


@router.post("/tasks/{task_id}/recall", response_model=answer(pb.CompleteTaskAnswer), summary="撤回")
async def recall(task_id: Id, body: Recall, caller: SignedIn) -> Response:
    """Take a submission back before the next has acted."""
    return reply(await caller.ask("workflow", "Recall", pb.RecallRequest(task_id=task_id, reason=body.reason)))


@router.put("/tasks/{task_id}/draft", response_model=answer(pb.SaveDraftAnswer), summary="暂存")
async def save_draft(task_id: Id, body: Draft, caller: SignedIn) -> Response:
    """Keep what is typed."""
    return reply(await caller.ask("workflow", "SaveDraft", parse(body, pb.SaveDraftRequest, task_id=task_id)))


@router.post("/tasks/{task_id}/sending-back", response_model=answer(pb.CompleteTaskAnswer), summary="退回前序环节")
async def send_back(task_id: Id, body: SendingBack, caller: SignedIn, version: IfMatch) -> Response:
    """Send the case back to an earlier node that the pack names; what came after it is void."""
    asked = parse(body, pb.SendBackRequest, task_id=task_id, if_version=version)
    return reply(await caller.ask("workflow", "SendBack", asked))
