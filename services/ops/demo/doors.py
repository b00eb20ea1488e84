"""How a fact of an example comes about over HTTP: through the door of the room that tells it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from services.kit.testing import until

if TYPE_CHECKING:
    from services.ops.demo.player import Play

METHODS = {"personal": "直接送达", "electronic": "电子送达", "postal": "邮寄送达", "leaving": "留置送达",
           "entrusted": "委托送达", "publication": "公告送达"}  # fmt: skip
NOTES = {"publication": "当事人下落不明，其他方式无法送达，在本机关网站公告",
         "leaving": "当事人拒收，见证人在场，全程录像"}  # fmt: skip


def prove(play: Play, act: Mapping[str, Any]) -> str:
    """An officer proves a serving with its papers. A publication is told by the day it was published; it is proven
    on that day (InstrumentPublished) or, with `left_on`, when its period is over (InstrumentServed); without it the
    serving was proven on that day and is waited for."""
    told = act["data"]
    method = "publication" if act["event"] == "InstrumentPublished" else str(told["method"])
    speaker = play.speak(play.officer())
    if method == "publication" and act["event"] == "InstrumentServed" and "left_on" not in told:
        until(lambda: _servings(play, told, "served"), play.patience, f"{told['instrument']} 公告期满")
        title = next(rule.title for rule in play.pack.instruments if rule.id == told["instrument"])
        return f"公告期满，《{title}》视为送达"
    instrument, serving = until(lambda: _servings(play, told), play.patience, f"{told['instrument']} 的送达")[0]
    days = _days(method, told)
    says = {"文书": f"{instrument['title']} {instrument['number']}", "受送达人": serving["addressee_name"],
            "送达方式": METHODS[method], "日期": "、".join(days.values()), "备注": NOTES.get(method, "")}  # fmt: skip
    body = {"method": method, "proof_sha256": play.paper(speaker, "送达回证", says)["sha256"]} | days
    if method in NOTES:
        body["note"] = NOTES[method]
    if method == "electronic":
        body["consent_sha256"] = play.paper(speaker, "电子送达地址确认书", says)["sha256"]
    speaker.post(f"/servings/{serving['serving_id']}/proof", body)
    return f"{METHODS[method]}《{instrument['title']}》"


def _days(method: str, told: Mapping[str, Any]) -> dict[str, str]:
    if method == "publication":
        return {"left_on": str(told.get("published_on") or told["left_on"])}
    return {"left_on": str(told["served_on"])} if method == "leaving" else {"served_on": str(told["served_on"])}


def _servings(
    play: Play, told: Mapping[str, Any], state: str = "started"
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Servings in a state, of that kind of instrument on that party; those of the newest instrument first."""
    party_id, speaker = play.parties()[told["party_id"]], play.speak(play.officer())
    listed = speaker.get("/instruments", case_id=play.case_id, limit=100)["instruments"]
    return [
        (instrument, serving)
        for instrument in listed if instrument["instrument"] == told["instrument"]
        for serving in instrument["servings"]
        if serving["addressee_id"] == party_id and serving["state"] == state
    ]  # fmt: skip


def correct(play: Play, _: Mapping[str, Any]) -> str:
    """What the deficiency notice asked for is handed in at the counter and added to the filing."""
    clerk = play.speak(play.cast.registry())
    filing = f"/filings/{clerk.get(f'/cases/{play.case_id}')['filing_id']}"
    read = clerk.ask("GET", filing)
    added = play.paper(clerk, "补正材料", {"说明": "按告知书补正"}) | {"checklist_item": "evidence"}
    kept = [{k: m[k] for k in ("name", "sha256", "size", "copies", "checklist_item") if m.get(k)}
            for m in read.json()["materials"]]  # fmt: skip
    clerk.ask("PATCH", filing, {"materials": [*kept, added]}, headers={"If-Match": read.headers["etag"]})
    return "补正材料"


DOORS: dict[str, Callable[[Play, Mapping[str, Any]], str]] = {
    "InstrumentServed": prove, "InstrumentPublished": prove, "FilingCorrected": correct,
}  # fmt: skip
