"""The paper of a played case: its sheet printed, a stack scanned by the station, counted; and what is found of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from services.kit.testing import until
from services.ops.demo import paper, station
from services.ops.demo.site import Voice

if TYPE_CHECKING:
    from services.ops.demo.player import Play
    from services.ops.demo.stage import Stage

PATIENCE = 180.0  # seconds for the reading of a few pages
TALE = ("调查人员于当日到场，当事人的负责人在场配合。", "现场提取进货台账一册、销售小票三十二张、合格证明两份，",
        "由见证人签名确认，原件随卷保存。")  # fmt: skip
PHRASE = "进货台账一册"


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


def scan(stage: Stage, play: Play) -> str:
    """Scan three written sides and a blank one behind the sheet of the main volume; one line of progress.

    Raises:
        ScanFailedError, RefusedError, TimeoutError: the station, the count or the reading did not come to its end.
    """
    installation, clerk = stage.installation, play.speak(play.cast.registry())
    folder = installation.place.data / "station" / play.cast.key
    site = station.open_site(installation.address, folder, play.cast.body, stage.operator.token())
    volume = next(rule for rule in play.pack.volumes if rule.kind == "main")
    place = next(item.seq for item in volume.takes if item.rest)
    sides = [paper.page(title, TALE * 4) for title in ("现场笔录", "证据提取清单", "谈话笔录")]
    stack = [sides[0], paper.blank(), *sides[1:]]
    batch_id = station.scan(site, play.case_id, clerk.token(), stack, volume.id, place)
    batch = clerk.get(f"/scan-batches/{batch_id}")
    counted = clerk.post(f"/scan-batches/{batch_id}/count", {"paper_pages": len(sides)}, f'"{batch["version"]}"')
    until(lambda: all(page["reading"] == "read" for page in _pages(clerk, play.case_id)), PATIENCE, "识别全部页")
    return f"扫描站上传 {len(stack) + 1} 面（含分隔页、空白页），清点 {counted['paper_pages']} 面相符，已逐页识别"


def look(voice: Voice, case: Mapping[str, Any]) -> Found:
    """Dossier, pages with a sample of what was read, and three searches: number, party, words of a scanned page."""
    pages = _pages(voice, case["case_id"])
    scanned = next((page for page in pages if page["batch_id"]), None)
    sample = voice.get(f"/pages/{scanned['page_id']}/text")["text"] if scanned else ""
    asked = [f'"{case["case_number"]}"', case["parties"][0]["name"], PHRASE]
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
