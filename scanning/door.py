"""The platform's HTTP door in the station's name: enrolled once, a short token against each signature."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)  # fmt: skip

from scanning import durable
from scanning.ledger import Ledger
from services.kit import clock


class OfflineError(Exception):
    """The platform does not answer, or not now, or not yet for this station: the same again later."""


class RefusedError(Exception):
    """The platform has read the request and refuses it."""

    def __init__(self, status: int, slug: str, detail: str) -> None:
        super().__init__(f"{detail}（{status}）")
        self.status, self.slug, self.detail = status, slug, detail


def load_key(path: Path) -> Ed25519PrivateKey:
    """The station's own key, made on first use; nobody else may read the file.

    Raises:
        ValueError: the file holds another kind of key.
    """
    if not path.exists():
        made = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        durable.write_once(path, made, 0o600)
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{path.name} 不是 Ed25519 密钥")
    return key


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """The public half: 32 raw bytes."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def fingerprint_of(public_key: bytes) -> str:
    """What the administrator compares before approving, written as the platform writes it."""
    digest = hashlib.sha256(public_key).hexdigest()
    return " ".join(digest[at : at + 4] for at in range(0, 32, 4))


class Door:
    """One thread's way to the platform."""

    def __init__(self, server: str, key: Ed25519PrivateKey, ledger: Ledger, transport_seconds: float = 60.0) -> None:
        self.http = httpx.Client(base_url=f"{server.rstrip('/')}/api/v1", timeout=transport_seconds)
        self.key, self.ledger = key, ledger
        self.answers = 0  # requests that were answered and not put off
        self._token, self._until, self._ahead = "", 0.0, timedelta()

    def __enter__(self) -> Door:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    @property
    def fingerprint(self) -> str:
        """Of the key in use."""
        return fingerprint_of(public_bytes(self.key))

    def enrol(self, name: str, body_id: str) -> str:
        """Ask to be approved, once; the station's id.

        Raises:
            OfflineError, RefusedError.
        """
        known = self.ledger.fact("station_id") if self.ledger.fact("key") == self.fingerprint else ""
        return known or str(self.asked(name, body_id)["station_id"])

    def asked(self, name: str, body_id: str) -> Any:
        """What the platform says of this station, which asks to be approved if it has not: station_id, state ...

        Raises:
            OfflineError, RefusedError.
        """
        told = {"name": name, "body_id": body_id, "public_key": base64.b64encode(public_bytes(self.key)).decode()}
        station = told_in(self._checked(self._sent("POST", "/stations", json=told)))
        self.ledger.put_fact("station_id", str(station["station_id"]))
        self.ledger.put_fact("key", self.fingerprint)
        return station

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """One request with a fresh token; `path` is under /api/v1, or whole as a Location was.

        Raises:
            OfflineError, RefusedError.
        """
        headers = {"Authorization": f"Bearer {self._bearer()}"} | request.pop("headers", {})
        answer = self._sent(method, path.removeprefix("/api/v1"), headers=headers, **request)
        if answer.status_code == 401:
            self._token = ""
        return self._checked(answer)

    def _bearer(self) -> str:
        if not self._token or clock.monotonic() > self._until:
            session = self._session()
            self._token = str(session["token"])
            self._until = clock.monotonic() + max(30.0, int(session["expires_in_seconds"]) - 60)
        return self._token

    def _session(self) -> Any:
        station_id = self.ledger.fact("station_id")
        for _ in range(2):
            signed_at = (clock.now() + self._ahead).isoformat()
            signature = self.key.sign(f"anjuan-station:{station_id}:{signed_at}".encode())
            proof = {"signed_at": signed_at, "signature": base64.b64encode(signature).decode()}
            answer = self._sent("POST", f"/stations/{station_id}/token", json=proof)
            if answer.status_code != 401 or not self._set_clock(answer):
                break
        if answer.status_code in (401, 403):
            raise OfflineError(f"平台暂不接受本扫描站：{_said(answer)[1]}")
        return told_in(self._checked(answer))

    def _set_clock(self, answer: httpx.Response) -> bool:
        """A station's clock may be wrong: go by the platform's. Whether that changes anything."""
        if "date" not in answer.headers:
            return False
        ahead = parsedate_to_datetime(answer.headers["date"]) - clock.now()
        changed = abs(ahead - self._ahead) > timedelta(seconds=30)
        self._ahead = ahead
        return changed

    def _sent(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            return self.http.request(method, path, **request)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise OfflineError(f"连不上平台：{type(error).__name__} {error}") from error

    def _checked(self, answer: httpx.Response) -> httpx.Response:
        if answer.status_code < 300:
            self.answers += 1
            return answer
        slug, detail = _said(answer)
        later = answer.status_code >= 500 or answer.status_code in (401, 403, 408, 425, 429)
        # what is no problem of the platform's was said by something in between
        if later or slug in ("", "case-not-known"):
            raise OfflineError(f"平台暂不能受理：{detail}（{answer.status_code}）")
        raise RefusedError(answer.status_code, slug, detail)


def told_in(answer: httpx.Response) -> Any:
    """The JSON object of an answer.

    Raises:
        OfflineError: it is none, so it is not the platform that answers.
    """
    try:
        told = answer.json()
    except ValueError as error:
        raise OfflineError("应答的不是平台，请检查平台地址和网络代理") from error
    if not isinstance(told, dict):
        raise OfflineError("应答的不是平台，请检查平台地址和网络代理")
    return told


def _said(answer: httpx.Response) -> tuple[str, str]:
    """Slug and sentence of a problem; a HEAD is answered without either, but says that it is one."""
    if not answer.headers.get("content-type", "").startswith("application/problem+json"):
        return "", answer.text[:200]
    if not answer.content:
        return "unknown", ""
    body = told_in(answer)
    return str(body.get("type", "")).rsplit(":", 1)[-1] or "unknown", str(body.get("detail", ""))


def pieces(path: Path, offset: int, length: int) -> Iterable[bytes]:
    """Part of a file, piece by piece."""
    with path.open("rb") as file:
        file.seek(offset)
        while length > 0 and (piece := file.read(min(durable.PIECE, length))):
            length -= len(piece)
            yield piece
