"""The portal in a real Chromium: the list that court people know, few clicks, no serious barrier."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from services.kit.testing import settle
from services.ops.demo.cast import PASSWORD
from services.ops.demo.stage import Stage
from services.ops.portal import build
from services.ops.trial import Platform
from tests.e2e.conftest import PENALTY, Scene

COLUMNS = ["案号", "案由/当事人", "环节", "来自", "到达时间", "剩余期限"]
PLAIN = "plain.test"  # this machine under a name that a browser does not take for it
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", f"--host-resolver-rules=MAP {PLAIN} 127.0.0.1"]  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    build()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    assert chromium, "Chromium is missing: run make system"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 1366, "height": 768})
    yield opened
    opened.close()


def approval(scene: Scene, stage: Stage, title: str) -> str:
    """A case that waits for the division head's approval."""
    case_id = scene.file(title)
    settle(stage.rpc, stage.operator.token())
    for act in scene.play.cast.example["acts"]:
        if act["do"] == "complete" and act["node"] in ("verify_lead", "docketing_approval"):
            scene.play.case_id = case_id
            scene.play.perform(act)
    settle(stage.rpc, stage.operator.token())
    return case_id


def sign_in(page: Page, platform: Platform, scene: Scene, short: str) -> None:
    page.goto(platform.address)
    page.fill("#sign-in", scene.play.cast.sign_in(short))
    page.fill("#password", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_selector("table.list")


def serious(page: Page) -> list[str]:
    """Axe findings that keep somebody out."""
    found = Axe().run(page).response["violations"]
    return [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in found if v["impact"] in ("serious", "critical")]


def test_an_approval_takes_two_clicks_and_shuts_nobody_out(
    page: Page, platform: Platform, stage: Stage, scene: Scene, tmp_path: Path
) -> None:
    case_id = approval(scene, stage, "门户审批案")
    page.goto(f"{platform.address}/sign-in")
    assert serious(page) == []
    sign_in(page, platform, scene, "chen")
    assert page.locator("table.list thead th").all_inner_texts() == COLUMNS
    assert serious(page) == []
    row = page.locator("tr", has_text="门户审批案")
    assert "剩余" in row.inner_text() or "超期" in row.inner_text()
    row.locator("td").nth(2).locator("a").click()
    page.wait_for_selector("#opinion")
    assert serious(page) == []
    page.screenshot(path=str(tmp_path / "approval.png"))
    page.get_by_role("button", name="同意").click()
    page.wait_for_selector("text=门户审批案", state="detached")
    settle(stage.rpc, stage.operator.token())
    course = scene.leader.get(f"/cases/{case_id}/course")
    said = [o["decision"] for v in course["visits"] if v["node_id"] == "docketing_approval" for o in v["opinions"]]
    assert "agree" in said


def test_due_soon_says_the_row_when_the_tile_and_the_filter_say_it(
    page: Page, platform: Platform, stage: Stage, scene: Scene, tmp_path: Path
) -> None:
    play = stage.play(PENALTY, "transfer-overdue.case.yaml", "portal-due")
    play.perform(play.cast.example["acts"][0])
    settle(stage.rpc, stage.operator.token())
    sign_in(page, platform, replace(scene, play=play), "zhang")
    row, tile = page.locator("tr", has_text="虚假宣传"), page.locator("button.counter", has_text="临期")
    row.wait_for()
    assert (row.locator("td").last.inner_text()[:4], tile.locator("b").inner_text()) == ("○ 剩余", "0")
    play.advance("2025-10-09")
    settle(stage.rpc, stage.operator.token())
    page.reload()
    tile.locator("b", has_text="1").wait_for()
    assert "△ 临期" in row.inner_text()
    with page.expect_response("**/tasks?*due_state=due_soon*") as told:
        tile.click()
    assert [task["case_id"] for task in told.value.json()["tasks"]] == [play.case_id]
    page.goto(f"{platform.address}/cases")
    registered = page.locator("tr", has_text="虚假宣传")
    registered.wait_for()
    assert "△ 临期" in registered.inner_text()
    page.screenshot(path=str(tmp_path / "register.png"))


def test_a_measure_lapses_and_an_instrument_has_its_title(
    page: Page, platform: Platform, stage: Stage, scene: Scene, tmp_path: Path
) -> None:
    play = stage.play(PENALTY, "hearing-penalty.case.yaml", "portal-lapse")
    for act in play.cast.example["acts"]:
        if str(act["on"]) > "2025-01-16":
            break
        if "refused" not in act:
            play.advance(str(act["on"]))
            play.perform(act)
    play.advance("2025-02-05")  # it lapsed on 26 January
    settle(stage.rpc, stage.operator.token())
    sign_in(page, platform, replace(scene, play=play), "zhang")
    page.goto(f"{platform.address}/cases/{play.case_id}")
    node = page.locator("ol.timeline li", has_text="先行登记保存证据").first
    node.wait_for()
    assert "制发文书《先行登记保存证据通知书》" in node.inner_text()
    page.screenshot(path=str(tmp_path / "course.png"), full_page=True)
    page.get_by_role("tab", name="期限").click()
    clock = page.locator("[role=tabpanel]:visible div.opinion", has_text="先行登记保存后续措施")
    assert "到期自动解除" in clock.inner_text()
    assert "超期" not in clock.inner_text()
    page.screenshot(path=str(tmp_path / "clocks.png"), full_page=True)


def test_a_return_without_a_reason_is_not_sent(page: Page, platform: Platform, stage: Stage, scene: Scene) -> None:
    approval(scene, stage, "门户退回案")
    sign_in(page, platform, scene, "chen")
    page.locator("tr", has_text="门户退回案").locator("td").nth(2).locator("a").click()
    page.get_by_role("button", name="退回").click()
    assert "退回须写明理由" in page.locator("[role=alert]").inner_text()


def test_the_case_view_explains_the_due_day(page: Page, platform: Platform, stage: Stage, scene: Scene) -> None:
    case_id = approval(scene, stage, "门户全景案")
    sign_in(page, platform, scene, "wang")
    page.goto(f"{platform.address}/cases/{case_id}")
    page.wait_for_selector("ol.timeline li")
    assert "未分案" in page.locator("dl.strip div", has_text="承办人").inner_text()
    assert serious(page) == []
    page.get_by_role("tab", name="期限").click()
    page.get_by_role("button", name="为什么是这一天").click()
    page.wait_for_selector("text=第十八条")
    assert serious(page) == []
    for title in ("文书", "电子卷宗", "当事人", "材料"):
        page.get_by_role("tab", name=title).click()
        page.locator("[role=tabpanel]:visible").wait_for()
        assert serious(page) == [], title


def test_who_took_a_lead_in_reads_what_became_of_it(
    browser: Browser, page: Page, platform: Platform, stage: Stage, scene: Scene
) -> None:
    play = stage.play(PENALTY, "inspection-not-docketed.case.yaml", "portal-lead")
    assert list(play.acts())
    settle(stage.rpc, stage.operator.token())
    sign_in(page, platform, replace(scene, play=play), "zhang")
    page.goto(f"{platform.address}/cases/{play.case_id}")
    page.wait_for_selector("text=本案由您登记")
    assert "不予立案" in page.locator("dl.strip").inner_text()
    assert page.get_by_role("tab").all_inner_texts() == ["概况", "当事人", "材料"]
    assert page.locator("[role=alert]").count() == 0
    assert serious(page) == []
    with browser.new_context() as another:  # to whom the case is open anyway, and whom three rooms do not answer
        page = another.new_page()
        sign_in(page, platform, replace(scene, play=play), "wang")
        for part in (f"cases/{play.case_id}/course", f"cases/{play.case_id}/clocks", "tasks?case_id=*"):
            page.route(f"**/api/v1/{part}", lambda route: route.fulfill(status=404, json={"detail": "尚未同步"}))
        page.goto(f"{platform.address}/cases/{play.case_id}")
        page.wait_for_selector("[role=alert]")
        assert page.locator("[role=alert]").count() == 3
        assert page.locator("text=本案由您登记").count() == 0


def test_wrong_password_is_told_in_chinese(page: Page, platform: Platform, scene: Scene) -> None:
    page.goto(platform.address)
    page.fill("#sign-in", scene.play.cast.sign_in("chen"))
    page.fill("#password", "wrong-password")
    page.click("button[type=submit]")
    page.wait_for_selector("[role=alert]")
    assert "密码" in page.locator("[role=alert]").inner_text()
    assert "/sign-in" in page.url


def test_a_page_loads_nothing_from_elsewhere(page: Page, platform: Platform, scene: Scene) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    sign_in(page, platform, scene, "wang")
    assert asked
    assert [url for url in asked if not url.startswith((platform.address, "data:"))] == []
