"""Event subprocesses: what is asked for beside the procedure, and what interrupts it."""

from typing import Any

import pytest

from services.kit.errors import ConflictError
from services.kit.procedure.engine import Engine
from services.kit.procedure.tests.drawing import pack
from services.kit.procedure.tests.test_engine import do, names

SIDE = """start s
task a b
end e
s -> a -> b -> e
event delay {
task ask
end delayed
delay_start -> ask -> delayed
}
event! withdraw {
task rule_on_it
end withdrawn
withdraw_start -> rule_on_it -> withdrawn
}"""
SIDE_RULES: dict[str, dict[str, Any]] = {
    "delay_start": {"request": {"actor": {"role": "officer"}, "while_open": ["a"]}},
    "withdraw_start": {"waits_for": {"event": "ActionWithdrawn"}},
}


def test_event_subprocess_beside_the_procedure() -> None:
    engine = Engine(pack(SIDE, SIDE_RULES))
    start = engine.start({})
    assert list(engine.requests(start.state, {})) == ["delay_start"]
    asked = engine.request(start.state, "delay_start", {})
    assert names(engine.open(asked.state)) == ["a", "ask"]
    with pytest.raises(ConflictError):
        engine.request(asked.state, "delay_start", {})
    granted = do(engine, asked, "ask")
    assert list(engine.requests(granted.state, {})) == ["delay_start"]
    assert engine.requests(do(engine, granted, "a").state, {}) == {}
    ended = do(engine, asked, "a", "b")
    assert (ended.concluded, ended.outcome, names(ended.withdrawn)) == (True, "e", ["ask"])


def test_event_subprocess_that_interrupts() -> None:
    engine = Engine(pack(SIDE, SIDE_RULES))
    asked = engine.request(engine.start({}).state, "delay_start", {})
    cut = engine.deliver(asked.state, {"type": "ActionWithdrawn"}, {})
    assert (sorted(names(cut.withdrawn)), names(cut.opened)) == (["a", "ask"], ["rule_on_it"])
    with pytest.raises(ConflictError):
        engine.reset_to(cut.state, "a", {})
    ended = do(engine, cut, "rule_on_it")
    assert (ended.concluded, ended.outcome) == (True, "withdrawn")
