"""Processes start, tell how they are, and end cleanly when asked."""

from __future__ import annotations

import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.request import urlopen

import pytest
from grpc_health.v1 import health_pb2
from grpc_health.v1.health_pb2_grpc import HealthStub

from services.kit import clock, logs, rpc, run
from services.kit.errors import UnavailableError
from services.kit.process import Process
from services.kit.testing import until
from services.kit.tests.house import House, _free_port
from services.kit.tests.rooms import RIGHT
from services.ops.rig.session import Rig


def _serving(house: House) -> bool:
    with rpc.channel(house.settings.rpc["right"]) as channel:
        try:
            answer = rpc.invoke(HealthStub(channel).Check, health_pb2.HealthCheckRequest(), timeout=1)
        except UnavailableError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


@pytest.mark.integration
@pytest.mark.parametrize("command", ["serve", "relay", "tick", "work", "consume"])
def test_every_process_ends_cleanly_when_asked(house: House, command: str) -> None:
    port = _free_port()
    process = house.start("right", command, ANJUAN_METRICS_PORT=str(port))
    until(lambda: _healthy(port), 90, f"{command} is healthy")
    if command == "serve":
        until(lambda: _serving(house), 90, "the door answers")
    began = clock.monotonic()
    assert house.stop(process) == 0
    assert clock.monotonic() - began < 10


def _healthy(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as answer:
            return all(json.load(answer).values())
    except OSError:
        return False


@pytest.mark.integration
def test_metrics_tell_what_was_relayed(house: House) -> None:
    port = _free_port()
    house.start("left", "relay", ANJUAN_METRICS_PORT=str(port))
    house.emit(3)
    until(lambda: house.unsent() == 0, 90, "all sent")
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=2) as answer:
        assert b'anjuan_relay_sent_total{room="left"} 3.0' in answer.read()


@pytest.mark.integration
def test_two_migrations_at_once_do_not_collide(rig: Rig) -> None:
    settings = rig.fresh_database("right")
    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(run.migrate, RIGHT, settings) for _ in range(4)]:
            done.result()
    house = House(rig)
    assert house.ask("right", "select version_num from alembic_version") == "0001"
    assert house.ask("right", "select count(*) from pg_inherits where inhparent = 'outbox'::regclass") == 3
    house.close()


@pytest.mark.integration
def test_a_dead_thread_ends_the_process(rig: Rig) -> None:
    process = Process(rig.settings)
    process._add("short-lived", lambda stop: None)
    with pytest.raises(SystemExit):
        process.run()
    assert process.stop.is_set()


def test_a_consumer_without_green_threads_is_refused(rig: Rig) -> None:
    with pytest.raises(RuntimeError, match="monkey_patch"):
        run.run_consumers([RIGHT], rig.settings)


def test_logs_are_json_and_hide_persons(capfd: pytest.CaptureFixture[str]) -> None:
    kept, level = logging.root.handlers[:], logging.root.level
    try:
        logs.configure("probe")
        party = {"name": "张三", "id_number": "440703199001011234", "phone": "13800000000", "age": 3}
        extra = {"room": "intake", "parties": [party], "reporter_name": "李四", "token": "secret"}
        logging.getLogger("anjuan.test").info("filing_submitted", extra=extra)
    finally:
        logging.root.handlers[:] = kept
        logging.root.setLevel(level)
    line = json.loads(capfd.readouterr().err)
    assert (line["event"], line["service"], line["level"]) == ("filing_submitted", "intake", "info")
    assert line["parties"] == [{"name": "张三", "id_number": "***", "phone": "***", "age": 3}]
    assert (line["reporter_name"], line["token"]) == ("***", "***")


@pytest.mark.integration
def test_a_process_waits_for_its_threads(house: House) -> None:
    ended = threading.Event()
    process = Process(house.settings)

    def slow(stop: threading.Event) -> None:
        stop.wait()
        ended.set()

    process._add("slow", slow)
    process.start()
    assert not ended.is_set()
    process.end()
    assert ended.is_set()
