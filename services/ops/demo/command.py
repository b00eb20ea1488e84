"""`anjuan demo`: real cases through the public API, a restart of everything, and what the platform then says."""

from __future__ import annotations

import os
from pathlib import Path

from services.kit import clock
from services.kit.procedure.model import Pack
from services.kit.testing import settle
from services.ops import lifecycle
from services.ops.demo import comparison, dossier, report
from services.ops.demo.cast import PASSWORD
from services.ops.demo.player import Play
from services.ops.demo.stage import Stage, filed_folders, open_stage, pack_folders
from services.ops.installation import Installation
from services.ops.output import PEOPLE


def demo(data: Path) -> None:
    """Play an example of every pack of cases into a new, empty folder; leaves the platform running unless CI is set.

    Raises:
        PlayFailedError: an act went otherwise than the example says.
        PartFailedError, TooLateError: the platform did not come up.
    """
    began = clock.monotonic()
    if (data / "environment.json").exists():
        lifecycle.erase(data)
    installation = lifecycle.up(data, "embedded", scripted=True)
    PEOPLE.print(f"平台已就绪，用时 {clock.monotonic() - began:.0f} 秒；开始办案")
    with open_stage(installation) as stage:
        for folder in pack_folders():
            stage.publish(folder)
        plays = [_played(stage, folder) for folder in filed_folders()]
    PEOPLE.print("重新启动全部进程……")
    lifecycle.restart(installation)
    with open_stage(installation) as stage:
        settle(stage.rpc, stage.operator.token(), timeout=120)  # what was under way goes on by itself
        faults = [fault for play in plays for fault in _told(stage, play)]
    _farewell(installation, plays, clock.monotonic() - began)
    if faults:
        raise SystemExit("与示例不符：\n" + "\n".join(faults))


def _played(stage: Stage, folder: Path) -> Play:
    pack = stage.publish(folder)
    example = longest(pack)
    play = stage.play(folder, example, f"demo-{pack.id}")
    PEOPLE.rule(f"{pack.title}：{pack.examples[example]['title']}")
    acts = play.cast.example["acts"]
    binding = next((place for place, act in enumerate(acts) if dossier.is_due(play, act)), 0)
    for done, line in enumerate(play.acts(), 1):
        PEOPLE.print(f"  {line}")
        if done == binding:
            PEOPLE.print(f"  {play.legal_on} {dossier.scan(stage, play)}")
    return play


def longest(pack: Pack) -> str:
    """The example with the most acts, of those whose dossier is archived: it shows the most."""
    def shows(name: str) -> tuple[bool, int]:
        return "archive_dossier" in pack.examples[name]["expect"]["effects"], len(pack.examples[name]["acts"])

    return max(sorted(pack.examples), key=shows)


def _told(stage: Stage, play: Play) -> list[str]:
    voice = stage.voice(play.cast.sign_in(play.cast.reader()), PASSWORD, play.cast.body)
    story = report.read(voice, play.case_id, stage.installation.place.data / "papers" / play.cast.key)
    report.show(PEOPLE, str(play.cast.example["title"]), story)
    return comparison.differences(story, play.cast.example["expect"])


def _farewell(installation: Installation, plays: list[Play], seconds: float) -> None:
    PEOPLE.rule("完成")
    PEOPLE.print(f"全程 {seconds:.0f} 秒")
    if os.environ.get("CI"):
        lifecycle.down(installation.place.data)
        return
    PEOPLE.print(f"门户 {installation.address}　接口文档 {installation.address}/docs　停止：make down")
    for play in plays:
        for short, told in play.cast.example["people"].items():
            PEOPLE.print(f"  {told['name']}：登录名 {play.cast.sign_in(short)}　密码 {PASSWORD}")
