import json
from collections.abc import Iterable
from typing import Any

import pytest

from services.kit.errors import ConflictError, RuleRefusedError
from services.kit.procedure.conditions import ConditionError
from services.kit.procedure.engine import Engine, OpenNode, State, Step, rows
from services.kit.procedure.tests.drawing import pack

PARALLEL = """start s
task a b c d
par p j
end e
s -> a -> p -> b -> j -> d -> e
p -> c -> j"""

LOOP = """start s
task b c d
par p j
xor back gate
end e
s -> back -> p -> b -> j -> d -> gate
p -> c -> j
gate -> back : forms.d.again
gate -> e : !forms.d.again"""

REGION = """start s
task before after cancelled
sub region {
start rs
par rp rj
task r1 r2 r3
end re
rs -> rp -> r1 -> rj -> r3 -> re
rp -> r2 -> rj
}
edge! stopped on region
edge noted on region
task note
end done cut noted_end
s -> before -> region -> after -> done
stopped -> cancelled -> cut
noted -> note -> noted_end"""

WAITS: dict[str, dict[str, Any]] = {
    "stopped": {"waits_for": {"event": "ActionWithdrawn"}},
    "noted": {"waits_for": {"event": "PagesReceived"}},
}

RACE = """start s
race r
wait served
catch expired
task late done
end e
s -> r -> served -> done -> e
r -> expired -> late -> e"""

RACE_WAITS: dict[str, dict[str, Any]] = {
    "served": {"waits_for": {"event": "InstrumentServed", "match": "event.instrument == 'notice'"}},
    "expired": {"waits_for": {"event": "TimeLimitExpired", "match": "event.limit_id == 'x'"}},
}


def names(nodes: Iterable[OpenNode]) -> list[str]:
    return [n.node_id for n in nodes]


def visit(engine: Engine, state: State, node: str) -> str:
    return next(n.visit_id for n in engine.open(state) if n.node_id == node)


def do(engine: Engine, step: Step | State, *nodes: str, data: dict[str, Any] | None = None) -> Step:
    state = step.state if isinstance(step, Step) else step
    for node in nodes:
        state = json.loads(json.dumps(state))
        step = engine.complete(state, visit(engine, state, node), data or {})
        state = step.state
    assert isinstance(step, Step)
    return step


def test_parallel_split_and_join() -> None:
    engine = Engine(pack(PARALLEL))
    step = do(engine, engine.start({}), "a")
    assert names(step.opened) == ["b", "c"]
    step = do(engine, step, "b")
    assert (names(step.opened), step.concluded) == ([], False)
    step = do(engine, step, "c", "d")
    assert (step.concluded, step.outcome, engine.open(step.state)) == (True, "e", [])


def test_join_in_a_loop_waits_for_both_branches_every_time() -> None:
    engine = Engine(pack(LOOP))
    step = engine.start({})
    for _ in range(3):
        step = do(engine, step, "b")
        assert names(engine.open(step.state)) == ["c"]
        step = do(engine, step, "c")
        step = do(engine, step, "d", data={"forms": {"d": {"again": True}}})
        assert names(step.opened) == ["b", "c"]
    step = do(engine, step, "c", "b")
    assert do(engine, step, "d", data={"forms": {"d": {"again": False}}}).outcome == "e"


@pytest.mark.parametrize("branch", ["b", "c"])
def test_reset_into_a_branch_after_the_join_leaves_no_token_downstream(branch: str) -> None:
    engine = Engine(pack(PARALLEL))
    joined = do(engine, engine.start({}), "a", "b", "c")
    back = engine.reset_to(joined.state, branch, {})
    assert (names(back.withdrawn), names(back.opened)) == (["d"], [branch])
    assert names(engine.open(back.state)) == [branch]
    assert names(do(engine, back, branch).opened) == ["d"]
    assert back.opened[0].visit_id not in json.dumps(joined.state)


def test_reset_before_the_split_and_after_the_end() -> None:
    engine = Engine(pack(PARALLEL))
    state = do(engine, engine.start({}), "a", "b").state
    back = engine.reset_to(state, "a", {})
    assert (names(back.withdrawn), names(engine.open(back.state))) == (["c"], ["a"])
    ended = do(engine, back, "a", "b", "c", "d")
    again = engine.reset_to(ended.state, "c", {})
    assert (again.concluded, names(engine.open(again.state))) == (False, ["c"])
    assert do(engine, again, "c", "d").concluded


def test_reset_refuses_what_is_open_or_never_was() -> None:
    engine = Engine(pack(PARALLEL))
    state = engine.start({}).state
    for node in ("a", "d", "p", "nowhere"):
        with pytest.raises(ConflictError):
            engine.reset_to(state, node, {})


def test_a_visit_is_completed_once() -> None:
    engine = Engine(pack(PARALLEL))
    first = engine.start({})
    done = do(engine, first, "a")
    with pytest.raises(ConflictError):
        engine.complete(done.state, first.opened[0].visit_id, {})
    with pytest.raises(ConflictError):
        engine.complete(done.state, "no-such-visit", {})


def test_race_is_won_by_the_first_fact_and_names_the_loser() -> None:
    engine = Engine(pack(RACE, RACE_WAITS))
    start = engine.start({})
    assert [(n.node_id, n.kind, n.race) for n in start.opened] == [("served", "wait", "r"), ("expired", "wait", "r")]
    other = engine.deliver(start.state, {"type": "InstrumentServed", "instrument": "other"}, {})
    assert (other.taken, other.state) == ((), start.state)
    late = engine.deliver(start.state, {"type": "TimeLimitExpired", "limit_id": "x"}, {})
    assert (names(late.taken), names(late.withdrawn), names(late.opened)) == (["expired"], ["served"], ["late"])
    lost = engine.deliver(late.state, {"type": "InstrumentServed", "instrument": "notice"}, {})
    assert lost.taken == ()
    flows = engine.flows(do(engine, late, "late").state)
    assert len(flows) == 4
    again = engine.reset_to(late.state, "served", {})
    assert (names(again.opened), names(again.withdrawn)) == (["served", "expired"], ["late"])


def test_quorum_all_counts_each_addressee_once() -> None:
    rule = {
        "event": "InstrumentServed",
        "quorum": "all",
        "of": "case.parties.map(p, p.party_id)",
        "key": "event.party_id",
    }
    engine = Engine(pack("start s\nwait w\nend e\ns -> w -> e", {"w": {"waits_for": rule}}))
    data = {"case": {"parties": [{"party_id": "p1"}, {"party_id": "p2"}]}}
    step = engine.start(data)
    for _ in range(2):
        step = engine.deliver(step.state, {"type": "InstrumentServed", "party_id": "p1"}, data)
        assert (names(step.counted), step.concluded) == (["w"], False)
    assert engine.deliver(step.state, {"type": "InstrumentServed", "party_id": "p2"}, data).concluded


def test_interrupting_edge_cuts_the_whole_region() -> None:
    engine = Engine(pack(REGION, WAITS))
    state = do(engine, engine.start({}), "before", "r1").state
    assert sorted(names(engine.open(state))) == ["noted", "r2", "stopped"]
    cut = engine.deliver(state, {"type": "ActionWithdrawn"}, {})
    assert (names(cut.taken), sorted(names(cut.withdrawn)), names(cut.opened)) == (
        ["stopped"],
        ["noted", "r2"],
        ["cancelled"],
    )
    assert do(engine, cut, "cancelled").outcome == "cut"
    undone = engine.reset_to(cut.state, "r1", {})
    assert sorted(names(engine.open(undone.state))) == ["noted", "r1", "r2", "stopped"]
    assert names(do(engine, undone, "r2", "r1", "r3", "after").withdrawn) == []


def test_edge_that_does_not_interrupt_may_happen_again_and_is_disarmed_at_the_exit() -> None:
    engine = Engine(pack(REGION, WAITS))
    step = do(engine, engine.start({}), "before")
    for count in (1, 2):
        step = engine.deliver(step.state, {"type": "PagesReceived"}, {})
        assert names(engine.open(step.state)).count("note") == count
    step = do(engine, step, "r1", "r2")
    left = do(engine, step, "r3")
    assert (sorted(names(left.withdrawn)), names(left.opened)) == (["noted", "stopped"], ["after"])
    assert not do(engine, left, "after").concluded
    back = engine.reset_to(left.state, "r3", {})
    assert sorted(names(engine.open(back.state))) == ["note", "note", "noted", "r3", "stopped"]


def test_a_region_entered_again_after_an_interruption_forgets_old_arrivals() -> None:
    text = (
        REGION.replace("task before after cancelled", "task before after cancelled\nxor again")
        .replace("s -> before -> region", "s -> before -> again -> region")
        .replace("cancelled -> cut", "cancelled -> again")
    )
    engine = Engine(pack(text.replace("end done cut noted_end", "end done noted_end"), WAITS))
    step = do(engine, engine.start({}), "before", "r1")
    step = do(engine, engine.deliver(step.state, {"type": "ActionWithdrawn"}, {}), "cancelled")
    assert sorted(names(engine.open(step.state))) == ["noted", "r1", "r2", "stopped"]
    step = do(engine, step, "r2")
    assert "r3" not in names(engine.open(step.state))
    assert "r3" in names(do(engine, step, "r1").opened)


def test_a_case_may_be_long_and_too_long_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(pack(LOOP, sha256="long"))
    step = engine.start({})
    for _ in range(60):
        step = do(engine, step, "b", "c")
        step = do(engine, step, "d", data={"forms": {"d": {"again": True}}})
    step = do(engine, step, "b", "c")
    assert names(engine.reset_to(step.state, "b", {}).opened) == ["b"]
    assert do(engine, step, "d", data={"forms": {"d": {"again": False}}}).concluded
    monkeypatch.setattr(rows, "DEPTH", 300)
    with pytest.raises(RuleRefusedError, match="步数过多"):
        do(engine, step, "d", data={"forms": {"d": {"again": True}}})


def test_terminate_ends_every_branch() -> None:
    engine = Engine(pack("start s\npar p\ntask a b\nend e\nstop x\ns -> p -> a -> e\np -> b -> x"))
    step = do(engine, engine.start({}), "b")
    assert (step.concluded, step.outcome, names(step.withdrawn)) == (True, "x", ["a"])


def test_exactly_one_condition_must_hold() -> None:
    text = "start s\ntask a\nxor g\nend x y\ns -> a -> g\ng -> x : forms.a.n > 1\ng -> y : forms.a.n > 5"
    engine = Engine(pack(text, {"a": {}}))
    start = engine.start({})
    assert do(engine, start, "a", data={"forms": {"a": {"n": 3}}}).outcome == "x"
    for forms in ({"a": {"n": 9}}, {"a": {"n": 0}}, {}, {"a": {"n": "many"}}):
        with pytest.raises(ConditionError):
            do(engine, start, "a", data={"forms": forms})


def test_state_holds_no_case_data_and_stays_small() -> None:
    engine = Engine(pack(LOOP))
    step = engine.start({"case": {"title": "秘密"}})
    for _ in range(10):
        step = do(engine, step, "b", "c")
        step = do(engine, step, "d", data={"forms": {"d": {"again": True, "text": "秘密" * 100}}})
    text = json.dumps(step.state, ensure_ascii=False)
    assert "秘密" not in text
    assert len(text) < 12_000
