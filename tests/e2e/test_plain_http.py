"""An intranet without https: Chromium keeps crypto.subtle and randomUUID from its pages; files go up all the same."""

from __future__ import annotations

import hashlib

from playwright.sync_api import Browser

from gateway.pages import PORTAL
from services.kit.testing import settle
from services.ops.demo.cast import PASSWORD
from services.ops.demo.stage import Stage
from services.ops.trial import Platform
from tests.e2e.conftest import Scene
from tests.e2e.test_portal import PLAIN, browser  # noqa: F401 a fixture

SIZE = 9_000_000
UPLOAD = """async ([name, bodyId, size]) => {
  const { upload } = await import(`/assets/${name}`);
  let largest = 0;
  const whole = Blob.prototype.arrayBuffer;
  Blob.prototype.arrayBuffer = function () { largest = Math.max(largest, this.size); return whole.call(this); };
  const file = new File([new Uint8Array(size).fill(55)], "回证.txt", { type: "text/plain" });
  return [await upload(file, { bodyId }), largest];
}"""


def test_a_file_goes_up_over_plain_http_and_is_never_whole_in_memory(
    browser: Browser, platform: Platform, stage: Stage, scene: Scene  # noqa: F811
) -> None:
    page = browser.new_page(bypass_csp=True)
    page.goto(platform.address.replace("127.0.0.1", PLAIN))
    assert page.evaluate("[isSecureContext, typeof crypto.subtle]") == [False, "undefined"]
    page.fill("#sign-in", scene.play.cast.sign_in("deng"))
    page.fill("#password", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_selector("table.list")
    (chunk,) = (PORTAL / "assets").glob("upload-*.js")
    sha256, largest = page.evaluate(UPLOAD, [chunk.name, scene.play.cast.body, SIZE])
    page.close()
    assert sha256 == hashlib.sha256(b"7" * SIZE).hexdigest()
    assert 0 < largest <= 4 * 1024 * 1024
    settle(stage.rpc, stage.operator.token())
    kept = scene.registrar.ask("GET", f"/files/{sha256}")  # 8 MiB at once
    assert kept.headers["anjuan-file-size"] == str(SIZE)
