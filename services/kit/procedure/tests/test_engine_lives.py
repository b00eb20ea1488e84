"""Random lives of the processes of test_engine.py: none is ever stuck, each ends when driven on."""

import json
import random
from concurrent.futures import ThreadPoolExecutor

from services.kit.errors import ConflictError
from services.kit.procedure.engine import Engine, OpenNode, State
from services.kit.procedure.tests.drawing import pack
from services.kit.procedure.tests.test_engine import LOOP, PARALLEL, RACE, RACE_WAITS, REGION, WAITS
from services.kit.procedure.tests.test_engine_beside import SIDE, SIDE_RULES

PROCESSES = [PARALLEL, LOOP, REGION, RACE, SIDE]


def _walk(seed: int) -> tuple[bool, int]:
    """A random life of a random process: it must never be stuck, and end when driven on."""
    chance = random.Random(seed)
    text = chance.choice(PROCESSES)
    engine = Engine(pack(text, WAITS | RACE_WAITS | SIDE_RULES, sha256=f"walk{PROCESSES.index(text)}"))
    state = engine.start({}).state
    for number in range(60):
        nodes = engine.open(state)
        if engine.concluded(state):
            return not nodes, number
        assert nodes, (seed, number, state)
        single = [n.node_id for n in nodes if n.node_id != "note"]
        assert len(set(single)) == len(single), (seed, number, single)
        state = json.loads(json.dumps(_move(engine, chance, state, nodes, wild=number < 30)))
        assert [n.visit_id for n in engine.open(state)] == [n.visit_id for n in engine.open(state)]
    return False, 60


EVENTS = [{"type": "ActionWithdrawn"}, {"type": "PagesReceived"}, {"type": "TimeLimitExpired", "limit_id": "x"},
          {"type": "InstrumentServed", "instrument": "notice"}]  # fmt: skip


def _move(engine: Engine, chance: random.Random, state: State, nodes: list[OpenNode], wild: bool) -> State:
    tasks = [n for n in nodes if n.kind == "task"]
    if wild and chance.random() < 0.3:
        known = sorted({row[0] for t in state["threads"] for row in t["rows"]} & set(engine.graph.elements))
        try:
            return engine.reset_to(state, chance.choice(known), {}).state
        except ConflictError:
            return state
    if not tasks or (wild and chance.random() < 0.3):
        return engine.deliver(state, chance.choice(EVENTS), {}).state
    again = wild and chance.random() < 0.3
    return engine.complete(state, chance.choice(tasks).visit_id, {"forms": {"d": {"again": again}}}).state


def test_random_lives_end() -> None:
    outcomes = [_walk(seed) for seed in range(60)]
    assert all(ended for ended, _ in outcomes)
    assert max(steps for _, steps in outcomes) > 30


def test_sixteen_threads_share_one_engine() -> None:
    with ThreadPoolExecutor(16) as threads:
        outcomes = list(threads.map(_walk, range(1000, 1064)))
    assert outcomes == [_walk(seed) for seed in range(1000, 1064)]
