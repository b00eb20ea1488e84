"""`python -m scanning`, and `anjuan station` where the platform's command is: the scanning station."""

from __future__ import annotations

import json as json_text
import logging
import signal
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from scanning import durable
from scanning.door import Door, OfflineError, RefusedError, fingerprint_of, load_key, public_bytes
from scanning.ledger import Ledger
from scanning.report import report
from scanning.settings import OWN, NotSetUpError, Settings, keep, kept
from scanning.station import Station

HELP = "扫描站：监视扫描文件夹，整理并上传。"
app = typer.Typer(
    name="station", help=HELP, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)  # fmt: skip
PEOPLE, TROUBLE = Console(highlight=False), Console(stderr=True, highlight=False)
STATES = {"requested": "等待管理员批准", "approved": "已批准", "revoked": "已吊销，请用 --new-key 重新登记"}

Folder = Annotated[Path, typer.Option("--folder", help="扫描仪写入的文件夹")]
Data = Annotated[Path | None, typer.Option("--data", help=f"本站数据目录，须在同一磁盘分区；缺省为其中的 {OWN}")]
Json = Annotated[bool, typer.Option("--json", help="输出 JSON")]


@app.command()
def enrol(
    folder: Folder,
    server: Annotated[str, typer.Option("--server", help="平台地址，例如 https://anjuan.example")],
    body: Annotated[str, typer.Option("--body", help="所属机关标识")],
    name: Annotated[str, typer.Option("--name", help="扫描站名称")] = "扫描站",
    data: Data = None,
    new_key: Annotated[bool, typer.Option("--new-key", help="换一把密钥登记（吊销之后）；旧密钥改名保留")] = False,
    json: Json = False,
) -> None:
    """登记一次：生成本站密钥，请平台批准；再次执行则查看是否已批准。"""
    with refusals(json):
        settings = Settings(folder.resolve(), (data or folder / OWN).resolve(), server, name, body)
        keep(settings)
        with closing(Ledger(settings.ledger)) as ledger:
            if new_key and settings.key.exists():
                settings.key.rename(durable.free(settings.data, "key-old.pem"))
            with Door(server, load_key(settings.key), ledger) as door:
                station = door.asked(name, body)
        fingerprint = fingerprint_of(public_bytes(load_key(settings.key)))
        told = {"ok": True, "station_id": station["station_id"], "state": station["state"], "fingerprint": fingerprint}
    if json:
        _as_json(told)
        return
    PEOPLE.print(f"扫描站“{name}”：{STATES.get(told['state'], told['state'])}")
    PEOPLE.print(f"密钥指纹 {fingerprint}（管理员批准前核对）")


@app.command()
def run(
    folder: Folder,
    data: Data = None,
    settle: Annotated[float, typer.Option("--settle", help="文件多少秒不再变化即视为写完")] = 2.0,
    keep_days: Annotated[int, typer.Option("--keep-days", help="平台收到后原文件在“已上传”中保留的天数")] = 30,
    longest_wait: Annotated[float, typer.Option("--longest-wait", help="连不上平台时最长隔多少秒再试")] = 60.0,
    once: Annotated[bool, typer.Option("--once", help="处理完现有文件后退出")] = False,
) -> None:
    """运行，直到 Ctrl+C 或 SIGTERM；断网、断电后再次启动接着做。"""
    with refusals(False):
        knobs = {"settle_seconds": settle, "keep_days": keep_days, "longest_wait_seconds": longest_wait, "once": once}
        station = Station(kept(folder, data, **knobs))
        _log()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: station.stop.set())
        station.run()


class JsonLines(logging.Formatter):
    """One JSON object a line, as the services write theirs."""

    def format(self, record: logging.LogRecord) -> str:
        told = {k: v for k, v in vars(record).items() if k in ("file", "reason", "sha256", "batch_id", "size")}
        at = datetime.fromtimestamp(record.created, UTC).isoformat()
        line = {"event": record.getMessage(), "level": record.levelname.lower(), "timestamp": at} | told
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json_text.dumps(line, ensure_ascii=False, default=str)


def _log() -> None:
    lines = logging.StreamHandler()
    lines.setFormatter(JsonLines())
    logging.basicConfig(handlers=[lines], level=logging.INFO, force=True)
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)


@app.command()
def status(folder: Folder, data: Data = None, json: Json = False) -> None:
    """每个文件到了哪一步；有问题件时退出码为 1。"""
    with refusals(json):
        told = report(kept(folder, data))
    (_as_json if json else _as_table)(told)
    raise typer.Exit(1 if any(file["state"] == "problem" for file in told["files"]) else 0)


def _as_json(value: Any) -> None:
    typer.echo(json_text.dumps(value, ensure_ascii=False, indent=2))


def _as_table(told: Mapping[str, Any]) -> None:
    table = Table(title=f"{told['name']} · {told['folder']}", title_justify="left")
    for head in ("文件", "状态", "页数", "说明"):
        table.add_column(head, overflow="fold")
    for file in told["files"]:
        table.add_row(file["name"], file["label"], str(file["pages"] or ""), file["reason"] or file["batch_id"])
    PEOPLE.print(table)
    PEOPLE.print("程序正在运行" if told["running"] else "程序没有运行，请执行 run")
    PEOPLE.print(f"平台 {told['server']}：{told['fault'] or '已连接'}　指纹 {told['fingerprint'] or '（尚未登记）'}")
    if told["not_looked_at"]:
        PEOPLE.print(f"子文件夹不会处理：{'、'.join(told['not_looked_at'])}；请让扫描仪直接写入 {told['folder']}")


@contextmanager
def refusals(json_wanted: bool) -> Iterator[None]:
    """A refusal becomes a sentence (or JSON) and exit code 1, never a traceback."""
    try:
        yield
    except (NotSetUpError, OfflineError, RefusedError) as error:
        if json_wanted:
            _as_json({"ok": False, "problem": str(error)})
        else:
            TROUBLE.print(f"未能完成：{error}", soft_wrap=True)
        raise typer.Exit(1) from error


if __name__ == "__main__":
    app()
