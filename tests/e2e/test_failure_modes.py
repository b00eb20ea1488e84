"""docs/failure-modes.md, executed row by row: each part is stopped in turn while the API and the portal are used."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page

from gateway.clients import _NAMES as NAMES
from services.kit.settings import ROOT
from services.kit.testing import settle, until
from services.ops.demo.cast import PASSWORD
from services.ops.demo.site import RefusedError
from services.ops.demo.stage import Stage
from services.ops.discover import room_names
from services.ops.trial import Platform
from tests.e2e.conftest import Scene
from tests.e2e.test_portal import browser, page, sign_in  # noqa: F401 fixtures

# what one asks each room for: of a case that is there
READS = {
    "identity": "/people", "intake": "/cases", "workflow": "/tasks", "documents": "/instruments?case_id={case_id}",
    "supervision": "/clocks", "archive": "/cases/{case_id}/pages", "notices": "/notices",
    "search": "/search?text=线索",
}  # fmt: skip
# what the portal's case view shows of the rooms: the tab in which the gap is named
TABS = {"intake": "", "workflow": "", "supervision": "", "documents": "文书", "archive": "电子卷宗", "search": ""}
OTHERS = ("gateway", "RabbitMQ", "PostgreSQL", "relays", "workers", "consumers", "followers", "object store")
NAMED = {"name": "照片", "sha256": "0" * 64, "size": 1}
FIRST, REST = b"the first half of a file, ", b"and the rest of it"


@pytest.fixture
def down(platform: Platform, stage: Stage) -> Callable[..., Any]:
    """`with down("rabbitmq"):` it is stopped meanwhile; afterwards everything has come to rest."""

    @contextmanager
    def held(name: str) -> Iterator[None]:
        platform.hold(name)
        try:
            yield
        finally:
            platform.release(name)
        platform.await_ready()
        settle(stage.rpc, stage.operator.token(), timeout=120)

    return held


def rows() -> dict[str, str]:
    """Part -> its row."""
    text = (ROOT / "docs" / "failure-modes.md").read_text(encoding="utf-8")
    found = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| part ")]
    return {line.split("|")[1].strip(): line for line in found}


def test_every_part_has_a_row_and_every_row_is_executed() -> None:
    assert rows().keys() == {*room_names(), *OTHERS}
    assert set(READS) == set(room_names())
    for room, row in ((name, rows()[name]) for name in READS):
        assert f"“{NAMES[room]}”" in row, f"{room}: the row does not say what people see"


def refused(ask: Callable[[], Any], says: str) -> None:
    """The answer is 503 and names what is down."""
    with pytest.raises(RefusedError, match=says) as refusal:
        ask()
    assert refusal.value.status == 503


@pytest.mark.parametrize("room", sorted(READS))
def test_a_room_that_is_down_is_named_and_the_rest_goes_on(
    platform: Platform, scene: Scene, down: Any, request: pytest.FixtureRequest, room: str
) -> None:
    before = scene.file(f"{room} 停用之前的线索")
    until(lambda: scene.officer.get("/tasks", case_id=before)["tasks"], 30, "its first task")
    for voice in (scene.officer, scene.registrar):  # tokens of ten minutes: nobody need ask identity meanwhile
        voice._until = 0.0
        voice.token()
    shown: Page | None = request.getfixturevalue("page") if room in TABS else None
    if shown:
        sign_in(shown, platform, scene, "zhang")
    with down(room):
        for other, path in READS.items():
            asked = path.format(case_id=before)
            if other == room:
                refused(lambda asked=asked: scene.officer.get(asked), NAMES[room])  # type: ignore[misc]
            else:
                scene.officer.get(asked)
        if shown:
            names_the_gap(shown, f"{platform.address}/cases/{before}", room)
        case_id = "" if room == "intake" else scene.file(f"{room} 停用期间的线索")
        writes_wait(platform, scene, room)
    if case_id:
        assert scene.officer.get("/tasks", case_id=case_id)["tasks"]
        assert scene.officer.get(f"/cases/{case_id}/clocks")["clocks"]


def names_the_gap(shown: Page, address: str, room: str) -> None:
    """The case view says which room does not answer, and shows what the others know; the search page says it itself."""
    if room == "search":
        shown.goto(f"{address.partition('/cases/')[0]}/search?text=线索")
        shown.locator("[role=alert]", has_text=f"“{NAMES[room]}”服务暂不可用").wait_for()
        return
    shown.goto(address)
    if TABS[room]:
        shown.get_by_role("tab", name=TABS[room]).click()
    gap = shown.locator("[role=alert]", has_text=f"“{NAMES[room]}”服务暂不可用")
    gap.first.wait_for()
    if room != "intake":
        shown.get_by_text("停用之前的线索").first.wait_for()
    if room != "workflow":
        shown.locator("ol.timeline li").first.wait_for(state="attached")


def writes_wait(platform: Platform, scene: Scene, room: str) -> None:
    """What only this room could take is refused by name, and may be sent again."""
    if room == "identity":
        told = {"sign_in": scene.play.cast.sign_in("wang"), "password": PASSWORD, "mode": "token"}
        answer = httpx.post(f"{platform.address}/api/v1/session", json=told, timeout=60)
        assert (answer.status_code, NAMES[room] in answer.text) == (503, True)
    if room == "intake":
        refused(lambda: scene.file("停用期间的线索"), NAMES[room])
    if room == "archive":
        refused(lambda: opened(scene), NAMES[room])
        refused(lambda: scene.file("附文件的线索", NAMED), f"“{NAMES[room]}”服务暂不可用，无法核对所附文件")


def test_without_the_gateway_nobody_is_answered(platform: Platform, scene: Scene, down: Any, page: Page) -> None:  # noqa: F811
    sign_in(page, platform, scene, "zhang")
    with down("gateway"):
        with pytest.raises(httpx.TransportError):
            scene.officer.get("/cases")
        page.get_by_role("link", name="案件登记").first.click()
        page.locator("[role=alert]", has_text="网络不通").wait_for()
    assert "cases" in scene.officer.get("/cases")


@pytest.mark.parametrize("part", ["rabbitmq", "relays", "consumers", "followers"])
def test_filing_goes_on_while_facts_wait(scene: Scene, down: Any, part: str) -> None:
    with down(part):
        case_id = scene.file(f"{part} 停用期间的线索")
        assert scene.officer.get(f"/cases/{case_id}")["state"] == "received"
    assert scene.officer.get("/tasks", case_id=case_id)["tasks"]


def test_without_the_database_the_answer_says_try_again(scene: Scene, down: Any) -> None:
    with down("postgres"):
        refused(lambda: scene.officer.get("/cases"), "数据库暂不可用")
    assert "cases" in scene.officer.get("/cases")


def opened(scene: Scene, first: bytes = FIRST) -> str:
    """An upload of two pieces, announced; answers its path."""
    told = {"filename": "材料.txt", "filetype": "text/plain", "sha256": hashlib.sha256(first + REST).hexdigest(),
            "purpose": "material", "body_id": scene.play.cast.body}  # fmt: skip
    pairs = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in told.items())
    headers = {"Upload-Length": str(len(first + REST)), "Upload-Metadata": pairs}
    where = scene.registrar.ask("POST", "/uploads", headers=headers).headers["location"]
    return str(where.removeprefix("/api/v1"))


def sends(scene: Scene, path: str, offset: int, piece: bytes) -> str:
    """State of the upload after a piece."""
    headers = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
    scene.registrar.ask("PATCH", path, headers=headers, content=piece)
    return state(scene, path)


def state(scene: Scene, path: str) -> str:
    return str(scene.registrar.ask("HEAD", path).headers["anjuan-upload-state"])


def test_an_upload_waits_for_a_worker(scene: Scene, down: Any) -> None:
    first = b"the first half of another file, "
    path, whole = opened(scene, first), first + REST
    named = {"name": "照片", "sha256": hashlib.sha256(whole).hexdigest(), "size": len(whole)}
    with down("workers"):
        assert sends(scene, path, 0, first) == "open"
        assert sends(scene, path, len(first), REST) == "assembling"
        with pytest.raises(RefusedError, match="正在核对内容") as refusal:
            scene.file("附文件的线索", named)
        assert (refusal.value.status, refusal.value.body["errors"][0]["pointer"]) == (422, "/materials/0/sha256")
    assert state(scene, path) == "stored"
    assert scene.file("附文件的线索", named)


def test_an_upload_goes_on_when_the_object_store_is_back(platform: Platform, stage: Stage, scene: Scene) -> None:
    store = platform.installation.place.data / "objects"
    path, aside = opened(scene), store.with_name("objects-aside")
    assert scene.file("存储停用前的线索")  # intake has read the pack's checklist from the store
    assert sends(scene, path, 0, FIRST) == "open"
    store.rename(aside)
    store.touch()  # a file in its place: nothing can be read or written below
    try:
        refused(lambda: sends(scene, path, len(FIRST), REST), "存储暂不可用")
        assert scene.file("存储停用期间的线索")
    finally:
        store.unlink()
        aside.rename(store)
    assert sends(scene, path, len(FIRST), REST) in ("assembling", "stored")
    settle(stage.rpc, stage.operator.token(), timeout=120)
    assert state(scene, path) == "stored"
