"""Whose bytes they are: read by who sees the case, handed in by parties, within an allowance."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from anjuan.archive.v1.archive_pb2 import FindFilesRequest, GetFileRequest
from anjuan.identity.v1.events_pb2 import BodyChanged
from anjuan.identity.v1.identity_pb2 import Body
from anjuan.intake.v1.events_pb2 import FilingSubmitted
from anjuan.intake.v1.intake_pb2 import Filing, Material
from anjuan.kit.v1.cards_pb2 import IntakeCard, PartyCard
from anjuan.workflow.v1.events_pb2 import SuperiorAnswered
from services.archive.consumer import ArchiveConsumer
from services.archive.settings import SETTINGS, Allowance
from services.archive.tables import upload_sessions
from services.archive.tests.files import (
    BODY,
    CASE,
    CLERK,
    LEADER,
    OTHER,
    PARTY,
    RIVAL,
    STRANGER,
    announced,
    opened,
    send,
    told,
)
from services.archive.tests.known import knows
from services.archive.usecases import uploads as usecases
from services.archive.views import files as views
from services.kit import clock, run, schema
from services.kit.errors import (
    CaseNotKnownError,
    InvalidInputError,
    NotAllowedError,
    RateLimitedError,
    TooLargeError,
)
from services.kit.identity import Actor


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
    knows(host, above)
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


def handing_in(data: bytes, state: str, case_id: str, *, by: Actor, host: run.Host) -> None:
    """The case of a filing by PARTY or in its name; RIVAL, whom it names as well, stands on the other side."""
    sides = ((PARTY, "plaintiff"), (RIVAL, "defendant"))
    parties = [PartyCard(party_id=f"{case_id}-{role}", name=who.name, role=role, account_id=who.account_id)
               for who, role in sides]  # fmt: skip
    material = Material(name="起诉状", sha256=hashlib.sha256(data).hexdigest(), size=len(data))
    card = IntakeCard(body_id=BODY, state=state, title="案", parties=parties, sealed=state == "sealed")
    told(host, "intake", FilingSubmitted(filing=Filing(materials=[material]), card=card), case_id, case_id, actor=by)


@pytest.mark.parametrize("state", ["received", "declined", "sealed"])
def test_who_handed_a_file_in_reads_it_on_while_the_case_is_not_accepted(host: run.Host, state: str) -> None:
    own, other = b"my own complaint", b"what the clerk has brought"
    for who in (PARTY, RIVAL):  # both have uploaded the same bytes: the one named them, the other did not
        send(host, opened(host, own, actor=who), 0, own, who)
    for data, who in ((other, CLERK), (other, PARTY)):
        send(host, opened(host, data, actor=who), 0, data, who)
    handing_in(own, state, CASE, by=PARTY, host=host)
    handing_in(other, state, "case-2", by=CLERK, host=host)
    handing_in(own, state, "case-3", by=replace(PARTY, person_id=usecases.REPORTER), host=host)

    def reads(who: Actor, data: bytes, case_id: str = CASE) -> str:
        request = GetFileRequest(sha256=hashlib.sha256(data).hexdigest(), case_id=case_id)
        try:
            return views.get_file(host.begin(who), host.objects, who, request).chunk.decode()
        except CaseNotKnownError:
            return "not known"

    assert reads(PARTY, own) == ("not known" if state == "sealed" else own.decode())
    assert reads(PARTY, other) == "not known", "not of this case"
    assert reads(PARTY, other, "case-2") == "not known", "named by the clerk"
    assert reads(PARTY, own, "case-3") == "not known", "told in a reporter's name, and recorded in nobody's"
    assert {reads(RIVAL, own), reads(RIVAL, other, "case-2"), reads(STRANGER, own)} == {"not known"}


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


def test_nothing_on_the_record_or_the_bus_says_whose_bytes_a_report_brought(host: run.Host) -> None:
    """A reporter is a party like any other until the filing says what it is; then it would be too late."""
    whistle, told_by = Actor("party", "p-whistle", "欧阳举报", account_id="a-whistle"), b"what I have seen"
    sha256 = hashlib.sha256(told_by).hexdigest()
    send(host, opened(host, told_by, actor=whistle), 0, told_by, whistle)
    slow = opened(host, b"in pieces", actor=whistle)
    send(host, slow, 0, b"in ", whistle)
    send(host, slow, 3, b"pieces", whistle)
    usecases.assemble(host, {"upload_id": slow})
    given_up = opened(host, b"never mind", actor=whistle)
    usecases.cancel_upload(host.begin(whistle), host.objects, whistle, given_up)
    views.get_file(host.begin(whistle), host.objects, whistle, GetFileRequest(sha256=sha256))
    with host.begin(CLERK) as uow:
        rows = [dict(row) for row in uow.connection.execute(select(schema.audit)).mappings()]
        bodies = [bytes(body).decode() for body in uow.connection.execute(select(schema.outbox.c.body)).scalars()]
    assert sorted(row["action"] for row in rows) == [*["close_upload"] * 3, *["open_upload"] * 3, "read_file"]
    assert len(bodies) == 2
    for secret in ("whistle", "欧阳", "passwd"):
        assert secret not in "".join([*bodies, *map(str, rows)])


def test_what_has_come_is_told_to_who_may_name_it(host: run.Host) -> None:
    whole, halves, half = b"party's own", b"two pieces", b"never ends"
    for data, pieces in ((whole, 1), (halves, 2), (half, 1)):
        upload_id, cut = opened(host, data, actor=PARTY), len(data) if data is whole else 5
        for offset in range(0, cut * pieces, cut):
            send(host, upload_id, offset, data[offset : offset + cut], PARTY)
    digests = [hashlib.sha256(data).hexdigest() for data in (whole, halves, half)]

    def told_to(actor: Actor) -> list[tuple[str, int, str, bool, bool]]:
        found = views.find_files(host.begin(actor), actor, FindFilesRequest(sha256=[*digests, "0" * 64])).files
        return sorted((f.sha256, f.size, f.body_id, f.own, f.stored) for f in found)

    here = sorted([(digests[0], len(whole), BODY, True, True), (digests[1], len(halves), BODY, True, False)])
    assert told_to(PARTY) == here, "one whose bytes are still to come is not there"
    assert told_to(CLERK) == sorted((*one[:3], False, one[4]) for one in here)
    for stranger in (RIVAL, STRANGER, replace(CLERK, roles=frozenset({"supervisor"}))):
        assert told_to(stranger) == []
    asked = FindFilesRequest(sha256=[f"{n:064x}" for n in range(1001)])
    with pytest.raises(InvalidInputError, match="一次至多查询1000个"):
        views.find_files(host.begin(PARTY), PARTY, asked)


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
