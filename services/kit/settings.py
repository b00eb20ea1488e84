"""Settings common to every process: read once from the environment, never changed afterwards."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def domain_dir() -> Path:
    """Folder of the law as data; ANJUAN_DOMAIN_DIR replaces the one beside the code."""
    return Path(os.environ.get("ANJUAN_DOMAIN_DIR", ROOT / "domain"))


def procedures_dir() -> Path:
    """Folder of the procedure packs that ship with the code."""
    return Path(os.environ.get("ANJUAN_PROCEDURES_DIR", ROOT / "procedures"))


@dataclass(frozen=True)
class Settings:
    """What a process of any service needs to find its neighbours.

    `postgres` is a libpq prefix without the database name; each service has a database and a role
    named `anjuan_<service>`. `amqp` is one URL of the broker. `rpc_ports` gives host:port by service.
    """

    postgres_host: str
    postgres_port: int
    postgres_password: str
    amqp: str
    data: Path
    site: str
    profile: str  # embedded | full | kubernetes
    scripted: bool
    rpc: Mapping[str, str]
    objects: str  # file:///folder or s3://key:secret@host:port/bucket
    search: str  # file:///folder or http://host:port
    token_public_key: Path
    pool: int = 8
    metrics_port: int = 0

    @classmethod
    def from_environment(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Read ANJUAN_* variables.

        Raises:
            KeyError: a variable without default is missing; its name is the message.
            ValueError: the scripted clock is asked for in production.
        """
        env = os.environ if env is None else env
        data = Path(env["ANJUAN_DATA"])
        profile, scripted = env.get("ANJUAN_PROFILE", "embedded"), env.get("ANJUAN_SCRIPTED", "0") == "1"
        if scripted and profile == "kubernetes":
            raise ValueError("ANJUAN_SCRIPTED=1 is refused in profile kubernetes: legal dates would be moved by hand")
        return cls(
            postgres_host=env.get("ANJUAN_POSTGRES_HOST", "127.0.0.1"),
            postgres_port=int(env["ANJUAN_POSTGRES_PORT"]),
            postgres_password=env["ANJUAN_POSTGRES_PASSWORD"],
            amqp=env["ANJUAN_AMQP"],
            data=data,
            site=env.get("ANJUAN_SITE", "local"),
            profile=profile,
            scripted=scripted,
            rpc=dict(item.split("=", 1) for item in env.get("ANJUAN_RPC", "").split(",") if item),
            objects=env.get("ANJUAN_OBJECTS", f"file://{data / 'objects'}"),
            search=env.get("ANJUAN_SEARCH", f"file://{data / 'search'}"),
            token_public_key=Path(env.get("ANJUAN_TOKEN_PUBLIC_KEY", str(data / "keys" / "token.pub.pem"))),
            pool=int(env.get("ANJUAN_POOL", "8")),
            metrics_port=int(env.get("ANJUAN_METRICS_PORT", "0")),
        )

    def database_url(self, service: str, driver: str) -> str:
        """SQLAlchemy URL of a service's own database; driver is psycopg or psycopg2."""
        role = f"anjuan_{service}"
        where = f"{self.postgres_host}:{self.postgres_port}"
        return f"postgresql+{driver}://{role}:{self.postgres_password}@{where}/{role}"
