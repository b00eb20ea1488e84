"""`clock explain` as an outsider calls it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from services.ops.clock import app

TRIAL = ["civil-first-ordinary-trial", "--start", "2025-03-10"]


def run(*args: str) -> tuple[int, dict[str, Any], str]:
    done = CliRunner().invoke(app, ["explain", *args, "--json"])
    return done.exit_code, json.loads(done.stdout), done.stderr


def test_one_json_object_with_the_promised_fields() -> None:
    code, answer, err = run("civil-defence", "--start", "2025-09-16")
    assert (code, err) == (0, "")
    assert answer["due_on"] == "2025-10-09"
    assert answer["due_at"] is None
    assert answer["provisional"] is False
    assert answer["law"] == "中华人民共和国民事诉讼法"
    assert answer["article"] == "第一百二十八条"
    assert any("第八十五条" in step for step in answer["steps"])


def test_hours_give_the_moment() -> None:
    _, answer, _ = run("preservation-urgent-ruling", "--start", "2025-09-30T15:20")
    assert (answer["due_at"], answer["due_on"]) == ("2025-10-02T16:00", "2025-10-02")


def test_exclusions_and_extensions_in_order() -> None:
    gaps = ["--exclude", "2025-04-01..2025-04-30:鉴定期间", "--exclude", "2025-04-20..2025-05-09:公告期间"]
    code, answer, _ = run(*TRIAL, *gaps, "--extend", "6:month", "--extend", "3:个月")
    assert (code, answer["due_on"], answer["unrolled_on"]) == (0, "2026-07-20", "2026-07-19")
    assert "39日" in "".join(answer["steps"])
    assert "第二百四十三条" in "".join(answer["steps"])


def test_custody_and_entry_and_fixed_amount() -> None:
    assert run("crim-arrest-decision", "--start", "2025-09-26", "--in-custody")[1]["due_on"] == "2025-10-03"
    picked = run("crim-custody-investigation", "--start", "2025-03-10", "--in-custody", "--extend", "2:month@2")
    assert picked[1]["due_on"] == "2025-07-10"
    assert run("civil-evidence-ordinary", "--start", "2025-03-03", "--fixed", "20")[1]["due_on"] == "2025-03-24"


def test_a_running_exclusion_leaves_the_due_day_open() -> None:
    code, answer, _ = run(*TRIAL, "--exclude", "2025-04-01..:中止诉讼")
    assert (code, answer["due_on"], answer["suspended_on"]) == (0, None, "2025-04-01")
    done = CliRunner().invoke(app, ["explain", *TRIAL, "--exclude", "2025-04-01..:中止诉讼"])
    assert "未定（自2025-04-01起停止计算）" in done.stdout


def test_a_moment_serves_limits_in_days_too() -> None:
    assert run("civil-defence", "--start", "2025-09-16T23:59")[1]["due_on"] == "2025-10-09"


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["no-such-limit", "--start", "2025-03-10"], 2, "没有编号"),
        (["civil-defense", "--start", "2025-03-10"], 2, "civil-defence"),
        (["civil-defence"], 2, "--start"),
        (["civil-defence", "--start", "2025-02-29"], 2, "有效日期"),
        (["civil-defence", "--start", "20250301"], 2, "YYYY-MM-DD"),
        (["civil-defence", "--start", "2025-03-01T25:00"], 2, "无效"),
        (["civil-defence", "--start", "1200-01-01"], 2, "1949"),
        (["preservation-urgent-ruling", "--start", "2025-03-10"], 2, "时、分"),
        ([*TRIAL, "--exclude", "2025-04-30..2025-04-01:鉴定"], 2, "早于开始日"),
        ([*TRIAL, "--exclude", "2025-04-01:鉴定"], 2, "--exclude"),
        ([*TRIAL, "--exclude", "2025-04-01..2025-04-31:鉴定"], 2, "扣除结束日"),
        ([*TRIAL, "--extend", "6"], 2, "--extend"),
        ([*TRIAL, "--extend", "-6:month"], 2, "--extend"),
        ([*TRIAL, "--extend", "6:fortnight"], 2, "单位"),
        ([*TRIAL, "--extend", "180:calendar-day"], 2, "以“个月”计"),
        ([*TRIAL, "--extend", "0:month"], 2, "1至3650"),
        ([*TRIAL, "--extend", "6:month", "--extend", "3:month", "--extend", "3:month"], 1, "至多延长2次"),
        ([*TRIAL, "--extend", "7:month"], 1, "第一百五十二条"),
        (["civil-evidence-ordinary", "--start", "2025-03-03", "--fixed", "14"], 1, "不得少于15日"),
    ],
)
def test_bad_input_is_told_in_chinese(args: list[str], code: int, said: str) -> None:
    got, answer, err = run(*args)
    assert got == code
    assert said in err
    assert answer["detail"] == err.strip()
    plain = CliRunner().invoke(app, ["explain", *args])
    assert (plain.exit_code, plain.stdout, plain.stderr) == (code, "", err)


def test_readable_lines_without_json() -> None:
    done = CliRunner().invoke(app, ["explain", "civil-defence", "--start", "2026-12-25"])
    lines = done.stdout.splitlines()
    assert done.exit_code == 0
    assert lines[:2] == ["被告答辩期（civil-defence）", "届满：2027-01-11（暂定）"]
    assert lines[3].strip().startswith("1. 起算")
