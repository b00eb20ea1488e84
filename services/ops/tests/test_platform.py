"""The whole platform, kept alive: whatever one process is killed, it comes back by itself."""

from __future__ import annotations

import json

import psycopg
import pytest
from typer.testing import CliRunner

from services.ops import lifecycle
from services.ops.__main__ import app
from services.ops.discover import code_fingerprint, room_names
from services.ops.rig import process
from services.ops.rig.missing import PartFailedError
from services.ops.rig.session import Rig
from services.ops.rig.wait import until
from services.ops.rig.web import answers
from services.ops.status import status
from services.ops.trial import Platform

pytestmark = pytest.mark.integration
PARTS = ("postgres", "rabbitmq", "servers", "relays", "consumers", "followers", "workers", "gateway", "keeper", "guard")


@pytest.mark.parametrize("name", PARTS)
def test_a_killed_process_comes_back(platform: Platform, name: str) -> None:
    before = platform.pid(name)
    assert before is not None
    platform.kill(name)
    until(lambda: platform.pid(name) not in (None, before), 20, name)
    platform.await_ready()
    assert set(platform.names) == set(PARTS) - {"keeper", "guard"}


def test_keeper_and_others_killed_together_come_back(platform: Platform) -> None:
    others = {name: platform.pid(name) for name in ("workers", "gateway")}
    keeper = platform.pid("keeper")
    for name in ("keeper", "postgres", "servers", "relays", "consumers", "followers"):
        platform.kill(name)
    until(lambda: platform.pid("keeper") not in (None, keeper), 20, "keeper")
    platform.await_ready()
    assert {name: platform.pid(name) for name in others} == others, "a new keeper takes over what still runs"


def test_a_held_part_stays_down_until_released(platform: Platform) -> None:
    platform.hold("gateway")
    assert platform.pid("gateway") is None
    (gateway,) = [part for part in status(platform.installation)["parts"] if part["name"] == "gateway"]
    assert gateway["held"]
    assert not gateway["healthy"]
    platform.release("gateway")
    assert answers(platform.installation.ports["gateway"], "/healthz")


def test_a_held_room_leaves_the_others_running(platform: Platform) -> None:
    room = platform.installation.rooms[-1]
    platform.hold(room)
    seen = status(platform.installation)
    assert seen["rooms"] == {name: name != room for name in room_names()}
    assert [part["name"] for part in seen["parts"] if part["running"]] == platform.names
    platform.release(room)
    platform.await_ready()
    assert all(status(platform.installation)["rooms"].values())


def test_restart_gives_every_part_a_new_process(platform: Platform) -> None:
    before = {name: platform.pid(name) for name in platform.names}
    platform.restart()
    assert all(platform.pid(name) not in (None, pid) for name, pid in before.items())


def test_up_again_changes_nothing_and_another_profile_is_refused(platform: Platform) -> None:
    data, before = platform.installation.place.data, platform.pid("keeper")
    assert lifecycle.up(data, scripted=True).ports == platform.installation.ports
    assert platform.pid("keeper") == before
    with pytest.raises(lifecycle.RefusedError, match="anjuan down"):
        lifecycle.up(data, scripted=False)


def test_status_as_json_tells_pid_port_memory_health(platform: Platform) -> None:
    platform.await_ready()
    answer = CliRunner().invoke(app, ["status", "--data", str(platform.installation.place.data), "--json"])
    seen = json.loads(answer.stdout)
    assert answer.exit_code == 0
    assert seen["healthy"]
    assert seen["kept"]
    assert all(part["pid"] and part["port"] and part["resident_mb"] > 5 for part in seen["parts"])
    assert 100 < seen["resident_mb"] < 1200


def test_doctor_finds_the_platform_well(platform: Platform) -> None:
    platform.await_ready()
    answer = CliRunner().invoke(app, ["doctor", "--data", str(platform.installation.place.data), "--json"])
    bad = [one for one in json.loads(answer.stdout) if not one["ok"]]
    assert bad == []


def test_two_installations_live_side_by_side(platform: Platform, rig: Rig) -> None:
    assert not set(platform.installation.ports.values()) & set(rig.ports.values())
    for settings in (platform.settings, rig.settings):
        with psycopg.connect(
            host="127.0.0.1", port=settings.postgres_port, user="anjuan_archive",
            password=settings.postgres_password, dbname="anjuan_archive",
        ) as database:  # fmt: skip
            assert database.execute("show fsync").fetchone() == ("on",)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(
            host="127.0.0.1", port=rig.settings.postgres_port, user="anjuan_archive",
            password=platform.settings.postgres_password, dbname="anjuan_archive",
        )  # fmt: skip


def test_what_cannot_come_up_is_told_with_its_log_and_stopped(platform: Platform) -> None:
    """Leave the platform as it was found: it is down only inside this test."""
    place, version = platform.installation.place, platform.installation.postgres.folder / "PG_VERSION"
    code = str(platform.installation.postgres.noted()).split()[0]
    assert lifecycle.down(place.data)
    assert not any(process.pid_of(place, name) for name in PARTS)
    assert not lifecycle.down(place.data)
    right, migrated = version.read_text(), (place.logs / "migrate.log").stat().st_mtime_ns
    version.write_text("9\n")
    try:
        with pytest.raises(PartFailedError, match="incompatible"):
            lifecycle.up(place.data, scripted=True, wishes=False)
        assert not lifecycle.anything_lives(place)
    finally:
        version.write_text(right)
        lifecycle.up(place.data, scripted=True, wishes=False)
    platform.await_ready()
    same_code, untouched = code_fingerprint() == code, (place.logs / "migrate.log").stat().st_mtime_ns == migrated
    assert untouched == same_code, "the same code migrates nothing"


def test_the_mark_of_what_was_migrated_lies_in_the_database(platform: Platform) -> None:
    postgres = platform.installation.postgres
    noted = str(postgres.noted())
    assert len(noted.split()[0]) == len(code_fingerprint())
    assert noted.split()[1] == platform.installation.rabbitmq.identity()
    postgres.note("of other code")
    assert postgres.noted() == "of other code"
    postgres.note(noted)
