"""`anjuan audit`: whether the record of every act is whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from anjuan.kit.v1 import operations_pb2 as pb
from services.kit.errors import UnavailableError
from services.ops import output
from services.ops.discover import ROOT
from services.ops.doors import Doors, doors

app = typer.Typer(name="audit", help="操作记录。", no_args_is_help=True, add_completion=False)
Data = Annotated[Path, typer.Option("--data", envvar="ANJUAN_DATA", help="数据目录")]
Json = Annotated[bool, typer.Option("--json", help="输出 JSON")]
Rooms = Annotated[list[str] | None, typer.Argument(help="服务名；缺省为全部")]


@app.callback()
def audit() -> None:
    """操作记录。"""


@app.command()
def verify(rooms: Rooms = None, data: Data = ROOT / "data" / "local", json: Json = False) -> None:
    """逐行重算每个服务的操作记录链并核对签名和存储中的链头；有改动、删除、插入或调换时退出码为 1。"""
    with doors(data, json) as ways:
        found = [_verified(ways, room) for room in rooms or ways.rooms]
    whole = not any(one["faults"] for one in found)
    if json:
        output.as_json({"ok": whole, "rooms": found})
    else:
        output.rows_table([
            {"服务": one["room"], "已入链": one["rows"], "未入链": one["unchained"],
             "结果": "\n".join(one["faults"]) or "完整"} for one in found
        ])  # fmt: skip
    raise typer.Exit(0 if whole else 1)


def _verified(ways: Doors, room: str) -> dict[str, Any]:
    try:
        told = ways.ask(room, "VerifyAudit", pb.VerifyAuditRequest())
    except UnavailableError as error:
        told = pb.VerifyAuditAnswer(faults=[error.detail])
    return {"room": room, "rows": told.rows, "unchained": told.unchained, "head": told.head,
            "faults": list(told.faults)}  # fmt: skip
