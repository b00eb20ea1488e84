"""The portal's files, as Vite built them; every page address answers with its one document."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse, HTMLResponse
from fastapi.staticfiles import StaticFiles
from starlette.responses import Response

from services.kit.settings import ROOT

PORTAL = ROOT / "build" / "portal"
# the page loads nothing from elsewhere; Element Plus sets style attributes
POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "frame-ancestors 'none'; form-action 'self'"
)
NOT_BUILT = (
    "<!doctype html><meta charset=utf-8><title>案卷</title>"
    "<p>门户尚未构建：请运行 make portal。接口文档见 <a href=/docs>/docs</a>。"
)
PAGES = ("/", "/sign-in", "/cases", "/cases/{case_id}", "/clocks", "/scans", "/scans/{batch_id}", "/search")


def install(app: FastAPI, folder: Path = PORTAL) -> None:
    """Mount the built portal; without a build the pages say how to make one."""

    async def page() -> Response:
        document = folder / "index.html"
        if not document.is_file():
            return HTMLResponse(NOT_BUILT, 503)
        return FileResponse(document, headers={"Content-Security-Policy": POLICY, "Referrer-Policy": "same-origin"})

    for path in PAGES:
        app.get(path, include_in_schema=False)(page)
    if (folder / "assets").is_dir():
        app.mount("/assets", StaticFiles(directory=folder / "assets"))
