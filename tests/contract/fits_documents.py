"""For each operation on instruments a request that fits; see fits."""

from __future__ import annotations

from typing import Any

from tests.contract.fits import FITS, Fit, _plain, fits
from tests.contract.world import DOCKETED, World, sha256_of

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ASK = {"do": "request", "who": "zhang", "node": "ask_registration"}
REGISTER = {"do": "complete", "who": "zhang", "with": ["li"], "node": "register_evidence",
            "form": {"mode": "urgent", "reason": "台账可能被销毁", "place": "当事人仓库",
                     "items": [{"name": "进货台账", "spec": "2025年1月", "quantity": "1册"}],
                     "taken_at": "2025-03-03T09:00:00+08:00"}}  # fmt: skip
REFUND = {"instrument": "samr-refund-notice", "fields": {
    "法律依据": "《市场监督管理行政处罚程序规定》第五十九条", "退还数额": "200元",
    "期限": "自收到之日起十五日内"}}  # fmt: skip
DEFER = {"instrument": "samr-defer-notice", "fields": {"暂缓分期期限": "暂缓至2025年8月29日前一次缴清"}}
DEMAND = {"instrument": "samr-demand", "fields": {
    "法律依据": "《中华人民共和国行政强制法》第五十四条", "金额与加处罚款": "罚款10000元",
    "履行期限": "自收到之日起十个工作日内"}}  # fmt: skip
ADDRESSEES = 8

_plain("GET", "/instruments", "officer")
_plain("GET", "/instruments/{instrument_id}", "leader", "instrument")
_plain("GET", "/instruments/{instrument_id}/content", "officer", "instrument")


def _drafted(world: World, asked: dict[str, Any]) -> dict[str, Any]:
    """The newest version of a kind of its own in the case that has come far."""
    made: dict[str, Any] = world.play.speak("zhang").post(f"/cases/{world.known['docketed'][0]}/instruments", asked)
    return made


@fits("POST", "/cases/{case_id}/instruments")
def _draft_instrument(world: World) -> Fit:
    return Fit("officer", {"case_id": world.known["docketed"][0]}, DEMAND)


@fits("PUT", "/instruments/{instrument_id}/content")
def _upload_version(world: World) -> Fit:
    made = _drafted(world, REFUND)
    docx = world.play.speak("zhang").ask("GET", f"/instruments/{made['instrument_id']}/content",
                                         params={"format": "docx"}).content  # fmt: skip
    return Fit("officer", {"instrument_id": made["instrument_id"]}, content=docx,
               headers={"If-Match": f'"{made["version"]}"', "Content-Type": DOCX})  # fmt: skip


@fits("POST", "/instruments/{instrument_id}/approval")
def _sign(world: World) -> Fit:
    made = _drafted(world, DEFER)
    return Fit("leader", {"instrument_id": made["instrument_id"]}, {"sha256": made["versions"][-1]["sha256"]})


def _unproven(world: World) -> str:
    """A serving that nobody has proven; one case has several parties to be served."""
    kept = world.known.setdefault("unproven", [])
    if not kept:
        parties = [{"role": "respondent", "kind": "natural_person", "name": f"受送达人{n}"} for n in range(ADDRESSEES)]
        case = world.case(*DOCKETED, ASK, REGISTER, parties=parties)
        papers = case.speak("zhang").get("/instruments", case_id=case.case_id)["instruments"]
        kept += [serving["serving_id"] for paper in papers for serving in paper["servings"]]
    world.note(serving=kept[0])
    return kept.pop(0)


@fits("POST", "/servings/{serving_id}/proof")
def _prove(world: World) -> Fit:
    _, announced = world.upload("送达回证".encode(), send=True)
    body = {"method": "personal", "served_on": "2025-03-03", "proof_sha256": sha256_of(announced)}
    return Fit("officer", {"serving_id": _unproven(world)}, body)


__all__ = ["DOCX", "FITS"]
