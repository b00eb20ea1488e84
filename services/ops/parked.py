"""`anjuan parked`: events and jobs that were given up after many attempts, until an operator decides."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from anjuan.kit.v1 import operations_pb2 as pb
from anjuan.workflow.v1 import workflow_pb2
from services.ops import output
from services.ops.discover import ROOT
from services.ops.doors import doors

HELP = "搁置的事件和作业：查看、重试，或拒绝无法办成的后续动作。"
app = typer.Typer(name="parked", help=HELP, no_args_is_help=True, add_completion=False)
Data = Annotated[Path, typer.Option("--data", envvar="ANJUAN_DATA", help="数据目录")]
Json = Annotated[bool, typer.Option("--json", help="输出 JSON")]
DATA = ROOT / "data" / "local"
SHOWN = {"room": "服务", "parked_id": "编号", "type": "类型", "effect_id": "后续动作", "error": "原因",
         "parked_at": "时间"}  # fmt: skip


@app.command("list")
def show(data: Data = DATA, json: Json = False) -> None:
    """列出全部搁置项。"""
    with doors(data, json) as ways:
        found = [_plain(room, one) for room in ways.rooms
                 for one in ways.ask(room, "GetBalance", pb.GetBalanceRequest()).parked]  # fmt: skip
    if json:
        output.as_json({"ok": True, "parked": found})
    elif found:
        output.rows_table([{label: one[name] for name, label in SHOWN.items()} for one in found])
    else:
        output.PEOPLE.print("没有搁置的事件或作业")


def _plain(room: str, one: pb.Parked) -> dict[str, Any]:
    names = ("parked_id", "kind", "source", "type", "aggregate_id", "seq", "effect_id", "error", "parked_at")
    return {"room": room, **{name: getattr(one, name) for name in names}}


@app.command()
def retry(
    room: Annotated[str, typer.Argument(help="服务名")],
    parked_id: Annotated[str, typer.Argument(help="搁置项的编号；缺省为该服务的全部")] = "",
    data: Data = DATA,
    json: Json = False,
) -> None:
    """再试一次；原因排除之后使用。"""
    with doors(data, json) as ways:
        retried = ways.ask(room, "RetryParked", pb.RetryParkedRequest(parked_id=parked_id)).retried
    output.as_json({"ok": True, "retried": retried}) if json else output.PEOPLE.print(f"已重试 {retried} 项")


@app.command()
def refuse(
    effect_id: Annotated[str, typer.Argument(help="后续动作的编号（anjuan parked list 所列）")],
    reason: Annotated[str, typer.Option("--reason", help="理由，办案人员会看到")],
    data: Data = DATA,
    json: Json = False,
) -> None:
    """拒绝无法办成的后续动作：相应环节退回办理人，已填内容保留。"""
    with doors(data, json) as ways:
        asked = workflow_pb2.RefuseEffectRequest(effect_id=effect_id, reason=reason)
        state = ways.ask_workflow("RefuseEffect", asked)
    told = {"ok": True, "effect_id": state.effect_id, "effect": state.effect, "state": state.state}
    output.as_json(told) if json else output.PEOPLE.print(f"已拒绝：{state.effect} {state.effect_id}")
