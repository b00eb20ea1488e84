"""A superior that does not work on this site has answered on paper: a clerk records it, with its scan."""

from __future__ import annotations

from collections.abc import Sequence

from anjuan.workflow.v1 import workflow_pb2 as pb
from services.kit.effects import plain
from services.kit.procedure.forms import require_form
from services.workflow.model.superior import REPLY_FORM, paper_answer
from services.workflow.model.upload import Upload, require_scan
from services.workflow.store import WorkflowUnit
from services.workflow.usecases.answers import effect_done
from services.workflow.usecases.grasp import Grasp, answer, now_done
from services.workflow.usecases.run import Packs


def record_reply(
    uow: WorkflowUnit, packs: Packs, hold: Grasp, request: pb.CompleteTaskRequest, uploads: Sequence[Upload]
) -> pb.CompleteTaskAnswer:
    """What the paper says is the effect's answer; the node that asked goes on.

    Raises:
        InvalidInputError: every fault of the form; see paper_answer, require_scan.
    """
    form, task = plain(request.data), hold.task
    require_form(REPLY_FORM, form)
    effect = uow.effects.find(task.effect_id)
    asked = effect.params if effect else {}
    results = paper_answer(form, asked, task.opened_on.isoformat(), hold.today)
    require_scan(uploads, hold.run.instance.body_id)
    i = hold.run.instance
    now_done(hold, "done")
    uow.record("record_reply", task.task_id, case_id=i.case_id, body_id=i.body_id, legal_on=hold.today,
               detail={"effect_id": task.effect_id, "number": form["number"]})  # fmt: skip
    effect_done(uow, packs, task.effect_id, results)
    return answer(hold, "done")
