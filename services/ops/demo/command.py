"""`anjuan demo`: real cases through the public API, a restart of everything, and what the platform then says."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from services.kit import clock
from services.kit.procedure.model import Pack
from services.kit.testing import settle
from services.ops import lifecycle
from services.ops.demo import comparison, dossier, leaving, report
from services.ops.demo.player import Play
from services.ops.demo.stage import Stage, filed_folders, open_stage, pack_folders
from services.ops.installation import Installation
from services.ops.output import PEOPLE


def demo(data: Path) -> None:
    """Play an example of every pack of cases into a new, empty folder; leave open cases in its bodies, and the platform
    running unless CI is set.

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
        again = [replace(play, operator=stage.operator, voice=stage.voice, _voices={}) for play in plays]
        faults = [fault for play in again for fault in _told(stage, play)]
        opened = leaving.leave(stage, again)
        people = list(leaving.accounts(again))
    PEOPLE.rule("完成")
    leaving.show(PEOPLE, opened, people)
    _farewell(installation, clock.monotonic() - began)
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
        PEOPLE.print(f"  {line}", soft_wrap=True)
        if done == binding:
            PEOPLE.print(f"  {play.legal_on} {dossier.scan(stage, play)}", soft_wrap=True)
    return play


def longest(pack: Pack) -> str:
    """The example with the most acts, of those whose dossier is archived: it shows the most."""
    def shows(name: str) -> tuple[bool, int]:
        return "archive_dossier" in pack.examples[name]["expect"]["effects"], len(pack.examples[name]["acts"])

    return max(sorted(pack.examples), key=shows)


def _told(stage: Stage, play: Play) -> list[str]:
    folder = stage.installation.place.data / "papers" / play.cast.key
    officer = play.speak(play.officer())  # who sees 副卷 as well
    story = report.read(officer, play.case_id, folder, dossier.stack_of(play).phrase)
    report.show(PEOPLE, str(play.cast.example["title"]), story)
    return comparison.differences(story, play.cast.example["expect"])


def _farewell(installation: Installation, seconds: float) -> None:
    PEOPLE.print(f"全程 {seconds:.0f} 秒")
    if os.environ.get("CI"):
        lifecycle.down(installation.place.data)
    else:
        PEOPLE.print(f"门户 {installation.address}　接口文档 {installation.address}/docs　停止：make down")
