"""`number check` as an outsider calls it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from services.ops.number import app


def run(text: str) -> tuple[int, dict[str, Any]]:
    done = CliRunner().invoke(app, ["check", text, "--json"])
    return done.exit_code, json.loads(done.stdout)


def test_a_valid_number() -> None:
    code, answer = run("（2025）粤0703民初1234号")
    assert code == 0
    assert answer == {
        "valid": True, "case_number": "（2025）粤0703民初1234号", "year": 2025, "court_code": "粤0703",
        "type_code": "民初", "sequence": 1234, "court": "广东省江门市蓬江区人民法院",
    }  # fmt: skip


def test_the_special_character() -> None:
    code, answer = run("(2025)最高法知民终1号")
    assert (code, answer["special"], answer["type_code"], answer["court"]) == (0, "知", "民终", "最高人民法院")


@pytest.mark.parametrize("text", ["（2025）粤0703民初01号", "（9999）粤0703民初1号", "案号", ""])
def test_an_invalid_number(text: str) -> None:
    code, answer = run(text)
    assert (code, answer["valid"]) == (1, False)
    assert answer["reason"]
    plain = CliRunner().invoke(app, ["check", text])
    assert (plain.exit_code, plain.stdout) == (1, "")
    assert answer["reason"] in plain.stderr


def test_readable_line() -> None:
    done = CliRunner().invoke(app, ["check", "（2025）粤0703民初1234号"])
    assert done.stdout == "有效：（2025）粤0703民初1234号  广东省江门市蓬江区人民法院\n"
