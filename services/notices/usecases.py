"""Verbs of the notices room."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from anjuan.notices.v1.events_pb2 import NoticeDelivered
from services.kit import clock
from services.kit.effects import EffectCall
from services.kit.events import Event
from services.kit.identity import Actor
from services.notices.model import INBOX, Notice, Recipient, checked_text, method_for, recipients
from services.notices.store import NoticesUnit


def notify(uow: NoticesUnit, call: EffectCall) -> Mapping[str, Any]:
    """Effect: tell the reporter, the parties, the officers or named people; answers the notices' ids."""
    text, wished = checked_text(str(call.params["text"])), str(call.params.get("method", ""))
    meant = recipients(call.params["to"], uow.inbox.card(call.case_id))
    return {"notice_ids": [_tell(uow, call, recipient, text, method_for(recipient, wished)) for recipient in meant]}


def _tell(uow: NoticesUnit, call: EffectCall, recipient: Recipient, text: str, method: str) -> str:
    sender = uow.cause.actor
    notice = Notice(
        notice_id=clock.new_id(), case_id=call.case_id, body_id=call.body_id, recipient_kind=recipient.kind,
        recipient_id=recipient.id, text=text, method=method, sent_on=call.occurred_on, sent_by=sender.person_id,
        sent_by_name=sender.name, read_at=None,
    )  # fmt: skip
    uow.inbox.add(notice)
    uow.record("notify", notice.notice_id, case_id=call.case_id, body_id=call.body_id, legal_on=call.occurred_on,
               detail={"recipient_kind": recipient.kind, "method": method})  # fmt: skip
    told = NoticeDelivered(notice_id=notice.notice_id, recipient_kind=recipient.kind, recipient_id=recipient.id,
                           method=method)  # fmt: skip
    uow.emit(told, stream=notice.notice_id, body_id=call.body_id, case_id=call.case_id, occurred_on=call.occurred_on)
    return notice.notice_id


def tell_approvers(uow: NoticesUnit, event: Event) -> None:
    """An approval waits: everybody who may give it finds it in the inbox. No fact: the task itself is on the list."""
    asked = event.data
    for person_id in asked.person_ids:
        notice = Notice(
            notice_id=clock.new_id(), case_id=event.case_id, body_id=event.body_id, recipient_kind="person",
            recipient_id=person_id, text=f"“{asked.title}”待您审批", method=INBOX, sent_on=event.occurred_on,
            sent_by=event.actor.person_id, sent_by_name=event.actor.name, read_at=None,
        )  # fmt: skip
        uow.inbox.add(notice)
    uow.record("tell_approvers", asked.task_id, case_id=event.case_id, body_id=event.body_id,
               legal_on=event.occurred_on, detail={"people": len(asked.person_ids)})  # fmt: skip


def mark_read(uow: NoticesUnit, actor: Actor, notice_id: str) -> None:
    """The addressee has read it."""
    with uow:
        uow.inbox.mark_read(notice_id, reader_ids(actor), clock.now())
        uow.record("mark_read", notice_id)


def reader_ids(actor: Actor) -> list[str]:
    """The ids under which a person's notices lie."""
    return sorted({actor.person_id, actor.account_id} - {""})
