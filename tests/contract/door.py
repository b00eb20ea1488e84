"""A gateway of the tests' own before the platform's rooms: with other rates, and nobody else's callers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from services.kit.settings import ROOT
from services.kit.testing import until
from services.ops.rig import environment, ports, web


def _free_port() -> int:
    return next(port for port in range(ports.FIRST + 11_000, ports.LAST) if ports.is_free(port))


@contextmanager
def open_door(variables: Mapping[str, str], per_minute: int, sign_in_per_minute: int) -> Iterator[str]:
    """Its address while it runs; rates are requests per minute and caller."""
    port = _free_port()
    own = {"ANJUAN_GATEWAY_PORT": str(port), "ANJUAN_RATE_PER_MINUTE": str(per_minute),
           "ANJUAN_SIGN_IN_PER_MINUTE": str(sign_in_per_minute)}  # fmt: skip
    env = environment.for_process({**variables, **own})
    with subprocess.Popen([sys.executable, "-m", "gateway"], env=env, cwd=ROOT) as process:
        try:
            until(lambda: process.poll() is not None or web.answers(port, "/healthz"), 60, "the gateway answers")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
