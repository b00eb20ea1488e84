"""The paper of a played case: its sheet printed, a stack scanned by the station, counted; and what is found of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PIL import Image

from services.kit.procedure.model import Pack, VolumeItem
from services.kit.testing import until
from services.ops.demo import paper, station
from services.ops.demo.site import Voice
from services.ops.demo.stacks import BUREAU, DELIBERATION, RECORD, STACKS, Stack, deliberated, record

if TYPE_CHECKING:
    from services.ops.demo.player import Play
    from services.ops.demo.stage import Stage

PATIENCE = 180.0  # seconds for the reading of a few pages


@dataclass(frozen=True)
class Found:
    """What the platform shows of the dossier. `searches`: words asked -> the answer."""

    dossier: dict[str, Any]
    pages: list[dict[str, Any]]
    sample: str
    searches: dict[str, dict[str, Any]]


def is_due(play: Play, act: Mapping[str, Any]) -> bool:
    """Whether this act binds: before it the paper must be in."""
    rule = play.pack.nodes.get(str(act.get("node", "")))
    return rule is not None and any(effect.effect == "bind_volume" for effect in rule.effects)


def stack_of(play: Play) -> Stack:
    """The paper that fits the body."""
    return STACKS.get(play.pack.kind, BUREAU)


def scan(stage: Stage, play: Play) -> str:
    """Scan the written sides and a blank one behind the sheet of the main volume; where a panel has deliberated, its
    signed record behind that of 副卷; one line of progress.

    Raises:
        ScanFailedError, RefusedError, TimeoutError: the station, the count or the reading did not come to its end.
    """
    installation, cast = stage.installation, play.cast
    folder = installation.place.data / "station" / cast.key
    site = station.open_site(installation.address, folder, cast.body, stage.operator.token())
    stack = stack_of(play)
    sides = [paper.page(title, lines) for title, lines in stack.sides.items()]
    place = _place(play.pack, "main", lambda item: stack.material in item.materials)
    told = [_fed(site, play, cast.registry(), [sides[0], paper.blank(), *sides[1:]], place)]
    if (act := deliberated(play)) is not None:
        place = _place(play.pack, "internal", lambda item: DELIBERATION in item.nodes)
        told.append(f"{RECORD}{_fed(site, play, cast.recorder(), [paper.page(RECORD, record(play, act))], place)}")
    reader = play.speak(play.officer())  # who sees 副卷 as well
    until(lambda: all(page["reading"] == "read" for page in _pages(reader, play.case_id)), PATIENCE, "识别全部页")
    return f"扫描站上传{'；'.join(told)}；已逐页识别"


def _place(pack: Pack, kind: str, takes: Callable[[VolumeItem], bool]) -> tuple[str, int]:
    """Volume and line that take it, else the line for the rest."""
    volume = next(rule for rule in pack.volumes if rule.kind == kind)
    return volume.id, next((i for i in volume.takes if takes(i)), next(i for i in volume.takes if i.rest)).seq


def _fed(site: station.ScanSite, play: Play, short: str, stack: list[Image.Image], place: tuple[str, int]) -> str:
    """One stack behind its sheet, counted by who scanned it."""
    clerk, blanks = play.speak(short), sum(side.getextrema() == (255, 255) for side in stack)
    batch = clerk.get(f"/scan-batches/{station.scan(site, play.case_id, clerk.token(), stack, *place)}")
    asked = {"paper_pages": len(stack) - blanks}
    counted = clerk.post(f"/scan-batches/{batch['batch_id']}/count", asked, f'"{batch["version"]}"')
    apart = "分隔页、空白页" if blanks else "分隔页"
    return f" {len(stack) + 1} 面（含{apart}），清点 {counted['paper_pages']} 面相符"


def look(voice: Voice, case: Mapping[str, Any], phrase: str = "") -> Found:
    """Dossier, pages with a sample of what was read, and searches: number, party, words of a scanned page."""
    pages = _pages(voice, case["case_id"])
    scanned = next((page for page in pages if page["batch_id"] and not page["internal"]), None)
    sample = voice.get(f"/pages/{scanned['page_id']}/text")["text"] if scanned else ""
    asked = [f'"{case["case_number"]}"', case["parties"][0]["name"], *([phrase] if phrase else [])]
    searches = {text: voice.get("/search", text=text, limit=3) for text in asked}
    return Found(voice.get(f"/cases/{case['case_id']}/dossier"), pages, sample, searches)


def _pages(voice: Voice, case_id: str) -> list[dict[str, Any]]:
    found, cursor = [], ""
    while True:
        told = voice.get(f"/cases/{case_id}/pages", limit=100, cursor=cursor)
        found += told["pages"]
        cursor = told["next_cursor"]
        if not cursor:
            return found
