"""Sends requests as they are, and looks at what a refusal says."""

from __future__ import annotations

import re
from typing import Any

import httpx

from tests.contract.fits import Fit
from tests.contract.fits_archive import FITS
from tests.contract.world import World, as_json

PROBLEM = "application/problem+json"
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_KEYS = {"type", "title", "status", "detail", "instance", "request_id"}


def send(world: World, label: str, fit: Fit, *, role: str | None = None, headers: dict[str, str] | None = None,
         content: bytes | None = None) -> httpx.Response:  # fmt: skip
    """A fitting request, perhaps by another role, with other headers, or with these bytes as its body."""
    method, path = label.split(" ", 1)
    told = world.people[role or fit.role].headers() | fit.headers
    data = fit.content if content is None else content
    if data is None and fit.body is not None:
        data = as_json(fit.body)
    if data is not None and "Content-Type" not in told:
        told["Content-Type"] = "application/json"
    return world.http.request(method, path.format(**fit.path), params=fit.query, headers=told | (headers or {}),
                              content=data)  # fmt: skip


def made(world: World, label: str) -> Fit:
    """The request that fits an operation, with an object of its own."""
    return FITS[label](world)


def refused(answer: httpx.Response, *statuses: int, slug: str = "") -> dict[str, Any]:
    """The problem of an answer that had to be a refusal with one of these statuses.

    Raises:
        AssertionError: another status, not a problem, not in Chinese, or without a request id.
    """
    said = f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text[:500]}"
    assert answer.status_code in statuses, said
    assert len(answer.headers["x-request-id"]) >= 8, said
    if answer.request.method == "HEAD":
        return {}
    assert answer.headers["content-type"] == PROBLEM, said
    body: dict[str, Any] = answer.json()
    assert body.keys() >= _KEYS, said
    assert body["status"] == answer.status_code, said
    assert body["request_id"] == answer.headers["x-request-id"], said
    assert body["instance"] == answer.request.url.path, said
    for text in (body["title"], body["detail"], *(e["detail"] for e in body.get("errors", []))):
        assert _CHINESE.search(text), said
    assert body["type"].startswith("urn:anjuan:problem:"), said
    assert not slug or body["type"].endswith(f":{slug}"), said
    return body
