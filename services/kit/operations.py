"""The operators' door, the same in every room: the books, what is parked, replay, audit."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

import grpc
from sqlalchemy import Connection, select, text

from anjuan.kit.v1 import operations_pb2 as pb
from anjuan.kit.v1 import operations_pb2_grpc
from services.kit import audit, events, relay, rpc, schema
from services.kit.errors import InvalidInputError, NotAllowedError, UnavailableError
from services.kit.identity import Actor
from services.kit.publisher import BrokerGoneError

if TYPE_CHECKING:
    from services.kit.run import Host, Room

LARGEST_PAGE = 200
_SENT = text("select coalesce(sum(version), 0) from streams")
_UNSENT = text("select count(*) from outbox where sent_at is null")
_APPLIED = text("select source, sum(last_seq) from inbox group by source")
_WAITING = text("select count(*) from inbox_waiting where parked_at is null")
# one that failed and waits for its next attempt is due as well
_DUE_JOBS = text("""
    select count(*) from jobs where done_at is null and parked_at is null
    and (run_at <= clock_timestamp() or attempts > 0)""")
_PARKED_EVENTS = text("""
    select source, aggregate_id, seq, body, error, parked_at from inbox_waiting
    where parked_at is not null order by parked_at limit 1000""")
_PARKED_JOBS = text("select job_id, kind, error, parked_at from jobs where parked_at is not null limit 1000")
_RETRY_EVENTS = text("""
    update inbox_waiting set parked_at = null, attempts = 0, retry_at = clock_timestamp()
    where parked_at is not null and (:all or (source, aggregate_id, seq) = (:source, :id, :seq))
    returning source, aggregate_id""")
_UNPARK = text("""
    update inbox set parked = false where parked and not exists (select 1 from inbox_waiting w
    where w.source = inbox.source and w.aggregate_id = inbox.aggregate_id and w.parked_at is not null)""")
_RETRY_JOBS = text("""
    update jobs set parked_at = null, attempts = 0, run_at = clock_timestamp()
    where parked_at is not null and (:all or job_id = :id) returning job_id""")


def operator() -> Actor:
    """The caller, when it may operate the platform.

    Raises:
        NotAllowedError: neither an operator nor the platform itself.
    """
    actor = rpc.signed_in()
    if actor.kind not in ("operator", "system"):
        raise NotAllowedError("只有运维人员可以使用此功能")
    return actor


def registration(room: Room, host: Host) -> Callable[[grpc.Server], None]:
    """What adds this door to a room's server."""
    return lambda server: operations_pb2_grpc.add_OperationsServicer_to_server(Operations(room, host), server)


class Operations(operations_pb2_grpc.OperationsServicer):
    """See proto/anjuan/kit/v1/operations.proto; operators and the platform itself only."""

    def __init__(self, room: Room, host: Host) -> None:
        self.room, self.host = room, host

    def GetBalance(self, request: pb.GetBalanceRequest, context: grpc.ServicerContext) -> pb.Balance:
        with self.host.begin(operator()) as uow:
            uow.connection.execute(text("set transaction isolation level repeatable read, read only"))
            return balance(self.room, uow)

    def NextDue(self, request: pb.NextDueRequest, context: grpc.ServicerContext) -> pb.NextDueAnswer:
        actor = operator()
        if self.room.next_due is None:
            return pb.NextDueAnswer()
        after = _day(request.after)
        with self.host.begin(actor) as uow:
            found = self.room.next_due(uow, request.root_body_id, after)
        return pb.NextDueAnswer(due_on=found.isoformat() if found else "")

    def Replay(self, request: pb.ReplayRequest, context: grpc.ServicerContext) -> pb.ReplayAnswer:
        with self.host.begin(operator()) as uow:
            uow.record("replay", request.queue, detail={"aggregate_id": request.aggregate_id})
        try:
            sent = relay.replay(self.host.settings, self.room.name, request.queue, request.aggregate_id)
        except BrokerGoneError as error:
            raise UnavailableError(f"消息队列未接收：{error}") from error
        return pb.ReplayAnswer(events=sent)

    def RetryParked(self, request: pb.RetryParkedRequest, context: grpc.ServicerContext) -> pb.RetryParkedAnswer:
        with self.host.begin(operator()) as uow:
            uow.record("retry_parked", request.parked_id or "*")
            return pb.RetryParkedAnswer(retried=_retry(uow.connection, request.parked_id))

    def ListAudit(self, request: pb.ListAuditRequest, context: grpc.ServicerContext) -> pb.ListAuditAnswer:
        limit = min(request.limit or 50, LARGEST_PAGE)
        table = schema.audit
        wanted = select(table).where(table.c.position > _position(request.cursor)).order_by(table.c.position)
        if request.case_id:
            wanted = wanted.where(table.c.case_id == request.case_id)
        with self.host.begin(operator()) as uow:
            rows = uow.connection.execute(wanted.limit(limit)).all()
        following = str(rows[-1].position) if len(rows) == limit else ""
        return pb.ListAuditAnswer(rows=[_audit_row(row) for row in rows], next_cursor=following)

    def VerifyAudit(self, request: pb.VerifyAuditRequest, context: grpc.ServicerContext) -> pb.VerifyAuditAnswer:
        operator()
        found = audit.verify(self.host)
        said = found.faults[:1000]
        return pb.VerifyAuditAnswer(rows=found.rows, unchained=found.unchained, head=found.head, faults=said)


def balance(room: Room, uow: Any) -> pb.Balance:
    """The books of a room as one snapshot shows them."""
    run = uow.connection.execute
    return pb.Balance(
        service=room.name, unsent=run(_UNSENT).scalar_one(),
        sent_by_source={room.name: int(run(_SENT).scalar_one())},
        applied_by_source={**dict.fromkeys(room.sources, 0), **{s: int(n) for s, n in run(_APPLIED)}},
        waiting=run(_WAITING).scalar_one(), due_jobs=run(_DUE_JOBS).scalar_one(),
        unanswered_effects=room.unanswered(uow) if room.unanswered else 0, parked=_parked(uow.connection),
    )  # fmt: skip


def _parked(connection: Connection) -> list[pb.Parked]:
    found = [
        pb.Parked(parked_id=f"{row.source}/{row.seq}/{row.aggregate_id}", kind="event", source=row.source,
                  aggregate_id=row.aggregate_id, seq=row.seq, error=row.error, parked_at=row.parked_at.isoformat(),
                  **_told(bytes(row.body)))
        for row in connection.execute(_PARKED_EVENTS)
    ]  # fmt: skip
    return found + [
        pb.Parked(parked_id=f"job/0/{row.job_id}", kind="job", type=row.kind, error=row.error,
                  parked_at=row.parked_at.isoformat())
        for row in connection.execute(_PARKED_JOBS)
    ]  # fmt: skip


def _told(body: bytes) -> dict[str, str]:
    try:
        event = events.decode(body)
    except ValueError:
        return {}
    return {"type": event.type, "effect_id": str(event.raw.get("effect_id", ""))}


def _retry(connection: Connection, parked_id: str) -> int:
    source, _, rest = parked_id.partition("/")
    seq, _, aggregate_id = rest.partition("/")
    if parked_id and not (seq.isascii() and seq.isdigit() and len(seq) <= 18):
        raise InvalidInputError("编号不是已搁置事项的编号", [{"pointer": "/parked_id", "detail": "请从列表中复制"}])
    key = {"all": not parked_id, "source": source, "id": aggregate_id, "seq": int(seq or 0)}
    retried = connection.execute(_RETRY_EVENTS, key).rowcount + connection.execute(_RETRY_JOBS, key).rowcount
    connection.execute(_UNPARK)
    return retried


def _day(words: str) -> date:
    try:
        return date.fromisoformat(words)
    except ValueError as error:
        raise InvalidInputError("日期格式应为 YYYY-MM-DD", [{"pointer": "/after", "detail": words}]) from error


def _position(cursor: str) -> int:
    if cursor and not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
        raise InvalidInputError("游标无效", [{"pointer": "/cursor", "detail": "请使用上一页给出的游标"}])
    return int(cursor or 0)


def _audit_row(row: Any) -> pb.AuditRow:
    return pb.AuditRow(
        position=row.position, at=row.at.isoformat(), actor_id=row.actor.get("id", ""),
        actor_name=row.actor.get("name", ""), action=row.action, object_id=row.object_id,
        detail_json=json.dumps(row.detail, ensure_ascii=False),
    )  # fmt: skip
