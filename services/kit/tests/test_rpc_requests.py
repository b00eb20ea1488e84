"""What the door refuses before any room sees it."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
from google.protobuf.struct_pb2 import Struct

from anjuan.archive.v1.archive_pb2 import AppendRequest
from anjuan.intake.v1.intake_pb2 import Filing, Party, SubmitFilingRequest
from anjuan.kit.v1.operations_pb2 import Balance
from services.kit import rpc
from services.kit.errors import DomainError, InvalidInputError, RuleRefusedError
from services.kit.rpc import metadata, require_storable


def content(value: str | float) -> SubmitFilingRequest:
    struct = Struct()
    struct.update({"a": [{"b": value}]})
    return SubmitFilingRequest(filing=Filing(content=struct))


@pytest.mark.parametrize(
    "request_",
    [
        SubmitFilingRequest(filing=Filing(title="某\0案")),
        SubmitFilingRequest(filing=Filing(parties=[Party(name="张\0三")])),
        content("\0"),
        content(float("nan")),
        content(float("inf")),
        Balance(sent_by_source={"a\0": 1}),
    ],
)
def test_what_cannot_be_stored_is_named(request_: SubmitFilingRequest) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        require_storable(request_)
    assert refusal.value.fields


def test_bytes_may_hold_anything_and_words_everything_else() -> None:
    require_storable(AppendRequest(upload_id="u", chunk=b"\0\0"))
    require_storable(content("𠮷 堃 \u200b 1e308"))


def test_every_call_carries_a_key_so_that_a_retry_is_known_as_one() -> None:
    first, second = dict(metadata("")), dict(metadata("token"))
    assert first["idempotency-key"]
    assert first["idempotency-key"] != second["idempotency-key"]
    assert dict(metadata("", key="mine"))["idempotency-key"] == "mine"


def refused_with(error: DomainError) -> DomainError:
    """What a neighbour hears of a refusal, over a real door."""
    ways = {"Refuse": grpc.unary_unary_rpc_method_handler(
        lambda _, context: rpc.refuse(context, error), Balance.FromString, Balance.SerializeToString)}  # fmt: skip
    host: Any = SimpleNamespace(name="left")
    server = rpc.serve(host, [], "127.0.0.1:0")
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("anjuan.Door", ways),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with rpc.channel(f"127.0.0.1:{port}") as channel:
            ask = channel.unary_unary("/anjuan.Door/Refuse", Balance.SerializeToString, Balance.FromString)
            with pytest.raises(DomainError) as heard:
                rpc.invoke(ask, Balance())
        return heard.value
    finally:
        server.stop(None).wait()


@pytest.mark.parametrize("count", [400, 20_000])
def test_a_neighbour_hears_of_many_wrong_fields_and_how_many_there_are(count: int) -> None:
    fields = [{"pointer": f"/people/{n}/name", "detail": "姓名不能为空，请填写后重新提交"} for n in range(count)]
    heard = refused_with(InvalidInputError("有字段填写有误", fields))
    assert type(heard) is InvalidInputError
    assert heard.fields == fields[: len(heard.fields)]
    assert len(heard.fields) >= 400
    assert (f"共{count}处有误" in heard.detail) == (len(heard.fields) < count)
    assert len(json.dumps(heard.fields, ensure_ascii=False).encode()) <= rpc.LARGEST_PROBLEM


def test_a_problem_stays_small_whatever_is_in_it() -> None:
    one = [{"pointer": "", "detail": "x" * 10**6}]
    heard = refused_with(RuleRefusedError("不" * 100_000, one, huge="长" * 10**6))
    assert heard.slug == "rule-refused"
    assert len(heard.detail) < 2 * rpc.LONGEST_DETAIL
