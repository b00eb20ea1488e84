"""The bare path of equal length: HTTP framework -> gRPC -> one insert and commit, in two processes like ours.

`python -m services.ops.bench.bare server | gateway`, addresses from the environment.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import grpc
import uvicorn
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from google.protobuf.wrappers_pb2 import BytesValue
from sqlalchemy import text

from gateway.routes.filings import NewFiling
from services.kit import clock, rpc
from services.kit.database import open_engine
from services.kit.settings import Settings
from services.kit.testing import until
from services.ops.bench.ground import Ground
from services.ops.discover import ROOT
from services.ops.rig import ports
from services.ops.rig.environment import for_process

NAME, METHOD = "benchbare", "/anjuan.Bare/Keep"
_KEEP = text("insert into kept (id, body) values (:id, :body)")


def server() -> None:
    """Threads like ours; bytes in, one row, the id back."""
    engine = open_engine(Settings.from_environment(), NAME)

    def keep(body: BytesValue, context: grpc.ServicerContext) -> BytesValue:
        key = clock.new_id()
        with engine.begin() as connection:
            connection.execute(_KEEP, {"id": key, "body": body.value})
        return BytesValue(value=key.encode())

    door = grpc.server(ThreadPoolExecutor(16))
    ways = {"Keep": grpc.unary_unary_rpc_method_handler(keep, BytesValue.FromString, BytesValue.SerializeToString)}
    door.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("anjuan.Bare", ways),))
    door.add_insecure_port(os.environ["ANJUAN_BARE_SERVER"])
    door.start()
    door.wait_for_termination()


def _way(channel: Any) -> Any:
    return channel.unary_unary(METHOD, BytesValue.SerializeToString, BytesValue.FromString)


def gateway() -> None:
    """The same request, checked by the same model."""
    ways: list[Any] = []

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        ways.append(_way(grpc.aio.insecure_channel(os.environ["ANJUAN_BARE_SERVER"])))
        yield

    app = FastAPI(lifespan=life)

    @app.post("/api/v1/filings", status_code=201)
    async def submit(body: NewFiling) -> JSONResponse:
        kept = await ways[0](BytesValue(value=body.model_dump_json().encode()))
        return JSONResponse({"id": kept.value.decode()}, 201)

    host, _, port = os.environ["ANJUAN_BARE_GATEWAY"].partition(":")
    uvicorn.run(app, host=host, port=int(port), log_level="warning")


@contextmanager
def bare_path(ground: Ground) -> Iterator[str]:
    """Its address while its two processes run, on the same database server."""
    ground.postgres.drop_database(NAME)
    ground.postgres.ensure_databases([NAME])
    ground.fill(NAME, "create table kept (id text primary key, body bytea not null)",
                f"alter table kept owner to anjuan_{NAME}")  # fmt: skip
    free = (port for port in range(ports.FIRST + 11_500, ports.LAST) if ports.is_free(port))
    inner_port, outer_port = next(free), next(free)
    inner, outer = f"127.0.0.1:{inner_port}", f"127.0.0.1:{outer_port}"
    own = {"ANJUAN_BARE_SERVER": inner, "ANJUAN_BARE_GATEWAY": outer}
    env = for_process(ground.platform.variables | own)
    argv = [sys.executable, "-m", "services.ops.bench.bare"]
    started = [subprocess.Popen([*argv, name], env=env, cwd=ROOT) for name in ("server", "gateway")]  # noqa: S603
    try:
        until(lambda: ports.listens(inner_port) and ports.listens(outer_port), 30, "the bare path")
        with rpc.channel(inner) as channel:
            _way(channel)(BytesValue(), timeout=10)
        yield f"http://{outer}"
    finally:
        for process in started:
            process.kill()
            process.wait()
        ground.postgres.drop_database(NAME)


if __name__ == "__main__":
    {"server": server, "gateway": gateway}[sys.argv[1]]()
