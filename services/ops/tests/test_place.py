"""Folders, secrets, ports, keys and variables of an installation."""

from __future__ import annotations

import socket
import stat
from contextlib import ExitStack
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from services.kit.settings import Settings
from services.ops.installation import Installation
from services.ops.rig import ports
from services.ops.rig.environment import for_process, port_names, variables
from services.ops.rig.keys import ensure_token_key
from services.ops.rig.place import Place, read_json, write_json

ROOMS = ("identity", "intake")


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_secrets_are_generated_once_and_for_the_owner_alone(tmp_path: Path) -> None:
    place = Place.at(tmp_path)
    first = place.secret("amqp")
    assert place.secret("postgres") != first
    assert Place.at(tmp_path).secret("amqp") == first
    assert _mode(place.keys / "secrets.json") == 0o600
    assert _mode(place.keys) == 0o700


def test_token_key_is_a_pair_and_stays(tmp_path: Path) -> None:
    place = Place.at(tmp_path)
    ensure_token_key(place)
    texts = [(place.keys / name).read_bytes() for name in ("token.pem", "token.pub.pem")]
    private, public = load_pem_private_key(texts[0], None), load_pem_public_key(texts[1])
    assert isinstance(private, Ed25519PrivateKey)
    assert isinstance(public, Ed25519PublicKey)
    public.verify(private.sign(b"token"), b"token")
    assert _mode(place.keys / "token.pem") == 0o600
    ensure_token_key(place)
    assert (place.keys / "token.pem").read_bytes() == texts[0]


def test_ports_are_kept_and_those_taken_by_others_are_renewed(tmp_path: Path) -> None:
    place = Place.at(tmp_path)
    chosen = ports.assign(place, ["postgres", "rabbitmq"])
    assert ports.assign(place, ["postgres", "rabbitmq"]) == chosen
    with socket.create_server(("127.0.0.1", chosen["postgres"])):
        assert ports.assign(place, ["postgres", "rabbitmq"]) == chosen
        renewed = ports.assign(place, ["postgres", "rabbitmq"], renew=True)
    assert renewed["postgres"] != chosen["postgres"]
    assert renewed["rabbitmq"] == chosen["rabbitmq"]
    assert read_json(place.data / "ports.json") == renewed


def test_an_installation_made_before_a_process_was_there_is_still_opened(tmp_path: Path) -> None:
    made = Installation.create(tmp_path, "embedded", scripted=False, moving=True, wishes=False)
    older = {name: port for name, port in made.ports.items() if name != "metrics_followers"}
    write_json(tmp_path / "ports.json", older)
    opened = Installation.open(tmp_path)
    assert [part.name for part in opened.parts()] == [part.name for part in made.parts()]
    renewed = Installation.create(tmp_path, "embedded", scripted=False, moving=True, wishes=False)
    assert renewed.ports.keys() == made.ports.keys()


def test_a_folder_takes_no_port_on_which_another_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "LAST", ports.FIRST + 150)  # so close that chance would not keep them apart
    names = port_names(ROOMS, "full")
    first = ports.assign(Place.at(tmp_path / "a"), names, wishes=False)
    assert len(set(first.values())) == len(names)
    with ExitStack() as running:
        for port in first.values():
            running.enter_context(socket.create_server(("127.0.0.1", port)))
        second = ports.assign(Place.at(tmp_path / "b"), names, wishes=False)
    assert not set(first.values()) & set(second.values())


def test_variables_are_what_the_settings_read(tmp_path: Path) -> None:
    place = Place.at(tmp_path)
    chosen = ports.assign(place, port_names(ROOMS))
    settings = Settings.from_environment(variables(place, chosen, ROOMS, scripted=True))
    assert settings.scripted
    assert settings.rpc == {room: f"127.0.0.1:{chosen[f'rpc_{room}']}" for room in ROOMS}
    assert settings.database_url("intake", "psycopg").endswith(f":{chosen['postgres']}/anjuan_intake")
    assert settings.token_public_key == place.keys / "token.pub.pem"


def test_a_process_is_told_nothing_of_another_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANJUAN_AMQP", "amqp://elsewhere")
    monkeypatch.setenv("ANJUAN_DOMAIN_DIR", "domain")
    told = for_process({"ANJUAN_DATA": "here"})
    assert "ANJUAN_AMQP" not in told
    assert told["ANJUAN_DATA"] == "here"
    assert Path(told["ANJUAN_DOMAIN_DIR"]).is_absolute()


def test_erase_leaves_nothing(tmp_path: Path) -> None:
    place = Place.at(tmp_path / "data")
    place.secret("amqp")
    place.erase()
    assert list(tmp_path.iterdir()) == []
