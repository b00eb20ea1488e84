"""python -m gateway: the gateway process."""

from __future__ import annotations

import uvicorn

from gateway.app import create
from gateway.settings import GatewaySettings


def main() -> None:
    """Serve until SIGTERM."""
    settings = GatewaySettings.from_environment()
    app = create(settings)
    uvicorn.run(app, host=settings.host, port=settings.port, log_level="warning", timeout_graceful_shutdown=8)


if __name__ == "__main__":
    main()
