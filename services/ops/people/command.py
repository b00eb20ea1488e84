"""The command: read, check, send in portions with an operator's token, tell what became of it."""

from __future__ import annotations

import json as json_text
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from anjuan.identity.v1 import identity_pb2 as pb
from anjuan.identity.v1.identity_pb2_grpc import IdentityStub
from services.kit import clock, rpc
from services.kit.errors import ConflictError, DomainError, InvalidInputError, NotFoundError
from services.kit.settings import Settings
from services.ops import lifecycle, output
from services.ops.discover import ROOT
from services.ops.people.reading import Reading, Row, Trouble, read
from services.ops.people.roster import Roster

BODIES_AT_ONCE, PEOPLE_AT_ONCE, SECONDS = 500, 50, 120.0
app = typer.Typer(name="people", help="机构和人员。", no_args_is_help=True, add_completion=False)
Files = Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="CSV 或 YAML 文件，可多个")]
Data = Annotated[Path, typer.Option("--data", envvar="ANJUAN_DATA", help="数据目录")]
Json = Annotated[bool, typer.Option("--json", help="输出 JSON")]


@app.callback()
def people() -> None:
    """机构和人员。"""


@app.command("import")
def bring_in(files: Files, data: Data = ROOT / "data" / "local", json: Json = False) -> None:
    """导入法院、行政机关、部门和人员；可重复执行。有误时逐条指出文件和行号，退出码为 1。"""
    with output.refusals(json):
        installation = lifecycle.opened(data)
    settings = Settings.from_environment(installation.variables)
    reading = read(files)
    try:
        with rpc.channel(settings.rpc["identity"]) as channel:
            told = import_rows(Desk.opened(IdentityStub(channel), data), settings.site, reading)
    except DomainError as error:
        reading.troubles.append(Trouble(data, 0, f"{error.title}：{error.detail}"))
        told = {}
    _say(told, reading.troubles, json)
    raise typer.Exit(1 if reading.troubles else 0)


@dataclass
class Desk:
    """Identity's door in the operator's name; a long import outlives one token."""

    identity: IdentityStub
    session_id: str
    _token: str = ""
    _until: float = 0.0

    @classmethod
    def opened(cls, identity: IdentityStub, data: Path) -> Desk:
        """Sign in with the credentials of the set-up.

        Raises:
            NotFoundError: there are none.
        """
        try:
            told = json_text.loads((data / "keys" / "operator.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise NotFoundError("没有运维账号的凭据（keys/operator.json），请先启动平台") from None
        request = pb.SignInRequest(sign_in=told["sign_in"], password=told["password"])
        return cls(identity, rpc.invoke(identity.SignIn, request, timeout=SECONDS).session_id)

    def ask(self, method: str, request: Any) -> Any:
        """One call."""
        if clock.monotonic() > self._until:
            told = rpc.invoke(self.identity.RenewToken, pb.RenewTokenRequest(session_id=self.session_id))
            self._token, self._until = told.token, clock.monotonic() + told.expires_in_seconds / 2
        return rpc.invoke(getattr(self.identity, method), request, token=self._token, timeout=SECONDS)

    def body(self, reference: str) -> str | None:
        """The id of a body that is there, by id or by code."""
        for request in (pb.GetBodyRequest(body_id=reference), pb.GetBodyRequest(code=reference)):
            try:
                return str(self.ask("GetBody", request).body_id)
            except (NotFoundError, ConflictError):
                continue
        return None


def import_rows(desk: Desk, site: str, reading: Reading) -> dict[str, dict[str, int]]:
    """Send everything that was read, unless something is wrong with it; what identity refuses is noted by line."""
    known: dict[str, str | None] = {}

    def find(reference: str) -> str | None:
        if reference not in known:
            known[reference] = desk.body(reference)
        return known[reference]

    roster = Roster(reading, site, find)
    bodies, departments, staff = roster.bodies(), roster.departments(), roster.people()
    if reading.troubles:
        return {}
    portions: list[tuple[str, Sequence[Row], Any]] = [
        *(("bodies", [row for row, _ in part], pb.ImportBodiesRequest(bodies=[body for _, body in part]))
          for part in _portions(bodies, BODIES_AT_ONCE)),
        *(("departments", [row for row, _ in part], pb.ImportBodiesRequest(departments=[one for _, one in part]))
          for part in _portions(departments, BODIES_AT_ONCE)),
        *(("people", [row for row, _, _ in part], pb.ImportPeopleRequest(
            people=[one for _, one, _ in part], initial_passwords=[word for _, _, word in part]))
          for part in _portions(staff, PEOPLE_AT_ONCE)),
    ]  # fmt: skip
    done: dict[str, Counter[str]] = {}
    for kind, rows, request in portions:
        if not _send(desk, kind, rows, request, done, reading):
            break
    return {kind: dict(counts) for kind, counts in done.items()}


def _portions(rows: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _send(desk: Desk, kind: str, rows: Sequence[Row], request: Any, done: dict[str, Counter[str]],
          reading: Reading) -> bool:  # fmt: skip
    method = "ImportPeople" if kind == "people" else "ImportBodies"
    try:
        answer = desk.ask(method, request)
    except InvalidInputError as error:
        for fault in error.fields:
            place = int(fault["pointer"].split("/")[2])
            reading.complain(rows[place], fault["detail"])
        return False
    counts = done.setdefault(kind, Counter())
    counts.update({name: getattr(answer, name) for name in ("created", "changed", "unchanged")})
    return True


def _say(told: dict[str, dict[str, int]], troubles: Sequence[Trouble], json: bool) -> None:
    if json:
        problems = [{"file": str(t.file), "line": t.line, "detail": t.detail} for t in troubles]
        output.as_json({"ok": not troubles, "imported": told, "problems": problems})
        return
    labels = {"bodies": "机构", "departments": "设有部门变动的机构", "people": "人员"}
    for kind, counts in told.items():
        created, changed, unchanged = (counts[name] for name in ("created", "changed", "unchanged"))
        output.PEOPLE.print(f"{labels[kind]}：新增 {created}，更新 {changed}，未变 {unchanged}")
    for trouble in troubles:
        output.TROUBLE.print(str(trouble), soft_wrap=True)
