"""What the demo leaves to look at: open cases in the bodies of its plays, and who may sign in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from services.kit.testing import settle
from services.ops.demo.cast import PASSWORD

if TYPE_CHECKING:
    from services.ops.demo.player import Play
    from services.ops.demo.stage import Stage

FURTHER = 2  # acts of the second case: filed, and led one node on


@dataclass(frozen=True)
class Account:
    """Somebody of a play; `to_do`: how many tasks wait for him."""

    body: str
    name: str
    roles: str
    sign_in: str
    to_do: int


def leave(stage: Stage, plays: Sequence[Play]) -> list[str]:
    """File two more cases of each play's kind: one until the day its first limit ends, one led on. A line each.

    Raises:
        RefusedError, PlayFailedError, TimeoutError: an act that passed before does not pass now.
    """
    waiting = [_begun(play, "另案一", 1) for play in plays]
    settle(stage.rpc, stage.operator.token(), timeout=120)
    told = []
    for play, one in zip(plays, waiting, strict=True):
        due_on = _due(one)
        play.advance(due_on or play.legal_on)
        told.append(f"{one.title}：{f'期限 {due_on} 届满，' if due_on else ''}尚未办理")
        told.append(f"{_begun(play, '另案二', FURTHER).title}：{play.legal_on} 收案，已办一个环节")
    settle(stage.rpc, stage.operator.token(), timeout=120)
    return told


def _begun(play: Play, which: str, count: int) -> Play:
    """A new case under a title of its own, with so many acts of the play done that are not to be refused."""
    acts = [act for act in play.cast.example["acts"] if not act.get("refused")]
    one = replace(play, case_id="", title=f"{acts[0]['filing']['title']}（{which}）")
    for act in acts[:count]:
        one.perform(act)
    return one


def _due(play: Play) -> str:
    """The day on which its governing limit ends; empty when a filing starts none."""
    clocks = play.speak(play.cast.registry()).get(f"/cases/{play.case_id}/clocks")["clocks"]
    return next((str(clock["due_on"]) for clock in clocks if clock["governing"]), "")


def accounts(plays: Sequence[Play]) -> Iterator[Account]:
    """Everybody of the plays."""
    for play in plays:
        titles = play.pack.labels.get("roles", {})
        for short, told in play.cast.example["people"].items():
            roles = "、".join(titles.get(role, role) for role in told.get("roles", []))
            to_do = int(play.speak(short).get("/tasks", limit=1)["to_do"])
            yield Account(play.cast.body_name(short), told["name"], roles, play.cast.sign_in(short), to_do)


def show(console: Console, opened: Sequence[str], people: Sequence[Account]) -> None:
    """The open cases and a table of the accounts, with their one password."""
    console.print("在办案件：")
    for line in opened:
        console.print(f"  {line}", soft_wrap=True)
    table = Table(title=f"登录名（密码均为 {PASSWORD}）", title_justify="left")
    for head in ("机关", "姓名", "岗位", "登录名", "待办"):
        table.add_column(head, overflow="fold", no_wrap=head in ("登录名", "待办"))
    for one in people:
        table.add_row(one.body, one.name, one.roles, one.sign_in, str(one.to_do))
    console.print(table)
