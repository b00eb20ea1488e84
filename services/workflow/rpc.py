"""workflow's gRPC door."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NoReturn

import grpc
from google.protobuf.message import Message

from anjuan.workflow.v1 import workflow_pb2 as pb
from anjuan.workflow.v1 import workflow_pb2_grpc
from services.kit import rpc
from services.kit.errors import UnavailableError
from services.kit.run import Host
from services.workflow.model.upload import Files, scans
from services.workflow.store.library import Library
from services.workflow.usecases import answers, approvals, assignment, hearings, packs, tasks
from services.workflow.views import course, lists, task
from services.workflow.views import tasks as work_lists

Context = grpc.ServicerContext


class WorkflowServicer(workflow_pb2_grpc.WorkflowServicer):
    """See proto/anjuan/workflow/v1/workflow.proto."""

    def __init__(self, host: Host, files: Files) -> None:
        self.host, self.library, self.files = host, Library(host.objects), files

    def _once(self, use_case: Callable[..., Any], request: Message, answer: type[Any]) -> Any:
        """A writing use case, once for its idempotency key."""
        call, actor = rpc.call(), rpc.signed_in()

        def ask() -> Any:
            uow = self.host.begin(actor)
            return uow.once(call.key, request, answer, lambda: use_case(uow, self.library, request))

        return self.library.loading_outside(ask)

    def _read(self, view: Callable[..., Any], *arguments: Any) -> Any:
        actor = rpc.signed_in()

        def ask() -> Any:
            with self.host.begin(actor) as uow:
                return view(uow, *arguments)

        return self.library.loading_outside(ask)

    def PublishPack(self, request: pb.PublishPackRequest, context: Context) -> pb.Pack:
        call, uow = rpc.call(), self.host.begin(rpc.signed_in())
        packs.require_publisher(uow)
        pack, objects = packs.read_bundle(request.bundle), self.host.objects
        packs.keep_bundle(objects, request.bundle)
        return uow.once(call.key, request, pb.Pack, lambda: packs.propose_pack(uow, pack, len(request.bundle)))  # type: ignore[no-any-return]

    def ConfirmPack(self, request: pb.ConfirmPackRequest, context: Context) -> pb.Pack:
        call, uow = rpc.call(), self.host.begin(rpc.signed_in())
        return uow.once(call.key, request, pb.Pack, lambda: packs.confirm_pack(uow, request))  # type: ignore[no-any-return]

    def ListPacks(self, request: pb.ListPacksRequest, context: Context) -> pb.ListPacksAnswer:
        return self._read(lists.list_packs, request)  # type: ignore[no-any-return]

    def ListTasks(self, request: pb.ListTasksRequest, context: Context) -> pb.ListTasksAnswer:
        return self._read(work_lists.list_tasks, request)  # type: ignore[no-any-return]

    def GetTask(self, request: pb.GetTaskRequest, context: Context) -> pb.TaskView:
        return self._read(task.get_task, self.library, request)  # type: ignore[no-any-return]

    def CompleteTask(self, request: pb.CompleteTaskRequest, context: Context) -> pb.CompleteTaskAnswer:
        rpc.signed_in()
        try:
            uploads = self.files.sent(scans(request.data), rpc.call().token)
        except UnavailableError as error:  # a key that was answered gets its answer, whatever is down now
            return self._once(partial(_say, error), request, pb.CompleteTaskAnswer)  # type: ignore[no-any-return]
        act = partial(tasks.complete_task, uploads=uploads)
        return self._once(act, request, pb.CompleteTaskAnswer)  # type: ignore[no-any-return]

    def SaveDraft(self, request: pb.SaveDraftRequest, context: Context) -> pb.SaveDraftAnswer:
        return self._once(tasks.save_draft, request, pb.SaveDraftAnswer)  # type: ignore[no-any-return]

    def SendBack(self, request: pb.SendBackRequest, context: Context) -> pb.CompleteTaskAnswer:
        return self._once(tasks.send_back, request, pb.CompleteTaskAnswer)  # type: ignore[no-any-return]

    def OpenRequest(self, request: pb.OpenRequestRequest, context: Context) -> pb.OpenRequestAnswer:
        return self._once(tasks.open_request, request, pb.OpenRequestAnswer)  # type: ignore[no-any-return]

    def DecideApproval(self, request: pb.DecideApprovalRequest, context: Context) -> pb.CompleteTaskAnswer:
        return self._once(approvals.decide_approval, request, pb.CompleteTaskAnswer)  # type: ignore[no-any-return]

    def Recall(self, request: pb.RecallRequest, context: Context) -> pb.CompleteTaskAnswer:
        return self._once(approvals.recall, request, pb.CompleteTaskAnswer)  # type: ignore[no-any-return]

    def GetCourse(self, request: pb.GetCourseRequest, context: Context) -> pb.Course:
        return self._read(course.get_course, self.library, request)  # type: ignore[no-any-return]

    def AssignCase(self, request: pb.AssignCaseRequest, context: Context) -> pb.Course:
        return self._once(assignment.assign_case, request, pb.Course)  # type: ignore[no-any-return]

    def ScheduleHearing(self, request: pb.ScheduleHearingRequest, context: Context) -> pb.Hearing:
        return self._once(hearings.schedule_hearing, request, pb.Hearing)  # type: ignore[no-any-return]

    def CancelHearing(self, request: pb.CancelHearingRequest, context: Context) -> pb.Hearing:
        return self._once(hearings.cancel_hearing, request, pb.Hearing)  # type: ignore[no-any-return]

    def ListHearings(self, request: pb.ListHearingsRequest, context: Context) -> pb.ListHearingsAnswer:
        return self._read(lists.list_hearings, request)  # type: ignore[no-any-return]

    def RefuseEffect(self, request: pb.RefuseEffectRequest, context: Context) -> pb.EffectState:
        return self._once(answers.refuse_effect, request, pb.EffectState)  # type: ignore[no-any-return]


def _say(error: UnavailableError, *_: Any) -> NoReturn:
    raise error


def registrations(host: Host, files: Files) -> Sequence[Callable[[grpc.Server], None]]:
    """What adds this room to a server."""
    return [lambda server: workflow_pb2_grpc.add_WorkflowServicer_to_server(WorkflowServicer(host, files), server)]
