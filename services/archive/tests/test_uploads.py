"""Upload sessions on the real database and a real folder store."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date, timedelta

import pytest
from google.protobuf.message import Message
from sqlalchemy import select, update

from anjuan.archive.v1.archive_pb2 import GetFileRequest, OpenUploadRequest
from anjuan.identity.v1.events_pb2 import BodyChanged
from anjuan.identity.v1.identity_pb2 import Body
from anjuan.intake.v1.events_pb2 import FilingSubmitted
from anjuan.intake.v1.intake_pb2 import Filing, Material
from anjuan.kit.v1.cards_pb2 import IntakeCard, PartyCard
from anjuan.workflow.v1.events_pb2 import SuperiorAnswered
from services.archive.consumer import ArchiveConsumer
from services.archive.settings import SETTINGS, Allowance
from services.archive.tables import upload_sessions
from services.archive.usecases import uploads as usecases
from services.archive.views import files as views
from services.kit import clock, events, projections, run, schema
from services.kit.errors import (
    CaseNotKnownError,
    ConflictError,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    RateLimitedError,
    TooLargeError,
)
from services.kit.identity import Actor, system
from services.kit.objects import sha256_key
from services.ops.rig.session import Rig

BODY, OTHER, CASE = "body-1", "body-2", "case-1"
CLERK = Actor("staff", "p-clerk", "登记员", BODY, frozenset({"registrar"}))
LEADER = Actor("staff", "p-leader", "局长", BODY, frozenset({"body_leader"}))
STRANGER = Actor("staff", "p-stranger", "外人", OTHER, frozenset({"registrar"}))
PARTY = Actor("party", "p-zhao", "赵一", account_id="acc-zhao")
RIVAL = Actor("party", "p-qian", "钱二", account_id="acc-qian")


def told(
    host: run.Host, source: str, message: Message, stream: str, case_id: str = "", body_id: str = BODY,
    actor: Actor | None = None,
) -> events.Event:  # fmt: skip
    """A fact of another room, applied as the inbox would."""
    event = events.Event(
        event_id=clock.new_id(), source=source, type=message.DESCRIPTOR.name, aggregate_id=stream, seq=1,
        occurred_on=date(2025, 1, 6), at=clock.now(), actor=actor or system("test"), raw=events.to_raw(message),
        body_id=body_id, case_id=case_id,
    )  # fmt: skip
    with host.begin_as_system("test") as uow:
        projections.apply_all(uow.connection, [event])
        if event.type == "FilingSubmitted":
            ArchiveConsumer(host).on_filing_submitted(event, uow)
    return event


@pytest.fixture
def host(archive: run.Host, rig: Rig) -> run.Host:
    rig.empty_tables(["archive"])
    for body in (BODY, OTHER):
        told(archive, "identity", BodyChanged(body=Body(body_id=body, name=body, kind="bureau", tier="county")), body)
    return archive


def opened(host: run.Host, data: bytes, media_type: str = "text/plain", actor: Actor = CLERK) -> str:
    request = OpenUploadRequest(
        size=len(data), sha256=hashlib.sha256(data).hexdigest(), file_name="../../etc/passwd", media_type=media_type,
        purpose="material", body_id=BODY,
    )  # fmt: skip
    return usecases.open_upload(host.begin(actor), actor, request).upload_id


def send(host: run.Host, upload_id: str, offset: int, chunk: bytes, actor: Actor = CLERK) -> str:
    return usecases.append(host.begin(actor), host.objects, actor, upload_id, offset, chunk).state


def state(host: run.Host, upload_id: str) -> tuple[str, str]:
    session = usecases.get_upload(host.begin(CLERK), CLERK, upload_id)
    return session.state, session.reason


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


def filed(host: run.Host, data: bytes, *, internal: bool) -> GetFileRequest:
    upload_id = opened(host, data)
    send(host, upload_id, 0, data)
    usecases.assemble(host, {"upload_id": upload_id})
    digest = hashlib.sha256(data).hexdigest()
    material = Material(name="材料", sha256=digest, size=len(data), internal=internal)
    card = IntakeCard(body_id=BODY, state="received", title="案")
    told(host, "intake", FilingSubmitted(filing=Filing(materials=[material]), card=card), CASE, CASE)
    return GetFileRequest(sha256=digest, case_id=CASE)


def test_bytes_are_read_only_by_those_who_see_the_case(host: run.Host) -> None:
    request = filed(host, b"evidence", internal=False)
    assert views.get_file(host.begin(LEADER), host.objects, LEADER, request).chunk == b"evidence"
    with pytest.raises(CaseNotKnownError):
        views.get_file(host.begin(STRANGER), host.objects, STRANGER, request)
    elsewhere = GetFileRequest(sha256="0" * 64, case_id=CASE)
    with pytest.raises(CaseNotKnownError):
        views.get_file(host.begin(LEADER), host.objects, LEADER, elsewhere)


def test_an_upper_tier_reads_bytes_with_a_reason_and_on_the_record(host: run.Host) -> None:
    request = filed(host, b"evidence", internal=False)
    above = Actor("staff", "p-above", "市局局长", "city", frozenset({"body_leader"}))
    body = Body(body_id=BODY, parent_id="city", name="县局", kind="bureau", tier="county")
    told(host, "identity", BodyChanged(body=body, ancestor_ids=["city"]), BODY)
    with pytest.raises(NotAllowedError):
        views.get_file(host.begin(above), host.objects, above, request)
    request.reason = "supervision"
    assert views.get_file(host.begin(above), host.objects, above, request).chunk == b"evidence"
    with host.begin(above) as uow:
        read = select(schema.audit.c.detail).where(schema.audit.c.action == "read_file")
        assert [d["reason"] for d in uow.connection.execute(read).scalars()] == ["supervision"]


def test_the_scan_of_a_superiors_paper_answer_belongs_to_the_case(host: run.Host) -> None:
    data = b"paper"
    filed(host, b"evidence", internal=False)
    send(host, opened(host, data), 0, data)
    digest = hashlib.sha256(data).hexdigest()
    fact = SuperiorAnswered(effect_id="e", granted=True, number="（2025）粤延1号", scan_sha256=digest)
    event = told(host, "workflow", fact, CASE, CASE)
    with host.begin_as_system("test") as uow:
        ArchiveConsumer(host).on_superior_answered(event, uow)
    request = GetFileRequest(sha256=digest, case_id=CASE)
    assert views.get_file(host.begin(LEADER), host.objects, LEADER, request).chunk == data


def test_internal_bytes_ask_for_the_right_to_the_internal_volume(host: run.Host) -> None:
    request = filed(host, b"report", internal=True)
    assert views.get_file(host.begin(LEADER), host.objects, LEADER, request).chunk == b"report"
    scanner = Actor("staff", "p-archive", "登记", BODY, frozenset({"docketing_clerk"}))
    with pytest.raises(NotAllowedError, match="副卷"):
        views.get_file(host.begin(scanner), host.objects, scanner, request)


def test_a_hash_alone_opens_nothing(host: run.Host) -> None:
    """A clerk of another body names these bytes in a filing of his own."""
    digest = filed(host, b"secret of one body", internal=False).sha256
    card = IntakeCard(body_id=OTHER, state="received", title="另案")
    material = Material(name="抄来的哈希", sha256=digest, size=18)
    told(host, "intake", FilingSubmitted(filing=Filing(materials=[material]), card=card), "case-2", "case-2", OTHER)
    leader = Actor("staff", "p-other", "他局局长", OTHER, frozenset({"body_leader"}))
    with pytest.raises(CaseNotKnownError):
        views.get_file(host.begin(leader), host.objects, leader, GetFileRequest(sha256=digest, case_id="case-2"))


def announced(host: run.Host, actor: Actor, **changed: object) -> str:
    """A session of one byte; `changed` replaces what is announced."""
    told_so = {"size": 1, "sha256": "a" * 64, "media_type": "text/plain", "purpose": "material", "body_id": BODY}
    return usecases.open_upload(host.begin(actor), actor, OpenUploadRequest(**told_so | changed)).upload_id  # type: ignore[arg-type]


def test_a_party_hands_in_materials_of_its_own(host: run.Host) -> None:
    data = b"my own contract"
    material = Material(name="合同", sha256=hashlib.sha256(data).hexdigest(), size=len(data))
    assert send(host, opened(host, data, actor=PARTY), 0, data, PARTY) == "stored"
    for who, case_id in ((PARTY, CASE), (RIVAL, "case-2")):  # the other names the hash in a filing to the same body
        party = PartyCard(party_id=f"of-{who.person_id}", name=who.name, role="plaintiff", account_id=who.account_id)
        card = IntakeCard(body_id=BODY, state="docketed", title="案", parties=[party])
        fact = FilingSubmitted(filing=Filing(materials=[material]), card=card)
        told(host, "intake", fact, case_id, case_id, actor=who)
    mine, theirs = (GetFileRequest(sha256=material.sha256, case_id=case_id) for case_id in (CASE, "case-2"))
    assert views.get_file(host.begin(PARTY), host.objects, PARTY, mine).chunk == data
    for request in (mine, theirs):
        with pytest.raises(CaseNotKnownError):
            views.get_file(host.begin(RIVAL), host.objects, RIVAL, request)
    assert announced(host, PARTY, case_id=CASE)
    with pytest.raises(CaseNotKnownError):
        announced(host, RIVAL, case_id=CASE)


def test_where_nobody_may_upload(host: run.Host) -> None:
    card = IntakeCard(body_id=OTHER, state="docketed", title="他局的案件")
    told(host, "intake", FilingSubmitted(filing=Filing(), card=card), CASE, CASE, OTHER)
    with pytest.raises(NotAllowedError):
        announced(host, PARTY, purpose="scan_batch")
    with pytest.raises(NotAllowedError):
        announced(host, PARTY, body_id="no-such-body")
    with pytest.raises(CaseNotKnownError):
        announced(host, CLERK, case_id=CASE)


def test_an_account_has_an_allowance(host: run.Host, monkeypatch: pytest.MonkeyPatch) -> None:
    small = replace(SETTINGS, party=Allowance(largest_file=100, a_day=250, open_at_once=3))
    monkeypatch.setattr("services.archive.model.uploads.SETTINGS", small)
    with pytest.raises(TooLargeError, match="100 字节"):
        announced(host, PARTY, size=101)
    first = announced(host, PARTY, size=100)
    announced(host, PARTY, size=100)
    with pytest.raises(RateLimitedError, match="50 字节"):
        announced(host, PARTY, size=51)
    usecases.cancel_upload(host.begin(PARTY), host.objects, PARTY, first)  # nothing of it had come
    announced(host, PARTY, size=51)
    announced(host, PARTY, size=50)
    with pytest.raises(RateLimitedError, match="未完成的上传已有3个"):
        announced(host, PARTY, size=1)
    announced(host, RIVAL, size=100)
    with host.begin(CLERK) as uow:
        aged = update(upload_sessions).values(created_at=clock.now() - timedelta(days=2), state="stored")
        uow.connection.execute(aged)
    assert announced(host, PARTY, size=100)
