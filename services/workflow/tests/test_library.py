"""Packs on their way into memory."""

from __future__ import annotations

import pytest

from anjuan.workflow.v1 import workflow_pb2 as pb
from services.kit import clock, rpc
from services.workflow.clients import ArchivedFiles
from services.workflow.rpc import WorkflowServicer
from services.workflow.tests.desk import Desk
from services.workflow.tests.tiny import bundle


def test_no_transaction_waits_for_the_object_store(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.publish(bundle("tiny", "start s\ntask a b\nend e\ns -> a -> b -> e", {"a": {}, "b": {}}))
    task = desk.task("zhang", desk.file(("tiny", "1.0.0")), "a")
    get, held = desk.host.objects.get, []

    def watched(key: str) -> bytes:
        held.append(desk.host.engine.pool.checkedout())  # type: ignore[attr-defined]
        return get(key)

    monkeypatch.setattr(desk.host.objects, "get", watched)
    servicer = WorkflowServicer(desk.host, ArchivedFiles(""))  # of a process that has just started
    for ask in (
        lambda: servicer.GetTask(pb.GetTaskRequest(task_id=task.task_id), None),  # type: ignore[arg-type]
        lambda: servicer.CompleteTask(pb.CompleteTaskRequest(task_id=task.task_id), None),  # type: ignore[arg-type]
    ):
        rpc._call.set(rpc.Call(desk.actor("zhang"), clock.new_id(), "", ""))
        ask()
    assert held == [0]  # once, and nobody held a connection
    assert desk.task("zhang", task.case_id, "b").state == "open"
