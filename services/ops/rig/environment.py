"""The ANJUAN_* variables of one installation: the only thing that its processes are told."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from services.ops.discover import ROOT
from services.ops.rig.place import Place

BACKING = ("postgres", "rabbitmq", "rabbitmq_dist", "rabbitmq_epmd")
OBJECTS = ("objects", "objects_console", "weed_master", "weed_master_grpc", "weed_volume", "weed_volume_grpc",
           "weed_filer", "weed_filer_grpc", "weed_s3", "weed_s3_grpc")  # fmt: skip
FULL = (*OBJECTS, "search", "search_transport")
LISTENERS = ("consumers", "followers")
HOSTS = ("servers", "relays", *LISTENERS, "workers")


def port_names(rooms: Iterable[str], profile: str = "embedded") -> list[str]:
    """Every port that an installation uses."""
    own = [f"rpc_{room}" for room in rooms]
    backing = (*BACKING, *FULL) if profile == "full" else BACKING
    return [*backing, *own, *(f"metrics_{name}" for name in HOSTS), "gateway"]


def variables(
    place: Place, ports: Mapping[str, int], rooms: Iterable[str], profile: str = "embedded", scripted: bool = False
) -> dict[str, str]:
    """What services.kit.settings reads, plus the gateway's door and the private key that identity signs with."""
    broker = f"amqp://anjuan:{place.secret('amqp')}@127.0.0.1:{ports['rabbitmq']}/%2F"
    rpc = ",".join(f"{name}=127.0.0.1:{ports[f'rpc_{name}']}" for name in rooms)
    return {
        "ANJUAN_DATA": str(place.data),
        "ANJUAN_PROFILE": profile,
        "ANJUAN_SCRIPTED": "1" if scripted else "0",
        "ANJUAN_SITE": "local",
        "ANJUAN_POSTGRES_HOST": "127.0.0.1",
        "ANJUAN_POSTGRES_PORT": str(ports["postgres"]),
        "ANJUAN_POSTGRES_PASSWORD": place.secret("postgres"),
        "ANJUAN_AMQP": broker,
        "ANJUAN_RPC": rpc,
        "ANJUAN_OBJECTS": f"file://{place.data / 'objects'}",
        "ANJUAN_SEARCH": f"file://{place.data / 'search'}",
        "ANJUAN_TOKEN_PUBLIC_KEY": str(place.keys / "token.pub.pem"),
        "ANJUAN_TOKEN_PRIVATE_KEY": str(place.keys / "token.pem"),
        "ANJUAN_GATEWAY_HOST": "127.0.0.1",
        "ANJUAN_GATEWAY_PORT": str(ports["gateway"]),
    }


def for_process(common: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment without other ANJUAN_* leftovers, with ours and the import path."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANJUAN_")}
    path = [str(ROOT), str(ROOT / "build" / "gen"), *filter(None, [os.environ.get("PYTHONPATH")])]
    paths = {"PYTHONPATH": os.pathsep.join(path), "PYTHONUNBUFFERED": "1"}
    for name in ("ANJUAN_DOMAIN_DIR", "ANJUAN_PROCEDURES_DIR"):
        if name in os.environ:
            kept[name] = str(Path(os.environ[name]).resolve())
    return kept | paths | dict(common)
