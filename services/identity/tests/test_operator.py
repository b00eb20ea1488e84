"""The operator's account is made once."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from services.identity.__main__ import bootstrap
from services.identity.tests.scene import Scene
from services.identity.usecases.operator import ensure_operator


def test_the_operators_account_is_made_once(empty: Scene, tmp_path: Path) -> None:
    knobs = replace(empty.knobs, operator_file=tmp_path / "keys" / "operator.json")
    path = ensure_operator(empty.unit(), knobs)
    first = path.read_text()
    told = json.loads(first)
    assert path.stat().st_mode & 0o777 == 0o600
    assert scene_kind(empty, told) == "operator"
    ensure_operator(empty.unit(), knobs)
    assert path.read_text() == first
    assert empty.audited().count("ensure_operator") == 1
    assert sorted(child.name for child in path.parent.iterdir()) == ["operator.json"]


def test_the_sub_command_makes_it_as_well(empty: Scene, tmp_path: Path) -> None:
    path = bootstrap(replace(empty.host.settings, data=tmp_path))
    assert path == tmp_path / "keys" / "operator.json"
    assert scene_kind(empty, json.loads(path.read_text())) == "operator"


def test_a_lost_account_comes_back_with_the_file(empty: Scene, tmp_path: Path) -> None:
    knobs = replace(empty.knobs, operator_file=tmp_path / "operator.json")
    told = json.loads(ensure_operator(empty.unit(), knobs).read_text())
    with empty.host.engine.begin() as connection:
        connection.exec_driver_sql("delete from credentials")
    ensure_operator(empty.unit(), knobs)
    assert scene_kind(empty, told) == "operator"


def test_a_foreign_file_is_left_alone(empty: Scene, tmp_path: Path) -> None:
    path = tmp_path / "operator.json"
    path.write_text("[]")
    with pytest.raises(ValueError, match="no operator's credentials"):
        ensure_operator(empty.unit(), replace(empty.knobs, operator_file=path))
    assert path.read_text() == "[]"


def scene_kind(scene: Scene, told: dict[str, str]) -> str:
    return scene.sign_in(told["sign_in"], told["password"]).kind
