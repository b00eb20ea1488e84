"""One running platform, seen from outside: HTTP in the name of a person."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Any

import httpx

from services.kit import clock

CHUNK = 4 * 1024 * 1024


class RefusedError(Exception):
    """The API answered with a problem; `slug` is its type, `body` the whole of it."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(f"{status} {body.get('title', '')}：{body.get('detail', '')} {body.get('errors', '')}")
        self.status, self.body = status, body
        self.slug = str(body.get("type", "")).rsplit(":", 1)[-1]


@dataclass
class Voice:
    """A signed-in person's way to the API; signs in again when the token runs out."""

    http: httpx.Client
    sign_in: str
    password: str
    acting_body_id: str = ""
    _token: str = field(default="", repr=False)
    _until: float = 0.0

    def ask(self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None,
            params: dict[str, Any] | None = None, content: bytes | None = None) -> httpx.Response:  # fmt: skip
        """One request under /api/v1; a POST carries a fresh Idempotency-Key.

        Raises:
            RefusedError: any answer from 400 upward.
        """
        sent = {"Authorization": f"Bearer {self.token()}"} | (headers or {})
        if method == "POST":
            sent.setdefault("Idempotency-Key", clock.new_id())
        answer = self.http.request(method, f"/api/v1{path}", json=body, params=params, content=content, headers=sent)
        return checked(answer)

    def get(self, path: str, **params: Any) -> Any:
        """JSON of a GET."""
        return self.ask("GET", path, params=params or None).json()

    def post(self, path: str, body: Any, version: str = "") -> Any:
        """JSON of a POST; `version` goes into If-Match."""
        return self.ask("POST", path, body, headers={"If-Match": version} if version else None).json()

    def token(self) -> str:
        """A bearer token with at least a minute left."""
        if clock.monotonic() > self._until - 60:
            asked = {"sign_in": self.sign_in, "password": self.password, "mode": "token",
                     "acting_body_id": self.acting_body_id}  # fmt: skip
            session = checked(self.http.post("/api/v1/session", json=asked)).json()
            self._token, self._until = session["token"], clock.monotonic() + int(session["expires_in_seconds"])
        return self._token

    def upload(self, name: str, data: bytes, media_type: str, body_id: str) -> dict[str, Any]:
        """Upload by tus; returns what a filing names a material by."""
        digest = hashlib.sha256(data).hexdigest()
        pairs = {"filename": name, "filetype": media_type, "sha256": digest, "purpose": "material", "body_id": body_id}
        told = ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in pairs.items())
        made = self.ask("POST", "/uploads", headers={"Upload-Length": str(len(data)), "Upload-Metadata": told})
        where = made.headers["location"].removeprefix("/api/v1")
        for offset in range(0, len(data), CHUNK):
            headers = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
            self.ask("PATCH", where, headers=headers, content=data[offset : offset + CHUNK])
        return {"name": name, "sha256": digest, "size": len(data)}


def checked(answer: httpx.Response) -> httpx.Response:
    """The answer, or RefusedError with its problem."""
    if answer.status_code >= 400:
        is_problem = answer.headers.get("content-type", "").startswith("application/problem+json")
        raise RefusedError(answer.status_code, answer.json() if is_problem else {"detail": answer.text[:300]})
    return answer
