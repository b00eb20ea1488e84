"""`anjuan rebuild-search`: the operator's way through search's Rebuild, call after call until it is done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from anjuan.identity.v1.identity_pb2_grpc import IdentityStub
from anjuan.search.v1 import search_pb2 as pb
from anjuan.search.v1.search_pb2_grpc import SearchStub
from services.kit import clock, rpc
from services.kit.settings import Settings
from services.ops.publish import token_of
from services.ops.rig.wait import until

CALL_SECONDS, TOKEN_SECONDS, LONGEST_SECONDS = 60.0, 300.0, 12 * 3600.0
_STEPS = {"exporting": "读取各业务室的数据", "building": "建立新索引", "done": "完成", "failed": "未成功"}


def rebuild(settings: Settings, data: Path, tell: Callable[[str], None]) -> pb.RebuildAnswer:
    """The last answer; a fresh token as often as needed.

    Raises:
        DomainError: as search refuses, or it is down: begun again it takes the same rebuild up.
        TooLateError: the worker has not built it within LONGEST_SECONDS.
    """
    with rpc.channel(settings.rpc["identity"]) as identity, rpc.channel(settings.rpc["search"]) as search:
        door, signed, last = SearchStub(search), ("", -TOKEN_SECONDS), pb.RebuildAnswer()

        def step() -> bool:
            nonlocal signed, last
            if clock.monotonic() - signed[1] > TOKEN_SECONDS:
                signed = token_of(IdentityStub(identity), data, "", ""), clock.monotonic()
            asked = pb.RebuildRequest(rebuild_id=last.rebuild_id)
            last = rpc.invoke(door.Rebuild, asked, token=signed[0], timeout=CALL_SECONDS)
            tell(f"{_STEPS[last.state]}（已读 {last.exported} 项）")
            return last.state in ("done", "failed")

        until(step, LONGEST_SECONDS, "检索索引重建", every=0.3)
        return last


def told(answer: pb.RebuildAnswer) -> dict[str, Any]:
    """For --json."""
    fields = ("rebuild_id", "state", "exported", "documents", "differing", "removed", "problem")
    return {"ok": answer.state == "done"} | {name: getattr(answer, name) for name in fields}
