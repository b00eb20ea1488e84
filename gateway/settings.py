"""What the gateway needs to know; no database, no rules."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class GatewaySettings:
    """`rpc` gives host:port by room; rates are requests per minute and caller."""

    rpc: Mapping[str, str]
    host: str = "127.0.0.1"
    port: int = 8080
    scripted: bool = False
    secure_cookies: bool = False
    rate_per_minute: int = 6000
    sign_in_per_minute: int = 60
    largest_json: int = 1024 * 1024
    largest_chunk: int = 16 * 1024 * 1024
    call_seconds: float = 10.0

    @classmethod
    def from_environment(cls, env: Mapping[str, str] | None = None) -> GatewaySettings:
        """Read ANJUAN_* variables; in production cookies always travel by HTTPS alone.

        Raises:
            KeyError: a variable is missing; its name is the message.
            ValueError: the scripted clock, or cookies over plain HTTP, are asked for in production.
        """
        env = os.environ if env is None else env
        production, asked = env.get("ANJUAN_PROFILE") == "kubernetes", env.get("ANJUAN_SECURE_COOKIES", "")
        if production and (asked == "0" or env.get("ANJUAN_SCRIPTED") == "1"):
            name = "ANJUAN_SECURE_COOKIES=0" if asked == "0" else "ANJUAN_SCRIPTED=1"
            raise ValueError(f"{name} is refused in profile kubernetes")
        return cls(
            rpc=dict(item.split("=", 1) for item in env["ANJUAN_RPC"].split(",") if item),
            host=env.get("ANJUAN_GATEWAY_HOST", "127.0.0.1"),
            port=int(env.get("ANJUAN_GATEWAY_PORT", "8080")),
            scripted=env.get("ANJUAN_SCRIPTED", "0") == "1",
            secure_cookies=production or asked == "1",
            rate_per_minute=int(env.get("ANJUAN_RATE_PER_MINUTE", "6000")),
            sign_in_per_minute=int(env.get("ANJUAN_SIGN_IN_PER_MINUTE", "60")),
        )
