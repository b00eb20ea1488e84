"""Telling people, on the real database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import select

from anjuan.intake.v1.events_pb2 import FilingSubmitted
from anjuan.kit.v1.cards_pb2 import IntakeCard, PartyCard
from anjuan.notices.v1 import notices_pb2 as pb
from anjuan.workflow.v1.events_pb2 import ApprovalAsked, EffectRequested, EffectWithdrawn
from services.kit import clock, effects, events, projections, run, schema
from services.kit.errors import InvalidInputError, NotFoundError, UnavailableError
from services.kit.identity import Actor, system
from services.notices import usecases, views
from services.notices.__main__ import ROOM
from services.notices.consumer import NoticesConsumer
from services.ops.rig.session import Rig

CASE, BODY = "case-1", "body-1"
OFFICER = Actor("staff", "p-officer", "张伟", BODY, frozenset({"case_officer"}))
PARTY = Actor("party", "a-party", "某公司", account_id="a-party")


@pytest.fixture
def host(rig: Rig) -> Iterator[run.Host]:
    settings = rig.fresh_database("notices")
    run.migrate(ROOM, settings)
    host = run.open_host(ROOM, settings)
    yield host
    host.engine.dispose()


def event(message: object, actor: Actor) -> events.Event:
    return events.Event(
        event_id=clock.new_id(), source="workflow", type=type(message).__name__, aggregate_id=CASE, seq=1,
        occurred_on=date(2025, 3, 4), at=clock.now(), actor=actor, raw=events.to_raw(message),  # type: ignore[arg-type]
        body_id=BODY, case_id=CASE,
    )  # fmt: skip


def know_the_case(host: run.Host, reporter: str = "", party: str = "a-party") -> None:
    card = IntakeCard(body_id=BODY, state="docketed", title="某案", case_number="蓬市监立案〔2025〕1号",
                      reporter_account_id=reporter,
                      parties=[PartyCard(party_id="1", name="某公司", role="respondent", account_id=party)])
    told = event(FilingSubmitted(card=card), system("test"))
    with host.begin_as_system("test") as uow:
        fact = events.decode(events.encode(told).replace(b'"workflow"', b'"intake"'))
        projections.apply_all(uow.connection, [fact])


def ask(host: run.Host, to: object, text: str = "已决定立案", method: str = "") -> list[events.Event]:
    params = effects.struct({"to": to, "text": text} | ({"method": method} if method else {}))
    requested = EffectRequested(effect_id=clock.new_id(), effect="notify", owner="notices", params=params)
    with host.begin(OFFICER) as uow:
        NoticesConsumer(host).on_effect_requested(event(requested, OFFICER), uow)
    with host.begin(OFFICER) as uow:
        bodies = uow.connection.execute(select(schema.outbox.c.body).order_by(schema.outbox.c.position)).scalars()
        return [events.decode(bytes(body)) for body in bodies]


def test_parties_find_it_in_their_inbox_and_reading_counts_once(host: run.Host) -> None:
    know_the_case(host)
    assert [e.type for e in ask(host, "parties")] == ["NoticeDelivered", "EffectDone"]
    told = views.list_notices(host.begin(PARTY), PARTY, pb.ListNoticesRequest(unread=True))
    one = told.notices[0]
    assert (told.unread, one.text, one.case_number) == (1, "已决定立案", "蓬市监立案〔2025〕1号")
    usecases.mark_read(host.begin(PARTY), PARTY, told.notices[0].notice_id)
    first = views.get_notice(host.begin(PARTY), PARTY, told.notices[0].notice_id).read_at
    usecases.mark_read(host.begin(PARTY), PARTY, told.notices[0].notice_id)
    assert views.get_notice(host.begin(PARTY), PARTY, told.notices[0].notice_id).read_at == first
    assert views.list_notices(host.begin(PARTY), PARTY, pb.ListNoticesRequest()).unread == 0


def test_a_party_reads_what_it_was_told_while_the_register_names_it(host: run.Host) -> None:
    """Told when its account stood in the card, which a counter had not confirmed, or has blocked since."""
    know_the_case(host)
    ask(host, "parties")
    notice_id = views.list_notices(host.begin(PARTY), PARTY, pb.ListNoticesRequest()).notices[0].notice_id
    know_the_case(host, party="")
    told = views.list_notices(host.begin(PARTY), PARTY, pb.ListNoticesRequest())
    assert (len(told.notices), told.unread) == (0, 0)
    with pytest.raises(NotFoundError):
        views.get_notice(host.begin(PARTY), PARTY, notice_id)
    with pytest.raises(NotFoundError):
        usecases.mark_read(host.begin(PARTY), PARTY, notice_id)
    know_the_case(host)
    one = views.get_notice(host.begin(PARTY), PARTY, notice_id)
    assert (one.text, one.read_at) == ("已决定立案", "")


def test_nobody_reads_anothers(host: run.Host) -> None:
    know_the_case(host)
    ask(host, "parties")
    notice_id = views.list_notices(host.begin(PARTY), PARTY, pb.ListNoticesRequest()).notices[0].notice_id
    assert not views.list_notices(host.begin(OFFICER), OFFICER, pb.ListNoticesRequest()).notices
    with pytest.raises(NotFoundError):
        views.get_notice(host.begin(OFFICER), OFFICER, notice_id)
    with pytest.raises(NotFoundError):
        usecases.mark_read(host.begin(OFFICER), OFFICER, notice_id)


def test_a_reporter_without_account_is_told_by_the_officer_who_says_how(host: run.Host) -> None:
    know_the_case(host)
    refused = ask(host, "reporter")[-1]
    assert refused.type == "EffectRefused"
    assert "告知方式" in refused.data.reason
    assert [e.type for e in ask(host, "reporter", method="phone")[-2:]] == ["NoticeDelivered", "EffectDone"]


def test_nobody_to_tell_is_refused_not_forgotten(host: run.Host) -> None:
    know_the_case(host, party="")
    assert "没有可通知的人" in ask(host, "parties")[-1].data.reason
    assert "不能为空" in ask(host, "reporter", text="  ", method="phone")[-1].data.reason


def test_a_case_not_yet_known_is_tried_again(host: run.Host) -> None:
    with pytest.raises(UnavailableError):
        ask(host, "parties")


def test_an_effect_asked_twice_is_performed_once(host: run.Host) -> None:
    know_the_case(host)
    params = effects.struct({"to": "parties", "text": "一次"})
    twice = event(EffectRequested(effect_id="e-1", effect="notify", owner="notices", params=params), OFFICER)
    for _ in range(2):
        with host.begin(OFFICER) as uow:
            NoticesConsumer(host).on_effect_requested(twice, uow)
    assert len(views.list_notices(host.begin(PARTY), PARTY, pb.ListNoticesRequest()).notices) == 1


def test_pages_follow_each_other_without_gap(host: run.Host) -> None:
    know_the_case(host)
    for number in range(5):
        ask(host, "parties", text=f"第{number}条")
    seen, cursor = [], ""
    while True:
        page = views.list_notices(host.begin(PARTY), PARTY, pb.ListNoticesRequest(limit=2, cursor=cursor))
        seen += [n.text for n in page.notices]
        cursor = page.next_cursor
        if not cursor:
            break
    assert seen == [f"第{n}条" for n in (4, 3, 2, 1, 0)]
    with pytest.raises(InvalidInputError):
        views.list_notices(host.begin(PARTY), PARTY, pb.ListNoticesRequest(cursor="!"))


def test_an_effect_given_up_by_the_operator_is_not_performed_later(host: run.Host) -> None:
    know_the_case(host)
    params = effects.struct({"to": "parties", "text": "迟到"})
    late = event(EffectRequested(effect_id="e-9", effect="notify", owner="notices", params=params), OFFICER)
    given_up = event(EffectWithdrawn(effect_id="e-9", effect="notify", owner="notices", reason="不再需要"), OFFICER)
    with host.begin(OFFICER) as uow:
        NoticesConsumer(host).on_effect_withdrawn(given_up, uow)
        NoticesConsumer(host).on_effect_requested(late, uow)
    assert not views.list_notices(host.begin(PARTY), PARTY, pb.ListNoticesRequest()).notices


def test_who_may_approve_is_told(host: run.Host) -> None:
    know_the_case(host)
    asked = ApprovalAsked(task_id="t", title="立案审批·局长批准", person_ids=["p-leader", "p-deputy"])
    with host.begin(OFFICER) as uow:
        NoticesConsumer(host).on_approval_asked(event(asked, OFFICER), uow)
    leader = Actor("staff", "p-leader", "王局", BODY, frozenset({"body_leader"}))
    [one] = views.list_notices(host.begin(leader), leader, pb.ListNoticesRequest()).notices
    assert (one.text, one.sent_by_name, one.case_title) == ("“立案审批·局长批准”待您审批", "张伟", "某案")
    assert not views.list_notices(host.begin(OFFICER), OFFICER, pb.ListNoticesRequest()).notices
