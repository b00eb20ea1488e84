"""What the doctor asks without a platform, and how the demo reads a clock."""

from __future__ import annotations

from threading import Barrier
from typing import Any

import pytest

from anjuan.kit.v1 import operations_pb2 as pb
from services.kit.settings import Settings
from services.ops.demo.report import _state
from services.ops.doctor.running import _books
from services.ops.doors import Doors

ROOMS = [f"room-{n:02}" for n in range(40)]  # more than a pool has threads by itself, on any machine


class Slow(Doors):
    """No room answers before the last one is asked."""

    asked = Barrier(len(ROOMS))

    def ask(self, room: str, method: str, request: Any) -> Any:
        self.asked.wait(5)
        return pb.Balance()


def doors(*rooms: str) -> Doors:
    told = {"ANJUAN_DATA": "/nowhere", "ANJUAN_POSTGRES_PORT": "1", "ANJUAN_POSTGRES_PASSWORD": "", "ANJUAN_AMQP": "",
            "ANJUAN_RPC": ",".join(f"{room}=127.0.0.1:1" for room in rooms)}  # fmt: skip
    return Slow(Settings.from_environment(told), "")


def test_every_room_is_asked_at_once() -> None:
    assert list(_books(doors(*ROOMS))) == ROOMS
    assert _books(doors()) == {}


@pytest.mark.parametrize(("stopped", "due", "said"), [
    ("2025-03-04", "", "已停止"), ("", "", "已停止"), ("2025-03-04", "2025-03-05", "已停止"),
    ("2025-03-06", "2025-03-05", "到期自动解除"),
])  # fmt: skip
def test_a_measure_lapses_only_behind_a_day_on_which_it_was_due(stopped: str, due: str, said: str) -> None:
    clock = {"kind": "measure-term", "state": "stopped", "stopped_on": stopped, "due_on": due}
    assert _state(clock) == said
