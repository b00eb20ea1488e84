"""The operator's command, the Makefile and the lock file."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from typer.testing import CliRunner

from services.ops.__main__ import app
from services.ops.discover import ROOT, room_names
from services.ops.doctor import findings, machine
from services.ops.protos import fingerprint, generate, protos

RUN = CliRunner()


def test_status_of_nothing_says_what_to_do(tmp_path: Path) -> None:
    answer = RUN.invoke(app, ["status", "--data", str(tmp_path / "none")])
    assert answer.exit_code == 1
    assert "请先执行 anjuan up" in answer.output.replace("\n", "")
    assert not (tmp_path / "none").exists()


def test_a_refusal_is_json_when_asked(tmp_path: Path) -> None:
    answer = RUN.invoke(app, ["up", "--profile", "other", "--data", str(tmp_path), "--json"])
    assert answer.exit_code == 1
    assert json.loads(answer.stdout)["ok"] is False


def test_down_of_nothing_is_no_fault(tmp_path: Path) -> None:
    answer = RUN.invoke(app, ["down", "--data", str(tmp_path / "none"), "--json"])
    assert answer.exit_code == 0
    assert json.loads(answer.stdout) == {"ok": True, "stopped": []}


def test_erase_wants_a_yes(tmp_path: Path) -> None:
    (tmp_path / "kept").touch()
    answer = RUN.invoke(app, ["erase", "--data", str(tmp_path)])
    assert answer.exit_code == 1
    assert (tmp_path / "kept").exists()


def test_doctor_gives_a_mend_for_every_bad_line(tmp_path: Path) -> None:
    found = list(findings(tmp_path))
    assert {one.check for one in found} >= {"Python 版本", "磁盘空间", "系统时间", "平台"}
    assert all(one.mend for one in found if not one.ok)
    assert not machine._font("No Such Family").ok


def test_rooms_are_found_not_listed() -> None:
    rooms = room_names()
    assert rooms == sorted(rooms)
    assert "archive" in rooms
    assert not {"kit", "ops"} & set(rooms)


def test_make_help_explains_every_target() -> None:
    text = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)[0].split())
    helped = subprocess.run(["make", "-C", str(ROOT), "-s", "help"], capture_output=True, text=True, check=True).stdout
    assert targets == set(re.findall(r"^([a-z-]+):", text, re.MULTILINE))
    assert targets == set(re.findall(r"^  make ([a-z-]+) +\S", helped, re.MULTILINE))


def test_the_lock_pins_everything_and_names_no_host() -> None:
    lines = (ROOT / "requirements.lock").read_text("utf-8").splitlines()
    assert len(lines) > 50
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9._-]+(\[[a-z,]+])?==[0-9][^\s/]*", line)] == []


def test_generated_code_follows_the_proto_files(tmp_path: Path) -> None:
    paths = protos()
    assert fingerprint(paths) != fingerprint(paths[1:])
    generate(paths, tmp_path)
    for path in paths:
        beside = tmp_path / "anjuan" / path.parts[-3] / "v1" / path.stem
        assert all(Path(f"{beside}{end}").exists() for end in ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py"))
