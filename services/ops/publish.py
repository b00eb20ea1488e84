"""`anjuan pack publish` and `anjuan pack confirm`: check a pack here, hand it in, let a second person confirm it."""

from __future__ import annotations

import json as json_text
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from anjuan.identity.v1 import identity_pb2
from anjuan.identity.v1.identity_pb2_grpc import IdentityStub
from anjuan.workflow.v1 import workflow_pb2 as pb
from anjuan.workflow.v1.workflow_pb2_grpc import WorkflowStub
from services.kit import rpc
from services.kit.errors import DomainError, NotFoundError
from services.kit.procedure.bundle import bundle_of
from services.kit.procedure.check import check_folder
from services.kit.procedure.model import PackError
from services.kit.settings import Settings
from services.ops.discover import ROOT

SECONDS = 120.0
Folders = Annotated[list[Path], typer.Argument(help="程序包文件夹", exists=True, file_okay=False)]
Bundles = Annotated[list[str], typer.Argument(help="程序包的 SHA-256")]
As = Annotated[str, typer.Option("--as", help="登录名；缺省用本机的运维账号")]
Password = Annotated[str, typer.Option(envvar="ANJUAN_PASSWORD", help="登录密码", hidden=True)]
Data = Annotated[Path, typer.Option("--data", envvar="ANJUAN_DATA", help="数据目录")]
Json = Annotated[bool, typer.Option("--json", help="输出一个 JSON 对象")]
DATA = ROOT / "data" / "local"


@dataclass(frozen=True)
class Door:
    """workflow's door in somebody's name."""

    workflow: WorkflowStub
    token: str

    def propose(self, folder: Path) -> pb.Pack:
        """Check a folder and hand its bundle in; repeating it changes nothing.

        Raises:
            PackError: the check finds faults. DomainError: as workflow refuses.
        """
        if findings := check_folder(folder):
            raise PackError(findings)
        bundle = bundle_of(folder)
        request = pb.PublishPackRequest(bundle=bundle)
        return self._ask(self.workflow.PublishPack, request, f"publish-{uuid4()}")

    def confirm(self, sha256: str) -> pb.Pack:
        """Let a proposed bundle out, as a second person."""
        return self._ask(self.workflow.ConfirmPack, pb.ConfirmPackRequest(sha256=sha256), f"confirm-{sha256}")

    def _ask(self, method: Any, request: Any, key: str) -> pb.Pack:
        return rpc.invoke(method, request, token=self.token, key=key, timeout=SECONDS)  # type: ignore[no-any-return]


def publish(folders: Folders, sign_in: As = "", password: Password = "", data: Data = DATA, json: Json = False) -> None:
    """检查并提交程序包，由另一人用 anjuan pack confirm 确认后生效；有误时退出码为 1。"""
    _each(data, sign_in, password, folders, lambda door, folder: door.propose(folder), json)


def confirm(bundles: Bundles, sign_in: As = "", password: Password = "", data: Data = DATA, json: Json = False) -> None:
    """以第二人身份确认已提交的程序包，使其生效；有误时退出码为 1。"""
    _each(data, sign_in, password, bundles, lambda door, sha256: door.confirm(sha256), json)


def _each(
    data: Path, sign_in: str, password: str, items: Sequence[Any], act: Callable[[Door, Any], pb.Pack], json: bool
) -> None:
    from services.ops import lifecycle, output

    with output.refusals(json):
        settings = Settings.from_environment(lifecycle.opened(data).variables)
    told: list[dict[str, Any]] = []
    with rpc.channel(settings.rpc["identity"]) as identity, rpc.channel(settings.rpc["workflow"]) as workflow:
        try:
            door = Door(WorkflowStub(workflow), token_of(IdentityStub(identity), data, sign_in, password))
        except DomainError as refusal:
            told.append({"item": sign_in, **_refused(refusal)})
        else:
            told += [_told(door, item, act) for item in items]
    _say(told, json)
    raise typer.Exit(0 if all(one["ok"] for one in told) else 1)


def token_of(identity: IdentityStub, data: Path, sign_in: str, password: str, seconds: float = SECONDS) -> str:
    """Sign in; without a name as the operator of the set-up.

    Raises:
        NotFoundError: the operator's credentials are not there.
    """
    if not sign_in:
        try:
            known = json_text.loads((data / "keys" / "operator.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise NotFoundError("没有运维账号的凭据（keys/operator.json），请先启动平台，或用 --as 登录") from None
        sign_in, password = known["sign_in"], known["password"]
    request = identity_pb2.SignInRequest(sign_in=sign_in, password=password)
    return str(rpc.invoke(identity.SignIn, request, timeout=seconds).token)


def _told(door: Door, item: Any, act: Callable[[Door, Any], pb.Pack]) -> dict[str, Any]:
    try:
        pack = act(door, item)
    except DomainError as refusal:
        return {"item": str(item), **_refused(refusal)}
    return {"item": str(item), "ok": True, "pack": pack.pack_id, "version": pack.version, "sha256": pack.sha256,
            "state": pack.state}  # fmt: skip


def _refused(refusal: DomainError) -> dict[str, Any]:
    findings = [asdict(f) for f in refusal.findings] if isinstance(refusal, PackError) else refusal.fields
    return {"ok": False, "problem": refusal.detail, "findings": findings}


def _say(told: Sequence[dict[str, Any]], json: bool) -> None:
    from services.ops import output

    if json:
        output.as_json({"ok": all(one["ok"] for one in told), "packs": list(told)})
        return
    for one in told:
        if one["ok"]:
            state = "已生效" if one["state"] == "published" else "已提交，待另一人确认"
            output.PEOPLE.print(f"{one['pack']} {one['version']} {state}：{one['sha256']}", soft_wrap=True)
            if one["state"] != "published":
                mend = f"ANJUAN_PASSWORD=密码 anjuan pack confirm {one['sha256']} --as 另一人的登录名"
                output.PEOPLE.print(f"  另一人确认：{mend}", soft_wrap=True, markup=False)
        else:
            output.TROUBLE.print(f"{one['item']} 未能办理：{one['problem']}", soft_wrap=True, markup=False)
