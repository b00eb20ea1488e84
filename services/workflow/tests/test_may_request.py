"""Who may ask for something beside the procedure: by rule, while its nodes are open, one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from anjuan.workflow.v1 import workflow_pb2 as pb
from services.workflow.store.library import Library
from services.workflow.tests.desk import ON, Desk
from services.workflow.tests.tiny import bundle
from services.workflow.usecases.run import Run
from services.workflow.usecases.tasks import may_request

TINY = ("tiny", "1.0.0")
DRAWING = """start s
task a b
end e
s -> a -> b -> e
event longer {
task extend
end extended
longer_start -> extend -> extended
}"""


def begin(desk: Desk, **request: Any) -> str:
    """A case at node a, whose pack lets people ask for an extension."""
    nodes: Mapping[str, Any] = {"a": {}, "b": {}, "extend": {}, "longer_start": {"request": request}}
    desk.publish(bundle("tiny", DRAWING, nodes, ends=("e", "extended")))
    return desk.file(TINY)


def offered(desk: Desk, case_id: str) -> list[str]:
    """Who of the county may ask now."""
    return [who for who in ("zhang", "li", "head", "legal_head", "leader", "stranger") if _may(desk, case_id, who)]


def _may(desk: Desk, case_id: str, who: str) -> bool:
    actor = desk.actor(who)
    with desk.host.begin(actor) as uow:
        run = Run.of(uow, Library(desk.host.objects), case_id)
        found = may_request(run, uow.people.keys(actor, ON), who)
    assert found in ([], ["longer_start"])
    return bool(found)


def test_only_who_carries_the_case_and_nobody_before_it_is_assigned(desk: Desk) -> None:
    case_id = begin(desk, actor={"relation": "case_officer"})
    assert offered(desk, case_id) == []
    desk.ask("leader", "AssignCase", pb.AssignCaseRequest(case_id=case_id, officer_ids=["zhang"], reason="分案"))
    assert offered(desk, case_id) == ["zhang"]
    desk.ask("leader", "AssignCase", pb.AssignCaseRequest(case_id=case_id, officer_ids=["li"], reason="换人"))
    assert offered(desk, case_id) == ["li"]


def test_only_while_its_nodes_are_open_and_one_at_a_time(desk: Desk) -> None:
    case_id = begin(desk, actor={"role": "division_head"}, while_open=["a"])
    assert offered(desk, case_id) == ["head", "legal_head"]
    desk.ask("head", "OpenRequest", pb.OpenRequestRequest(case_id=case_id, node_id="longer_start"))
    assert offered(desk, case_id) == []
    desk.complete("zhang", case_id, "extend")
    assert offered(desk, case_id) == ["head", "legal_head"]
    desk.complete("zhang", case_id, "a")
    assert offered(desk, case_id) == []


def test_the_pack_may_bar_who_did_another_node(desk: Desk) -> None:
    case_id = begin(desk, actor={"role": "case_officer", "not_actor_of": ["a"]})
    assert offered(desk, case_id) == ["zhang", "li"]
    desk.complete("zhang", case_id, "a")
    assert offered(desk, case_id) == ["li"]
