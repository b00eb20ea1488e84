"""An S3 store that answers with trouble: what passes is waited out, what never will be taken is not."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import urllib3
from minio import Minio
from minio.error import S3Error

from services.kit.errors import RuleRefusedError, UnavailableError
from services.kit.objects import S3Store

BUCKET = "there"
ACTS: dict[str, Callable[[S3Store], object]] = {
    "put": lambda store: store.put("k", io.BytesIO(b"page"), 4), "get": lambda store: store.get("k"),
    "keys": lambda store: list(store.keys("k")), "size": lambda store: store.size("k"),
    "delete": lambda store: store.delete("k"), "locked": lambda store: store.locked("k"),
}  # fmt: skip


class Troubled(BaseHTTPRequestHandler):
    """Every object meets what the server was told to say: status, code; status 0 is an answer that breaks off."""

    said = (503, "SlowDown")

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, code = (200, "") if self.path.rstrip("/") == f"/{BUCKET}" and self.command == "HEAD" else self.said
        body = f"<Error><Code>{code}</Code><Message>told</Message></Error>".encode() if code else b""
        self.send_response(status or 200)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body) if status else 1_000))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = answer  # noqa: N815

    def log_message(self, *said: object) -> None:
        """Nothing."""


@pytest.fixture
def store() -> Iterator[S3Store]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Troubled)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    pool = urllib3.PoolManager(retries=False)
    client = Minio(endpoint=f"127.0.0.1:{server.server_port}", access_key="a", secret_key="secret-key", secure=False,
                   region="us-east-1", http_client=pool)  # fmt: skip
    yield S3Store(client, BUCKET)
    pool.clear()
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("said", [(503, "SlowDown"), (500, "InternalError"), (503, "ServiceUnavailable")])
def test_trouble_of_the_store_passes(
    store: S3Store, monkeypatch: pytest.MonkeyPatch, said: tuple[int, str]
) -> None:
    monkeypatch.setattr(Troubled, "said", said)
    for act in ACTS.values():
        with pytest.raises(UnavailableError, match="文件存储"):
            act(store)


def test_an_answer_that_breaks_off_passes(store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Troubled, "said", (0, ""))
    for act in ("get", "keys"):
        with pytest.raises(UnavailableError, match="文件存储"):
            ACTS[act](store)


@pytest.mark.parametrize("said", [(400, "RequestTimeout"), (403, "RequestTimeTooSkewed"), (403, "AccessDenied")])
def test_a_refusal_that_time_or_an_operator_mends_passes(
    store: S3Store, monkeypatch: pytest.MonkeyPatch, said: tuple[int, str]
) -> None:
    monkeypatch.setattr(Troubled, "said", said)
    for act in ("put", "get", "keys"):
        with pytest.raises(UnavailableError, match="文件存储"):
            ACTS[act](store)


def test_what_it_will_never_take_does_not_pass(store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Troubled, "said", (400, "EntityTooLarge"))
    with pytest.raises(S3Error, match="EntityTooLarge"):
        ACTS["put"](store)
    monkeypatch.setattr(Troubled, "said", (400, "ObjectLocked"))
    with pytest.raises(RuleRefusedError, match="已锁定"):
        ACTS["put"](store)
