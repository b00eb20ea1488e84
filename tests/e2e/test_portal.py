"""The portal in a real Chromium: the list that court people know, few clicks, no serious barrier."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from services.kit.settings import procedures_dir
from services.kit.testing import settle
from services.ops.demo.cast import PASSWORD
from services.ops.demo.papers import MEDIA_TYPE, paper
from services.ops.demo.player import Play
from services.ops.demo.site import RefusedError
from services.ops.demo.stage import Stage
from services.ops.portal import build
from services.ops.trial import Platform
from tests.contract.people import open_account, resident_id
from tests.e2e.conftest import PENALTY, Scene

CIVIL = procedures_dir() / "civil-first-instance"
FILER, ANOTHER = resident_id(4721), resident_id(4722)
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
    enter(page, platform, scene.play.cast.sign_in(short))


def enter(page: Page, platform: Platform, name: str) -> None:
    page.goto(platform.address)
    page.fill("#sign-in", name)
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


def handed_in(stage: Stage, play: Play, number: str, data: bytes) -> str:
    """A suit of an account of its own, with files that it has uploaded; answers the case id."""
    account_id, voice = open_account(stage.http, number), stage.voice(number, PASSWORD)
    named = [voice.upload("民事起诉状.pdf", data, MEDIA_TYPE, play.cast.body) | {"checklist_item": "complaint"}]
    named += [play.paper(voice, item, {}) | {"checklist_item": item} for item in ("complaint_copy", "identity")]
    settle(stage.rpc, stage.operator.token())
    parties = [{"role": "plaintiff", "kind": "natural_person", "name": "周明", "account_id": account_id},
               {"role": "defendant", "kind": "organisation", "name": "江门恒信投资有限公司"}]  # fmt: skip
    told = play.cast.example["acts"][0]["filing"] | {"parties": parties, "materials": named}
    told |= {"body_id": play.cast.body, "procedure_id": play.pack.id}
    return str(voice.post("/filings", told)["case_id"])


def test_who_filed_reads_how_far_it_is_and_what_to_correct(
    browser: Browser, page: Page, platform: Platform, stage: Stage, tmp_path: Path
) -> None:
    play = stage.play(CIVIL, "refused-after-correction.case.yaml", "portal-filer")
    open_account(stage.http, ANOTHER)
    large = paper("民事起诉状", {"案由": "合伙合同纠纷"}) + b"\n" * (9 * 1024 * 1024)  # more than comes at once
    play.case_id = handed_in(stage, play, FILER, large)
    settle(stage.rpc, stage.operator.token())
    enter(page, platform, FILER)
    page.goto(f"{platform.address}/cases/{play.case_id}")
    filing = page.get_by_role("region", name="申请情况")
    filing.locator("text=待审查").wait_for()
    page.get_by_role("tab", name="材料").click()
    with page.expect_download() as taken:
        page.get_by_role("button", name="民事起诉状.pdf").click()
    assert (taken.value.suggested_filename, taken.value.path().read_bytes() == large) == ("民事起诉状.pdf", True)
    play.advance("2025-03-12")
    play.perform(play.cast.example["acts"][1])
    settle(stage.rpc, stage.operator.token())
    page.reload()
    filing.locator("text=待补正").wait_for()
    notice = "补正期限至 2025-03-21（含当日）", "补交合伙协议或者投资凭证，说明与被告的关系"
    assert [words for words in notice if words not in filing.inner_text()] == []
    assert (page.locator("[role=alert]").count(), serious(page)) == (0, [])
    assert "未分案" not in page.locator("dl.strip").inner_text()
    page.screenshot(path=str(tmp_path / "filer.png"))
    page.goto(f"{platform.address}/clocks")
    page.wait_for_load_state("networkidle")
    assert page.locator("[role=alert]").count() == 0
    sha256 = stage.voice(FILER, PASSWORD).get(f"/cases/{play.case_id}")["materials"][0]["sha256"]
    with pytest.raises(RefusedError) as refused:
        stage.voice(ANOTHER, PASSWORD).get(f"/files/{sha256}", case_id=play.case_id)
    assert refused.value.slug == "case-not-known"
    with browser.new_context() as another:
        page = another.new_page()
        enter(page, platform, play.cast.sign_in("ye"))
        page.goto(f"{platform.address}/cases/{play.case_id}")
        page.get_by_role("heading", name="补正通知").wait_for()
        assert notice[0] in page.get_by_role("region", name="申请情况").inner_text()


def test_paper_stands_among_the_materials_as_paper(
    page: Page, platform: Platform, stage: Stage, scene: Scene, tmp_path: Path
) -> None:
    case_id = scene.file("门户纸质件案", {"name": "样品封存单", "copies": 3})
    settle(stage.rpc, stage.operator.token())
    sign_in(page, platform, scene, "deng")
    page.goto(f"{platform.address}/cases/{case_id}")
    page.get_by_role("tab", name="材料").click()
    row = page.locator("[role=tabpanel]:visible tr", has_text="样品封存单")
    assert row.locator("td").all_inner_texts() == ["样品封存单", "纸质件", "3 份", "—"]
    assert (row.get_by_role("button").count(), serious(page)) == (0, [])
    page.screenshot(path=str(tmp_path / "paper.png"))


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
