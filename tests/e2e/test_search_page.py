"""Full-text search as people use it: in the portal, and built anew by an operator while filing goes on."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path
from typing import Any

from playwright.sync_api import Page
from typer.testing import CliRunner

from services.kit.testing import settle, until
from services.ops.__main__ import app
from services.ops.demo.stage import Stage
from services.ops.trial import Platform
from tests.e2e.conftest import Scene
from tests.e2e.test_portal import browser, page, serious, sign_in  # noqa: F401 fixtures


def found(scene: Scene, text: str) -> list[dict[str, Any]]:
    hits: list[dict[str, Any]] = scene.officer.get("/search", text=text)["hits"]
    return hits


def test_a_case_is_found_marked_narrowed_and_opened(
    page: Page, platform: Platform, stage: Stage, scene: Scene, tmp_path: Path  # noqa: F811
) -> None:
    cases = [scene.file(f"检索页：青花瓷瓶掺假线索{n}号") for n in range(22)]
    settle(stage.rpc, stage.operator.token(), timeout=120)
    sign_in(page, platform, scene, "zhang")
    page.fill(".top-search input", "青花瓷瓶 22")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=没有检索到")
    page.fill("#search-text", "青花瓷瓶　线索")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=共 22 项")
    assert page.locator("ol.hits > li").count() == 20
    assert page.locator("ol.hits > li").first.locator("mark").all_inner_texts() == ["青花瓷瓶", "线索"]
    assert serious(page) == []
    page.screenshot(path=str(tmp_path / "search.png"))
    page.get_by_role("button", name="更多").click()
    until(lambda: page.locator("ol.hits > li").count() == 22, 20, "the other two hits")
    page.locator(".el-radio-button", has_text="文书").click()
    page.wait_for_selector("text=共 0 项")
    page.go_back()
    page.wait_for_selector("text=共 22 项")
    page.fill("#search-text", '"瓷瓶')
    page.keyboard.press("Enter")
    page.locator("[role=alert]", has_text="引号没有成对").wait_for()
    assert serious(page) == []
    page.fill("#search-text", "“掺假线索3号”")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=共 1 项")
    page.locator("ol.hits a").first.click()
    page.wait_for_url(re.compile(cases[3]))
    page.wait_for_selector("text=掺假线索3号")


def test_the_index_is_built_anew_while_filing_goes_on(platform: Platform, stage: Stage, scene: Scene) -> None:
    titles = [f"重建期间的线索{n}号" for n in range(12)]
    for title in titles[:4]:
        scene.file(title)
    settle(stage.rpc, stage.operator.token(), timeout=120)
    filing = threading.Thread(target=lambda: [scene.file(title) for title in titles[4:]])
    filing.start()
    data = str(platform.installation.place.data)
    answer = CliRunner().invoke(app, ["rebuild-search", "--data", data, "--json"])
    filing.join()
    told = json.loads(answer.stdout)
    assert (answer.exit_code, told["ok"], told["differing"], told["problem"]) == (0, True, 0, "")
    assert told["documents"] >= 4
    settle(stage.rpc, stage.operator.token(), timeout=120)
    for title in titles:
        assert [hit["title"] for hit in found(scene, f"“{title}”")] == [title]
