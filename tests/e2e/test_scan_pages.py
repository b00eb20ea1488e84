"""扫描批次 in a real Chromium: a clerk sees what arrived, counts it against the paper, claims what is nobody's."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from scanning.tests import sheets
from services.archive.model import covers
from services.kit.testing import settle, until
from services.ops.demo import paper
from services.ops.demo.stage import Stage
from services.ops.demo.station import open_site, scan
from services.ops.trial import Platform
from tests.e2e import test_portal
from tests.e2e.conftest import Scene

browser, page = test_portal.browser, test_portal.page
COLUMNS = ["扫描文件", "扫描站", "扫描时间", "状态", "页数", "空白", "待认领", "清点"]


@pytest.fixture(scope="module")
def batch_id(platform: Platform, stage: Stage, scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> str:
    """One pile of a case, and one behind another body's sheet."""
    case_id = scene.file("扫描页面案")
    scene.file("认领页面案")
    settle(stage.rpc, stage.operator.token())
    folder = tmp_path_factory.mktemp("station") / "in"
    site = open_site(platform.address, folder, scene.play.cast.body, stage.operator.token())
    foreign = sheets.cover(covers.written("body-elsewhere", "0123456789ABCDEF"))
    papers = [paper.page("现场笔录", ()), paper.blank(), paper.page("询问笔录", ()), foreign,
              paper.page("他局文书", ())]  # fmt: skip
    return scan(site, case_id, scene.registrar.token(), papers)


def test_a_clerk_finds_counts_and_claims_a_batch(
    page: Page, platform: Platform, scene: Scene, batch_id: str, tmp_path: Path
) -> None:
    test_portal.sign_in(page, platform, scene, "deng")
    page.get_by_role("link", name="扫描批次").click()
    page.wait_for_selector(f"a[href='/scans/{batch_id}']")
    assert page.locator("table.list thead th").all_inner_texts() == COLUMNS
    row = page.locator("tr", has=page.locator(f"a[href='/scans/{batch_id}']")).inner_text()
    assert ("待认领 1 叠" in row, "未清点" in row, "一楼扫描站" in row) == (True, True, True)
    assert test_portal.serious(page) == []
    page.click(f"a[href='/scans/{batch_id}']")
    drawn = "[...document.images].filter(i => i.complete && i.naturalWidth > 50).length"
    until(lambda: page.evaluate(drawn) == 6, 60, "six thumbnails")
    assert test_portal.serious(page) == []
    page.screenshot(path=str(tmp_path / "batch.png"), full_page=True)
    page.fill("#counted", "4")
    page.get_by_role("button", name="清点核对").click()
    assert "不一致" in page.locator("[role=alert]").inner_text()
    page.fill("#count-note", "第四页与案件无关")
    page.get_by_role("button", name="清点核对").click()
    page.wait_for_selector("dd:has-text('纸质 4 页')")
    assert "不符" in page.locator("dl.strip").inner_text()
    _claim(page)
    told = scene.registrar.get(f"/scan-batches/{batch_id}")
    assert [pile["state"] for pile in told["piles"]] == ["filed", "filed"]
    assert (told["piles"][1]["title"], told["piles"][1]["claim_note"]) == ("认领页面案", "夹带")
    assert (told["paper_pages"], told["count_state"]) == (4, "differs")


def _claim(page: Page) -> None:
    pile = page.locator("section", has_text="第 2 叠")
    assert "分隔页属于其他机关" in pile.inner_text()
    pile.get_by_role("button", name="认领或作废").click()
    page.get_by_label("认领页面案").wait_for()
    page.get_by_role("button", name="确认认领").click()
    assert "请先选择案件" in page.locator(".el-drawer [role=alert]").inner_text()
    assert test_portal.serious(page) == []
    page.get_by_label("认领页面案").check()
    page.fill("#claim-note", "夹带")
    page.get_by_role("button", name="确认认领").click()
    pile.get_by_text("已归案").wait_for()
    assert "认领页面案" in pile.inner_text()


def test_who_brings_no_pages_is_not_offered_the_list(page: Page, platform: Platform, scene: Scene) -> None:
    test_portal.sign_in(page, platform, scene, "wang")
    assert page.get_by_role("link", name="扫描批次").count() == 0
