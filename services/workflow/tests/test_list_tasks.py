"""Work lists: what waits for whom, page by page, and what one has done."""

from __future__ import annotations

from typing import Any

import pytest

from anjuan.workflow.v1 import workflow_pb2 as pb
from anjuan.workflow.v1.workflow_pb2_grpc import WorkflowStub
from services.kit import rpc
from services.kit.errors import InvalidInputError, NotSignedInError
from services.workflow.tests.desk import COUNTY, OTHER, Desk
from services.workflow.tests.tiny import bundle

TINY = ("tiny", "1.0.0")
ANY_OF = {"actor": [{"role": "case_officer"}, {"role": "division_head"}]}


def pages(desk: Desk, who: str, limit: int, **wanted: Any) -> list[str]:
    found: list[str] = []
    cursor = ""
    while True:
        page = desk.list(who, limit=limit, cursor=cursor, **wanted)
        assert len(page.tasks) <= limit
        found += [t.task_id for t in page.tasks]
        cursor = page.next_cursor
        if not cursor:
            return found


def test_to_do_page_by_page_for_people_with_several_roles(desk: Desk) -> None:
    desk.publish(bundle("tiny", "start s\ntask a b\nend e\ns -> a -> b -> e", {"a": ANY_OF, "b": {}}))
    cases = [desk.file(TINY) for _ in range(7)]
    for who in ("both", "zhang", "head"):
        found = pages(desk, who, 3)
        assert (len(found), len(set(found)), desk.list(who).to_do) == (7, 7, 7)
    assert desk.list("leader").to_do == desk.list("stranger").to_do == desk.list("party:x").to_do == 0
    assert desk.list("zhang", body_id=COUNTY).to_do == 7
    assert desk.list("zhang", body_id=OTHER).to_do == desk.list("zhang", procedure_id="other").to_do == 0
    assert len(desk.list("zhang", case_id=cases[0], procedure_id="tiny").tasks) == 1
    for case_id in cases:
        desk.complete("zhang", case_id, "a")
    done = pages(desk, "zhang", 2, state="done")
    assert (len(set(done)), pages(desk, "li", 5, state="done")) == (7, [])
    newest = desk.list("zhang", state="done", limit=1).tasks[0]
    assert (newest.case_id, newest.done_by, newest.state) == (cases[-1], "zhang", "done")


def test_bad_asking(desk: Desk) -> None:
    for wanted in ({"state": "all"}, {"cursor": "???"}, {"cursor": "WyJhIl0"}, {"cursor": "WyJ4IiwieSJd"}):
        with pytest.raises(InvalidInputError):
            desk.list("zhang", **wanted)
    with pytest.raises(NotSignedInError):
        rpc.invoke(WorkflowStub(desk.channel).ListTasks, pb.ListTasksRequest())
