"""What the operator sees: tidy tables in Chinese, or one JSON object with --json."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

from rich.console import Console
from rich.table import Table

from services.ops.lifecycle import RefusedError
from services.ops.rig.missing import PartFailedError
from services.ops.rig.wait import TooLateError

PEOPLE = Console(highlight=False)
TROUBLE = Console(stderr=True, highlight=False)

LABELS = {
    "postgres": "数据库 PostgreSQL",
    "rabbitmq": "消息中间件 RabbitMQ",
    "objects": "对象存储",
    "elasticsearch": "检索引擎 Elasticsearch",
    "servers": "业务服务",
    "relays": "事件发送与定时",
    "consumers": "事件处理（办案）",
    "followers": "事件处理（监督、检索、通知）",
    "workers": "后台作业",
    "gateway": "统一入口",
}


def as_json(value: Any) -> None:
    """One JSON value on standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")


@contextmanager
def refusals(json_wanted: bool) -> Iterator[None]:
    """A refusal becomes a sentence (or JSON) and exit code 1, never a traceback."""
    try:
        yield
    except (RefusedError, PartFailedError, TooLateError) as error:
        _end(str(error), json_wanted)
    except TimeoutError as late:
        _end(f"{late}（超时）。请执行 anjuan doctor，看是否有部分没有应答或者有搁置的事项", json_wanted)


def _end(problem: str, json_wanted: bool) -> NoReturn:
    if json_wanted:
        as_json({"ok": False, "problem": problem})
    else:
        TROUBLE.print(f"[red]未能完成[/red]：{problem}", markup=True, soft_wrap=True)
    sys.exit(1)


def _health(part: Mapping[str, Any]) -> str:
    if part["held"]:
        return "[yellow]已停用[/yellow]"
    if part["healthy"]:
        return "[green]正常[/green]"
    lacking = f"（{'、'.join(part['lacking'])}）" if part["lacking"] else ""
    return f"[red]{'异常' if part['running'] else '未运行'}{lacking}[/red]"


def status_table(status: Mapping[str, Any]) -> None:
    """Every part on a line, the address below."""
    table = Table(title=f"案卷平台 · {status['profile']} · {status['data']}", title_justify="left")
    for head, side in (("组成部分", "left"), ("状态", "left"), ("进程号", "right"), ("端口", "right"),
                       ("内存 MB", "right"), ("重启次数", "right")):  # fmt: skip
        table.add_column(head, justify=side)  # type: ignore[arg-type]
    for part in status["parts"]:
        table.add_row(
            LABELS.get(part["name"], part["name"]), _health(part), str(part["pid"] or "—"), str(part["port"] or "—"),
            str(part["resident_mb"]), str(part["restarts"]),
        )  # fmt: skip
    PEOPLE.print(table)
    held = [room for room, runs in status["rooms"].items() if not runs]
    if held:
        PEOPLE.print(f"[yellow]已停用的服务：{'、'.join(held)}[/yellow]（anjuan start {' '.join(held)} 恢复）")
    if status["phase"] == "running" and not status["kept"]:
        PEOPLE.print("[red]守护进程没有运行，进程退出后不会自动恢复；请执行 anjuan up[/red]")
    PEOPLE.print(f"合计内存 {status['resident_mb']} MB；访问地址 {status['address']}")


def scrub_table(told: Mapping[str, Any]) -> None:
    """What is not as it was taken in."""
    for one in told["findings"]:
        PEOPLE.print(f"{one['detail']}：{one['sha256']}", soft_wrap=True, markup=False)
    end = "全部一致" if told["ok"] else f"[red]{len(told['findings'])} 处有问题[/red]"
    PEOPLE.print(f"已核对 {told['objects']} 个文件，共 {told['bytes']} 字节：{end}")


def findings_table(findings: list[dict[str, Any]]) -> None:
    """Doctor's lines: ok or bad, and the mend."""
    table = Table(show_header=True)
    for head in ("检查项", "结果", "情况", "处理办法"):
        table.add_column(head, overflow="fold")
    for one in findings:
        mark = "[green]正常[/green]" if one["ok"] else "[red]有问题[/red]"
        table.add_row(one["check"], mark, one["found"], "" if one["ok"] else one["mend"])
    PEOPLE.print(table)


def rows_table(rows: list[dict[str, Any]]) -> None:
    """Rows of one shape; the keys are the heads."""
    table = Table(show_header=True)
    for head in rows[0]:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    PEOPLE.print(table)
