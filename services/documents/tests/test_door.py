"""The doors: HTTP through the gateway to gRPC to the room, and the worker with its killable child."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import httpx
import pytest
import uvicorn

from gateway import app
from gateway.settings import GatewaySettings
from services.documents.__main__ import ROOM
from services.documents.consumer import DocumentsConsumer
from services.documents.tests import papers
from services.documents.tests.packs import DECISION, DECISION_FIELDS, NOTICE
from services.documents.tests.scene import LEADER, OFFICER, PARTY, Scene
from services.documents.tests.test_issue import NOTICE_FIELDS
from services.kit import rpc
from services.kit.identity import Actor, sign_token
from services.kit.jobs import Worker
from services.kit.procedure import registry
from services.kit.testing import until
from services.ops.rig.session import Rig

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
Headers = Callable[..., dict[str, str]]


@pytest.fixture
def web(scene: Scene, rig: Rig) -> Iterator[httpx.Client]:
    """The gateway in front of the room's real server."""
    address = f"127.0.0.1:{rig.ports['rpc_documents']}"
    server = rpc.serve(scene.host, ROOM.rpc(scene.host), address, threads=4)
    server.start()
    try:
        yield from _gateway(GatewaySettings(rpc={"documents": address}, port=rig.ports["gateway"]))
    finally:
        server.stop(None).wait()


def _gateway(settings: GatewaySettings) -> Iterator[httpx.Client]:
    door = uvicorn.Server(uvicorn.Config(app.create(settings), port=settings.port, log_level="warning"))
    thread = threading.Thread(target=door.run)
    thread.start()
    try:
        until(lambda: door.started, 30, "the gateway listens")
        with httpx.Client(base_url=f"http://127.0.0.1:{settings.port}", timeout=60) as client:
            yield client
    finally:
        door.should_exit = True
        thread.join()


@pytest.fixture
def as_(scene: Scene, rig: Rig) -> Headers:
    """Headers of a signed-in caller."""
    key = (rig.place.keys / "token.pem").read_bytes()

    def headers(actor: Actor, **more: str) -> dict[str, str]:
        token = sign_token(actor, scene.host.settings.site, key)
        return {"Authorization": f"Bearer {token}"} | {k.replace("_", "-"): v for k, v in more.items()}

    return headers


def test_every_effect_of_this_room_has_a_performer(scene: Scene) -> None:
    owned = {name for name, kind in registry.effects().items() if kind.owner == "documents"}
    assert owned == set(DocumentsConsumer(scene.host).performers)


def test_a_decision_from_draft_to_served_over_http(scene: Scene, web: httpx.Client, as_: Headers) -> None:
    case_id, path = scene.verified(), "/api/v1/instruments"
    wanted = {"instrument": DECISION, "fields": DECISION_FIELDS}
    made = web.post(f"/api/v1/cases/{case_id}/instruments", json=wanted, headers=as_(OFFICER, Idempotency_Key="k1"))
    assert (made.status_code, made.json()["missing_fields"]) == (201, [])
    again = web.post(f"/api/v1/cases/{case_id}/instruments", json=wanted, headers=as_(OFFICER, Idempotency_Key="k1"))
    assert again.json() == made.json()
    mine = made.headers["location"]
    docx = web.get(f"{mine}/content?format=docx", headers=as_(OFFICER))
    assert docx.headers["content-type"] == DOCX
    edited = papers.edited(docx.content, "罚款10000元", "罚款9000元")
    upload = as_(OFFICER, Content_Type=DOCX, If_Match=made.headers["etag"])
    keyed = upload | {"Idempotency-Key": "k2"}
    kept = web.put(f"{mine}/content", content=edited, headers=keyed)
    assert (kept.status_code, len(kept.json()["versions"])) == (200, 2)
    again = web.put(f"{mine}/content", content=edited, headers=keyed)
    assert (again.status_code, again.json()) == (200, kept.json()), "the same key gets its first answer, never 412"
    assert web.put(f"{mine}/content", content=edited, headers=upload).status_code == 412
    read = {"sha256": kept.json()["versions"][-1]["sha256"]}
    assert web.post(f"{mine}/approval", json=read, headers=as_(OFFICER)).status_code == 403
    assert web.post(f"{mine}/approval", json=read, headers=as_(LEADER)).json()["state"] == "approved"
    scene.issued(case_id, DECISION)
    again = web.post(f"/api/v1/cases/{case_id}/instruments", json=wanted, headers=as_(OFFICER, Idempotency_Key="k1"))
    assert (again.status_code, again.json()) == (201, made.json())
    issued = web.get(mine, headers=as_(OFFICER)).json()
    assert (issued["state"], issued["number"]) == ("issued", "江市监处罚〔2025〕1号")
    scene.asks(case_id, "serve_instrument", {"instrument_id": issued["instrument_id"], "addressees": [f"{case_id}-1"]})
    (serving,) = web.get(mine, headers=as_(OFFICER)).json()["servings"]
    assert web.get(mine, headers=as_(PARTY)).status_code == 404
    proof = {"served_on": "2025-03-03", "proof_sha256": scene.archive.bring(OFFICER, b"receipt")}
    served = web.post(f"/api/v1/servings/{serving['serving_id']}/proof", json=proof, headers=as_(OFFICER))
    assert (served.status_code, served.json()["state"]) == (200, "served")
    (seen,) = web.get(path, headers=as_(PARTY)).json()["instruments"]
    assert seen["instrument_id"] == issued["instrument_id"]
    pdf = web.get(f"{mine}/content", headers=as_(PARTY))
    assert pdf.content.startswith(b"%PDF")
    assert "%E8%A1%8C%E6%94%BF" in pdf.headers["content-disposition"]


def test_bad_input_gets_a_problem(scene: Scene, web: httpx.Client, as_: Headers) -> None:
    case_id = scene.verified()
    made = web.post(f"/api/v1/cases/{case_id}/instruments", json={"instrument": DECISION}, headers=as_(OFFICER)).json()
    mine = f"/api/v1/instruments/{made['instrument_id']}/content"
    upload = as_(OFFICER, Content_Type=DOCX, If_Match=f'"{made["version"]}"')
    answers = {
        "not a docx": web.put(mine, content=b"%PDF-1.7", headers=upload),
        "no version": web.put(mine, content=papers.plain("a"), headers=as_(OFFICER, Content_Type=DOCX)),
        "no type": web.put(mine, content=b"x", headers=as_(OFFICER)),
        "unknown field": web.post(f"/api/v1/cases/{case_id}/instruments", json={"instrument": DECISION, "x": 1},
                                  headers=as_(OFFICER)),
        "house's own": web.post(f"/api/v1/cases/{case_id}/instruments", headers=as_(OFFICER),
                                json={"instrument": DECISION, "fields": {"文号": "1"}}),
        "hash": web.post(f"{mine[:-8]}/approval", json={"sha256": "x"}, headers=as_(LEADER)),
    }  # fmt: skip
    for name, answer in answers.items():
        assert answer.status_code == (428 if name == "no version" else 422), (name, answer.text)
        assert answer.headers["content-type"] == "application/problem+json", name
    large = web.put(mine, content=b"0" * (11 * 1024**2), headers=upload)
    assert large.status_code == 413
    assert web.get("/api/v1/instruments/no-such", headers=as_(OFFICER)).status_code == 404
    assert web.get("/api/v1/instruments").status_code == 401


def test_a_worker_issues_in_its_child_and_the_office_ends_with_it(scene: Scene) -> None:
    effect_id = scene.asks(scene.case(), "issue_instrument", {"instrument": NOTICE, "fields": NOTICE_FIELDS})
    worker, stop = Worker(ROOM, scene.host.settings, idle_seconds=0.0), threading.Event()
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    try:
        until(lambda: scene.answer(effect_id), 120, "the instrument is issued")
        assert scene.answer(effect_id)["number"] == "江市监询通〔2025〕1号"
        until(lambda: worker.child.pid is None, 30, "the idle child has ended")
    finally:
        stop.set()
        thread.join()


def test_a_child_that_dies_in_the_middle_leaves_nothing_half_done(scene: Scene) -> None:
    effect_id = scene.asks(scene.case(), "issue_instrument", {"instrument": NOTICE, "fields": NOTICE_FIELDS})
    worker = Worker(ROOM, scene.host.settings)
    (payload,) = scene.jobs()
    worker.child.start("issue_instrument", payload)
    until(lambda: scene.ask("select attempts from instruments") == 1, 60, "the work has begun")
    worker.child.kill()
    assert scene.answer(effect_id) == {}
    assert scene.ask("select state from instruments") == "issuing"
    scene.works()
    assert scene.answer(effect_id)["number"] == "江市监询通〔2025〕1号"
    assert len(scene.told("InstrumentIssued")) == 1
    worker.engine.dispose()
