"""Upload sessions of clerks and parties, without scans: who they are, and how their bytes come."""

from __future__ import annotations

import hashlib
from datetime import date

from google.protobuf.message import Message

from anjuan.archive.v1.archive_pb2 import OpenUploadRequest
from services.archive.consumer import ArchiveConsumer
from services.archive.usecases import uploads as usecases
from services.kit import clock, events, projections, run
from services.kit.identity import Actor, system

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


def announced(host: run.Host, actor: Actor, **changed: object) -> str:
    """A session of one byte; `changed` replaces what is announced."""
    told_so = {"size": 1, "sha256": "a" * 64, "media_type": "text/plain", "purpose": "material", "body_id": BODY}
    return usecases.open_upload(host.begin(actor), actor, OpenUploadRequest(**told_so | changed)).upload_id  # type: ignore[arg-type]
