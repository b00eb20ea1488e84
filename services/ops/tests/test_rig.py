"""The session's database and broker are real ones and come back after an accident."""

from __future__ import annotations

from collections.abc import Callable

import pika
import psycopg
import pytest

from services.kit.settings import Settings
from services.ops.rig.session import Rig

pytestmark = pytest.mark.integration


def _connect(settings: Settings, service: str, role: str | None = None) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        host=settings.postgres_host, port=settings.postgres_port, user=f"anjuan_{role or service}",
        password=settings.postgres_password, dbname=f"anjuan_{service}", autocommit=True,
    )  # fmt: skip


def test_database_keeps_what_was_committed_when_killed(rig: Rig, fresh_database: Callable[[str], Settings]) -> None:
    settings = fresh_database("probe")
    with _connect(settings, "probe") as database:
        database.execute("create table kept (id int primary key)")
        database.execute("insert into kept select generate_series(1, 1000)")
        assert database.execute("show fsync").fetchone() == ("on",)
        rig.postgres.kill()
    rig.postgres.start()
    with _connect(settings, "probe") as database:
        assert database.execute("select count(*) from kept").fetchone() == (1000,)


def test_fresh_database_is_empty_although_somebody_is_connected(fresh_database: Callable[[str], Settings]) -> None:
    settings = fresh_database("probe")
    with _connect(settings, "probe") as database:
        database.execute("create table old (id int)")
        fresh_database("probe")
    with _connect(settings, "probe") as database:
        assert database.execute("select to_regclass('old')").fetchone() == (None,)


def test_a_service_cannot_enter_another_service_s_database(fresh_database: Callable[[str], Settings]) -> None:
    settings = fresh_database("probe")
    fresh_database("other")
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        _connect(settings, "probe", role="other")


def test_empty_tables_keeps_the_schema(rig: Rig, fresh_database: Callable[[str], Settings]) -> None:
    with _connect(fresh_database("probe"), "probe") as database:
        database.execute("create table alembic_version (version_num text)")
        database.execute("insert into alembic_version values ('1')")
        database.execute("create table outbox (id bigint, month int) partition by list (month)")
        database.execute("create table outbox_1 partition of outbox for values in (1)")
        database.execute("insert into outbox values (7, 1)")
        rig.empty_tables(["probe"])
        assert database.execute("select count(*) from outbox").fetchone() == (0,)
        assert database.execute("select count(*) from alembic_version").fetchone() == (1,)


def _channel(rig: Rig) -> pika.adapters.blocking_connection.BlockingChannel:
    return pika.BlockingConnection(pika.URLParameters(rig.settings.amqp)).channel()


def _take(rig: Rig, queue: str) -> bytes | None:
    channel = _channel(rig)
    body: bytes | None = channel.basic_get(queue, auto_ack=True)[2]
    channel.connection.close()
    return body


def test_broker_keeps_confirmed_messages_over_a_kill_and_a_stop(rig: Rig) -> None:
    """Without flush_declarations() RabbitMQ 3.10 loses the queue that was declared last when it is killed."""
    channel = _channel(rig)
    channel.queue_declare("probe", durable=True, arguments={"x-queue-type": "quorum"})
    rig.broker.flush_declarations()
    channel.confirm_delivery()
    for body in (b"1", b"2"):
        channel.basic_publish("", "probe", body, pika.BasicProperties(delivery_mode=2), mandatory=True)
    channel.connection.close()
    rig.rabbitmq.kill()
    rig.rabbitmq.start()
    assert _take(rig, "probe") == b"1"
    rig.rabbitmq.restart()
    assert _take(rig, "probe") == b"2"


def test_purge_queues_leaves_nothing(rig: Rig) -> None:
    channel = _channel(rig)
    channel.queue_declare("probe.purge", durable=True, arguments={"x-queue-type": "quorum"})
    channel.confirm_delivery()
    channel.basic_publish("", "probe.purge", b"1", mandatory=True)
    channel.connection.close()
    rig.purge_queues()
    assert _take(rig, "probe.purge") is None
