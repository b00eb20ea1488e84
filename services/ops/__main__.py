"""The operator's command `anjuan`: every verb calls the same doors as everybody."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup
from typer.main import get_command

from services.ops.discover import ROOT

if TYPE_CHECKING:
    from typer._click.core import Command, Context

    from services.ops.installation import Installation

# Groups of commands, imported only when one of them is asked for.
GROUPS = {
    "audit": "services.ops.audit",
    "clock": "services.ops.clock",
    "number": "services.ops.number",
    "pack": "services.ops.pack",
    "parked": "services.ops.parked",
    "people": "services.ops.people.command",
    "station": "scanning.__main__",
}


class Verbs(TyperGroup):
    """Our own verbs and the groups."""

    def list_commands(self, ctx: Context) -> list[str]:
        return [*super().list_commands(ctx), *GROUPS]

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        if cmd_name in GROUPS:
            return get_command(importlib.import_module(GROUPS[cmd_name]).app)
        return super().get_command(ctx, cmd_name)


app = typer.Typer(cls=Verbs, help="案卷平台：安装、启停、检查与运维。", no_args_is_help=True, add_completion=False)

Data = Annotated[Path, typer.Option("--data", envvar="ANJUAN_DATA", help="数据目录；每个目录是一套独立的平台")]
Json = Annotated[bool, typer.Option("--json", help="输出 JSON")]
Names = Annotated[list[str], typer.Argument(help="组成部分（postgres、servers……）或服务名")]
DATA = ROOT / "data" / "local"


@app.command()
def up(
    profile: Annotated[str, typer.Option("--profile", help="embedded 或 full")] = "embedded",
    data: Data = DATA,
    scripted: Annotated[bool, typer.Option("--scripted", help="演示用：法定日期由人工推进")] = False,
    json: Json = False,
) -> None:
    """启动平台；已在运行时不做改动。"""
    from services.ops import lifecycle, output
    from services.ops.installation import PROFILES
    from services.ops.status import status

    with output.refusals(json):
        if profile not in PROFILES:
            raise lifecycle.RefusedError(f"--profile 只能是 {' 或 '.join(PROFILES)}")
        with output.TROUBLE.status("准备启动") as line:
            installation = lifecycle.up(data, profile, scripted, tell=lambda text: line.update(f"{text}……"))
        (output.as_json if json else output.status_table)(status(installation))


@app.command()
def down(
    data: Data = DATA,
    every: Annotated[bool, typer.Option("--all", help="停止本代码目录 data/ 下的每一套平台")] = False,
    json: Json = False,
) -> None:
    """停止从该数据目录启动的全部进程。"""
    from services.ops import lifecycle, output

    folders = sorted(path.parent for path in DATA.parent.glob("*/environment.json")) if every else [data]
    with output.refusals(json):
        stopped = [folder for folder in folders if lifecycle.down(folder)]
    if json:
        output.as_json({"ok": True, "stopped": stopped})
    else:
        output.PEOPLE.print(f"平台已停止：{'、'.join(map(str, stopped))}" if stopped else "平台没有在运行")


@app.command()
def erase(
    data: Data = DATA,
    yes: Annotated[bool, typer.Option("--yes", help="确认删除其中全部数据")] = False,
    json: Json = False,
) -> None:
    """停止平台并删除数据目录（不可恢复）。"""
    from services.ops import lifecycle, output

    with output.refusals(json):
        if not yes:
            raise lifecycle.RefusedError(f"将删除 {data} 中的全部数据；确认请加 --yes")
        lifecycle.opened(data)
        lifecycle.erase(data)
    output.as_json({"ok": True}) if json else output.PEOPLE.print(f"已删除 {data}")


@app.command()
def status(data: Data = DATA, json: Json = False) -> None:
    """各组成部分的状态；有异常时退出码为 1。"""
    from services.ops import lifecycle, output
    from services.ops.status import status as look

    with output.refusals(json):
        seen = look(lifecycle.opened(data))
    (output.as_json if json else output.status_table)(seen)
    raise typer.Exit(0 if seen["healthy"] else 1)


@app.command()
def demo(data: Data = ROOT / "data" / "demo") -> None:
    """在全新的数据目录中演示示例案件，完成后平台保持运行（设置了 CI 时停止）。"""
    from services.ops import output
    from services.ops.demo.command import demo as play

    with output.refusals(json_wanted=False):
        play(data)


@app.command()
def doctor(data: Data = DATA, json: Json = False) -> None:
    """检查本机和平台；有问题时给出处理办法，退出码为 1。"""
    from services.ops import output
    from services.ops.doctor import findings

    found = [finding.as_dict() for finding in findings(data)]
    (output.as_json if json else output.findings_table)(found)
    raise typer.Exit(0 if all(one["ok"] for one in found) else 1)


@app.command()
def scrub(data: Data = DATA, json: Json = False) -> None:
    """逐一核对卷宗存储中的文件与其 SHA-256；有缺失、改动或锁定失效时退出码为 1。"""
    from services.ops import output
    from services.ops.scrub import scrub as look

    with output.refusals(json):
        told = look(data, lambda text: None if json else output.TROUBLE.print(text))
    (output.as_json if json else output.scrub_table)(told)
    raise typer.Exit(0 if told["ok"] else 1)


def _act(verb: Callable[[Installation], None], data: Path, json: bool) -> None:
    """Do it to the running installation, then show how it fares."""
    from services.ops import lifecycle, output
    from services.ops.status import status as look

    with output.refusals(json):
        installation = lifecycle.opened(data)
        verb(installation)
        (output.as_json if json else output.status_table)(look(installation))


@app.command()
def restart(
    names: Annotated[list[str] | None, typer.Argument(help="缺省为全部")] = None, data: Data = DATA, json: Json = False
) -> None:
    """依次重新启动组成部分，全部就绪后返回。"""
    from services.ops import lifecycle

    _act(lambda found: lifecycle.restart(found, names or []), data, json)


@app.command()
def stop(names: Names, data: Data = DATA, json: Json = False) -> None:
    """停用组成部分或服务，直到 anjuan start。"""
    from services.ops import lifecycle

    _act(lambda found: lifecycle.hold(found, names), data, json)


@app.command()
def start(names: Names, data: Data = DATA, json: Json = False) -> None:
    """恢复已停用的组成部分或服务。"""
    from services.ops import lifecycle

    _act(lambda found: lifecycle.release(found, names), data, json)


@app.command("rebuild-search")
def rebuild_search(data: Data = DATA, json: Json = False) -> None:
    """从各业务室的数据重建检索索引，期间检索和办案照常。

    核对无误后启用；有不一致时退出码为 1。
    """
    from services.kit.errors import DomainError
    from services.kit.settings import Settings
    from services.ops import lifecycle, output, rebuild

    with output.refusals(json), output.TROUBLE.status("准备重建") as line:
        settings = Settings.from_environment(lifecycle.opened(data).variables)
        try:
            answer = rebuild.rebuild(settings, data, lambda text: line.update(f"{text}……"))
        except DomainError as refusal:
            raise lifecycle.RefusedError(refusal.detail) from refusal
    told = rebuild.told(answer)
    if json:
        output.as_json(told)
    elif told["ok"]:
        output.PEOPLE.print(f"已重建：可检索 {answer.documents} 项，不一致 0 项，清除无主 {answer.removed} 项")
    else:
        output.TROUBLE.print(f"未能完成：{answer.problem}", soft_wrap=True, markup=False)
    raise typer.Exit(0 if told["ok"] else 1)


@app.command()
def replay(
    source: Annotated[str, typer.Argument(help="发出事件的服务")],
    listener: Annotated[str, typer.Argument(help="接收事件的服务")],
    stream: Annotated[str, typer.Option("--stream", help="只重放这一个流（案件等的编号）；缺省为全部")] = "",
    data: Data = DATA,
    json: Json = False,
) -> None:
    """把已发出的事件再次发给一个服务。

    从每个流的第一件起；已处理过的不会重复处理。
    """
    from services.ops import output
    from services.ops.replay import replay as send

    queue, events = send(data, json, source, listener, stream)
    told = {"ok": True, "queue": queue, "events": events}
    output.as_json(told) if json else output.PEOPLE.print(f"已向 {queue} 重放 {events} 件")


@app.command()
def bench(
    only: Annotated[list[str] | None, typer.Option("--only", help="只做这一项测量，可多次")] = None,
    profile: Annotated[str, typer.Option("--profile", help="全部在 embedded 或 full 上测；缺省各在其所")] = "",
    quick: Annotated[bool, typer.Option("--quick", help="缩短测量，只看大概")] = False,
    long: Annotated[bool, typer.Option("--long", help="加做每秒五十件、持续五分钟的收案")] = False,
    json: Json = False,
) -> None:
    """测量性能，结果写入 docs/benchmarks.md。

    在全新的平台（data/bench，做完即删）上进行；只做部分测量或缩短测量时不改写结果文件。
    """
    from services.ops import output
    from services.ops.bench.command import bench as measure

    with output.refusals(json):
        measure(only or [], profile, quick, long, json)


if __name__ == "__main__":
    app()
