"""For each operation a request that fits: who sends it, about which object, with which body.

Those that change something get an object of their own at each call, so that they fit every time.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.identity.model.stations import station_message
from services.kit import clock
from services.kit.testing import until
from services.ops.demo.cast import PASSWORD
from tests.contract.people import ADMINISTRATOR, resident_id
from tests.contract.world import APPLY, VERIFY, World, announced, bundle

PREFIX = "/api/v1"
ZIP, CHUNK = "application/zip", "application/offset+octet-stream"


@dataclass
class Fit:
    """A request; `content` is a body that is no JSON. `headers` are those beside the credentials."""

    role: str
    path: dict[str, str] = field(default_factory=dict)
    body: Any = None
    query: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None


Make = Callable[[World], Fit]
FITS: dict[str, Make] = {}


def fits(method: str, path: str) -> Callable[[Make], Make]:
    """Say that a function makes the request for an operation."""

    def keep(make: Make) -> Make:
        FITS[f"{method} {PREFIX}{path}"] = make
        return make

    return keep


def _plain(method: str, path: str, role: str, *kinds: str, **query: Any) -> None:
    """One that needs only known ids: `case_id` is a docketed case's."""

    def make(world: World) -> Fit:
        known = {"case": "docketed"}
        ids = {f"{kind}_id" if kind != "sha256" else kind: world.known[known.get(kind, kind)][0] for kind in kinds}
        return Fit(role, ids, query={k: v(world) if callable(v) else v for k, v in query.items()})

    FITS[f"{method} {PREFIX}{path}" if path != "/healthz" else f"{method} {path}"] = make


_plain("GET", "/healthz", "anonymous")
_plain("OPTIONS", "/uploads", "anonymous")
_plain("GET", "/session", "party")
_plain("DELETE", "/session", "browser")
_plain("GET", "/bodies", "party")
_plain("GET", "/bodies/{body_id}", "party", "body")
_plain("GET", "/people", "leader")
_plain("GET", "/stations", "administrator", body_id=lambda world: world.play.cast.body)
_plain("GET", "/filings/{filing_id}", "leader", "filing")
_plain("GET", "/cases", "party")
_plain("GET", "/cases/{case_id}", "party", "case")
_plain("GET", "/cases/{case_id}/course", "leader", "case")
_plain("GET", "/cases/{case_id}/clocks", "leader", "case")
_plain("GET", "/cases/{case_id}/audit", "operator", "case")
_plain("GET", "/tasks", "officer")
_plain("GET", "/hearings", "leader")
_plain("GET", "/clocks", "leader")
_plain("GET", "/clocks/{clock_id}", "division_head", "clock")
_plain("GET", "/alert-cards", "neighbour")
_plain("GET", "/packs", "party")
_plain("GET", "/notices", "reporter")
_plain("GET", "/operations/settled", "operator")
_plain("GET", "/files/{sha256}", "leader", "sha256", case_id=lambda world: world.known["docketed"][0])


@fits("GET", "/tasks/{task_id}")
def _task(world: World) -> Fit:
    return Fit("officer", {"task_id": world.task(world.case(), "zhang", "verify_lead")["task_id"]})


@fits("POST", "/session")
def _sign_in(world: World) -> Fit:
    return Fit("anonymous", body={"sign_in": ADMINISTRATOR, "password": PASSWORD, "mode": "token"})


@fits("PUT", "/session/body")
def _act_for(world: World) -> Fit:
    return Fit("browser", body={"body_id": world.play.cast.body})


@fits("POST", "/accounts")
def _account(world: World) -> Fit:
    number = resident_id(5000 + world.next())
    return Fit("anonymous", body={"name": "张三", "id_kind": "resident_id", "id_number": number,
                                  "phone": "13900000000", "password": PASSWORD})  # fmt: skip


def _enrol(world: World) -> tuple[Ed25519PrivateKey, dict[str, Any]]:
    key = Ed25519PrivateKey.generate()
    told = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    return key, {"name": f"扫描站{world.next()}", "body_id": world.play.cast.body, "public_key": told}


@fits("POST", "/stations")
def _station(world: World) -> Fit:
    return Fit("anonymous", body=_enrol(world)[1])


@fits("POST", "/stations/{station_id}/decision")
def _decide_station(world: World) -> Fit:
    made = world.http.post(f"{PREFIX}/stations", json=_enrol(world)[1]).json()
    world.note(station=made["station_id"])
    return Fit("administrator", {"station_id": made["station_id"]}, {"decision": "approve"})


@fits("POST", "/stations/{station_id}/token")
def _station_token(world: World) -> Fit:
    key, body = _enrol(world)
    station_id = world.http.post(f"{PREFIX}/stations", json=body).json()["station_id"]
    told = world.people["administrator"].headers()
    world.http.post(f"{PREFIX}/stations/{station_id}/decision", json={"decision": "approve"}, headers=told)
    at = clock.now().isoformat()
    signed = base64.b64encode(key.sign(station_message(station_id, at))).decode()
    return Fit("anonymous", {"station_id": station_id}, {"signed_at": at, "signature": signed})


@fits("POST", "/filings")
def _filing(world: World) -> Fit:
    return Fit("registrar", body=world.filing())


@fits("PATCH", "/filings/{filing_id}")
def _correct(world: World) -> Fit:
    told, own = world.people["reporter"].headers(), world.filing()
    own.pop("reporter")
    filed = world.http.post(f"{PREFIX}/filings", json=own, headers=told).json()
    return Fit("reporter", {"filing_id": filed["filing_id"]}, {"content": own["content"]},
               headers={"If-Match": f'"{filed["version"]}"'})  # fmt: skip


@fits("PATCH", "/cases/{case_id}")
def _register(world: World) -> Fit:
    return Fit("registrar", {"case_id": world.case().case_id}, {"title": "更正后的案件名称", "reason": "登记有误"},
               headers={"If-Match": '"1"'})  # fmt: skip


@fits("POST", "/cases/{case_id}/assignment")
def _assign(world: World) -> Fit:
    people = world.play.cast.people
    one = world.case()
    world.task(one, "zhang", "verify_lead")
    body = {"officer_ids": [people["zhang"], people["li"]], "reason": "工作需要"}
    return Fit("leader", {"case_id": one.case_id}, body)


@fits("POST", "/cases/{case_id}/requests")
def _request(world: World) -> Fit:
    one = world.case()
    world.task(one, "zhang", "verify_lead")
    return Fit("officer", {"case_id": one.case_id}, {"node_id": "ask_test"})


@fits("POST", "/tasks/{task_id}/completion")
def _complete(world: World) -> Fit:
    task = world.task(world.case(), "zhang", "verify_lead")
    return Fit("officer", {"task_id": task["task_id"]}, {"data": VERIFY["form"]},
               headers={"If-Match": f'"{task["version"]}"'})  # fmt: skip


@fits("POST", "/tasks/{task_id}/decision")
def _decide(world: World) -> Fit:
    task = world.task(world.case(VERIFY, APPLY), "chen", "docketing_approval")
    return Fit("division_head", {"task_id": task["task_id"]}, {"decision": "agree", "text": "同意"},
               headers={"If-Match": f'"{task["version"]}"'})  # fmt: skip


@fits("POST", "/tasks/{task_id}/recall")
def _recall(world: World) -> Fit:
    task = world.done_task(world.case(VERIFY, APPLY), "zhang", "docketing_approval")
    return Fit("officer", {"task_id": task["task_id"]}, {"reason": "补充材料"})


@fits("PUT", "/tasks/{task_id}/draft")
def _draft(world: World) -> Fit:
    task = world.task(world.case(), "zhang", "verify_lead")
    return Fit("officer", {"task_id": task["task_id"]}, {"data": {"findings": "未完"}})


@fits("POST", "/tasks/{task_id}/sending-back")
def _send_back(world: World) -> Fit:
    task = world.task(world.case(VERIFY), "zhang", "docketing_approval")
    return Fit("officer", {"task_id": task["task_id"]}, {"to_node_id": "verify_lead", "reason": "核查不清"})


def _hearing(world: World) -> dict[str, Any]:
    day = date(2025, 6, 1) + timedelta(days=world.next())
    return {"case_id": world.known["docketed"][0], "room": "第一听证室", "kind": "hearing",
            "starts_at": f"{day}T09:00:00+08:00", "ends_at": f"{day}T11:00:00+08:00",
            "panel_ids": [world.play.cast.people["wang"]]}  # fmt: skip


@fits("POST", "/hearings")
def _schedule(world: World) -> Fit:
    return Fit("leader", body=_hearing(world))


@fits("POST", "/hearings/{hearing_id}/cancellation")
def _cancel_hearing(world: World) -> Fit:
    made = world.play.speak("wang").post("/hearings", _hearing(world))
    world.note(hearing=made["hearing_id"])
    return Fit("leader", {"hearing_id": made["hearing_id"]}, {"reason": "当事人申请延期"})


@fits("POST", "/packs")
def _propose(world: World) -> Fit:
    return Fit("publisher", content=bundle(f"0.9.{world.next()}"), headers={"Content-Type": ZIP})


@fits("POST", "/packs/{sha256}/confirmation")
def _confirm(world: World) -> Fit:
    proposed = _propose(world)
    told = world.people["publisher"].headers() | proposed.headers
    made = world.http.post(f"{PREFIX}/packs", content=proposed.content, headers=told).json()
    world.note(pack=made["sha256"])
    return Fit("confirmer", {"sha256": made["sha256"]})


@fits("POST", "/uploads")
def _upload(world: World) -> Fit:
    text = f"材料{world.next()}".encode()
    return Fit("registrar", headers=announced(text, world.play.cast.body))


@fits("HEAD", "/uploads/{upload_id}")
def _progress(world: World) -> Fit:
    return Fit("registrar", {"upload_id": world.known["upload"][0]})


@fits("PATCH", "/uploads/{upload_id}")
def _append(world: World) -> Fit:
    text = f"材料{world.next()}".encode()
    upload_id, _ = world.upload(text, send=False)
    return Fit("registrar", {"upload_id": upload_id}, content=text,
               headers={"Upload-Offset": "0", "Content-Type": CHUNK})  # fmt: skip


@fits("DELETE", "/uploads/{upload_id}")
def _cancel_upload(world: World) -> Fit:
    return Fit("registrar", {"upload_id": world.upload(f"材料{world.next()}".encode(), send=False)[0]})


@fits("POST", "/notices/{notice_id}/reading")
def _read(world: World) -> Fit:
    headers = world.people["reporter"].headers()

    def there() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = world.http.get(f"{PREFIX}/notices", headers=headers).json()["notices"]
        return found

    notice = until(there, 30, "举报人的通知")[0]["notice_id"]
    world.note(notice=notice)
    return Fit("reporter", {"notice_id": notice})


@fits("POST", "/operations/legal-date")
def _legal_date(world: World) -> Fit:
    day = date(2025, 10, 21) + timedelta(days=world.next())
    return Fit("operator", body={"root_body_id": world.other.cast.root, "to": str(day)})


@fits("POST", "/operations/replay")
def _replay(world: World) -> Fit:
    return Fit("operator", body={"queue": "supervision.from.intake.v1", "aggregate_id": world.known["case"][0]})


@fits("POST", "/operations/parked/retry")
def _retry(world: World) -> Fit:
    return Fit("operator", body={"room": "intake"})


@fits("POST", "/operations/effects/{effect_id}/refusal")
def _refuse(world: World) -> Fit:
    """Its object needs an owner that is down: see stuck_effect."""
    effect_id = world.known.get("effect", ["no-such-effect"])[-1]
    return Fit("operator", {"effect_id": effect_id}, {"reason": "长期没有答复"})

