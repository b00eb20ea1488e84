"""What the door refuses before any room sees it."""

from __future__ import annotations

import pytest
from google.protobuf.struct_pb2 import Struct

from anjuan.archive.v1.archive_pb2 import AppendRequest
from anjuan.intake.v1.intake_pb2 import Filing, Party, SubmitFilingRequest
from anjuan.kit.v1.operations_pb2 import Balance
from services.kit.errors import InvalidInputError
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
