"""Upload sessions on the real database and a real folder store."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from anjuan.archive.v1.archive_pb2 import OpenUploadRequest
from services.archive.tables import upload_sessions
from services.archive.tests.files import (
    BODY,
    CLERK,
    STRANGER,
    opened,
    send,
    state,
)
from services.archive.usecases import uploads as usecases
from services.kit import clock, run, schema
from services.kit.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    TooLargeError,
)
from services.kit.objects import sha256_key


def test_a_file_comes_in_pieces_and_is_kept_under_its_hash(host: run.Host) -> None:
    data = b"a" * 1_000_000 + b"b" * 700_000
    upload_id = opened(host, data)
    assert send(host, upload_id, 0, data[:1_000_000]) == "open"
    assert send(host, upload_id, 1_000_000, data[1_000_000:]) == "assembling"
    usecases.assemble(host, {"upload_id": upload_id})
    assert state(host, upload_id) == ("stored", "")
    assert host.objects.get(sha256_key(hashlib.sha256(data).hexdigest())) == data
    assert not list(host.objects.keys(f"uploads/{upload_id}"))
    with host.begin(CLERK) as uow:
        types = uow.connection.execute(select(schema.outbox.c.type)).scalars().all()
    assert types == ["UploadStored"]


def test_assembling_twice_tells_once(host: run.Host) -> None:
    upload_id = opened(host, b"once")
    send(host, upload_id, 0, b"on")
    assert send(host, upload_id, 2, b"ce") == "assembling"
    usecases.assemble(host, {"upload_id": upload_id})
    usecases.assemble(host, {"upload_id": upload_id})
    with host.begin(CLERK) as uow:
        assert len(uow.connection.execute(select(schema.outbox)).all()) == 1


def test_another_offset_is_refused_and_says_where_to_go_on(host: run.Host) -> None:
    upload_id = opened(host, b"0123456789")
    send(host, upload_id, 0, b"01234")
    with pytest.raises(ConflictError) as refusal:
        send(host, upload_id, 0, b"01234")
    assert refusal.value.context == {"offset": 5}


def test_a_small_file_is_stored_in_the_act_that_brings_it(host: run.Host) -> None:
    upload_id = opened(host, b"small")
    assert send(host, upload_id, 0, b"small") == "stored"
    assert host.objects.get(sha256_key(hashlib.sha256(b"small").hexdigest())) == b"small"
    with host.begin(CLERK) as uow:
        assert not uow.connection.execute(select(schema.jobs)).all()
        assert uow.connection.execute(select(schema.outbox.c.type)).scalars().all() == ["UploadStored"]
    other = opened(host, b"right")
    assert send(host, other, 0, b"wrong") == "failed"
    with pytest.raises(ConflictError, match="失败"):
        send(host, other, 0, b"right")


def test_wrong_content_fails_and_is_not_kept(host: run.Host) -> None:
    upload_id = opened(host, b"right")
    send(host, upload_id, 0, b"wr")
    send(host, upload_id, 2, b"ong")
    usecases.assemble(host, {"upload_id": upload_id})
    assert state(host, upload_id)[0] == "failed"
    assert host.objects.size(sha256_key(hashlib.sha256(b"wrong").hexdigest())) is None


def test_a_pdf_that_is_none_fails(host: run.Host) -> None:
    upload_id = opened(host, b"MZ not a pdf at all", "application/pdf")
    send(host, upload_id, 0, b"MZ not a pdf at all")
    usecases.assemble(host, {"upload_id": upload_id})
    assert "application/pdf" in state(host, upload_id)[1]


def test_bad_announcements_name_every_fault(host: run.Host) -> None:
    request = OpenUploadRequest(size=0, sha256="XYZ", media_type="pdf", purpose="x", body_id=BODY)
    with pytest.raises(InvalidInputError) as refusal:
        usecases.open_upload(host.begin(CLERK), CLERK, request)
    assert {f["pointer"] for f in refusal.value.fields} == {"/size", "/sha256", "/filetype", "/purpose"}


def test_more_than_announced_is_refused(host: run.Host) -> None:
    upload_id = opened(host, b"ab")
    with pytest.raises(TooLargeError):
        send(host, upload_id, 0, b"abc")


def test_a_session_is_its_owners_alone(host: run.Host) -> None:
    upload_id = opened(host, b"mine")
    with pytest.raises(NotFoundError):
        usecases.get_upload(host.begin(STRANGER), STRANGER, upload_id)
    with pytest.raises(NotFoundError):
        usecases.cancel_upload(host.begin(STRANGER), host.objects, STRANGER, upload_id)


def test_cancelled_and_expired_sessions_take_nothing_more(host: run.Host) -> None:
    cancelled, late = opened(host, b"abcd"), opened(host, b"abcd")
    usecases.cancel_upload(host.begin(CLERK), host.objects, CLERK, cancelled)
    with host.begin(CLERK) as uow:
        aged = update(upload_sessions).where(upload_sessions.c.upload_id == late)
        uow.connection.execute(aged.values(expires_at=clock.now() - timedelta(days=1)))
    usecases.expire_uploads(host.begin_as_system("tick"), None)
    for upload_id in (cancelled, late):
        assert state(host, upload_id)[0] == "expired"
        with pytest.raises(ConflictError):
            send(host, upload_id, 0, b"abcd")
