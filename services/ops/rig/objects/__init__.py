"""Real S3 servers: MinIO, built with Go, or SeaweedFS from its wheel where there is no Go."""

from __future__ import annotations

from collections.abc import Mapping

from services.ops.rig.objects.minio import Minio, can_build
from services.ops.rig.objects.seaweed import SeaweedFS
from services.ops.rig.place import Place

__all__ = ["Minio", "SeaweedFS", "choose"]


def choose(place: Place, ports: Mapping[str, int]) -> Minio | SeaweedFS:
    """The one that this data folder was begun with; at first MinIO where it can be had."""
    weed = SeaweedFS(place, ports)
    if (place.data / "objects.seaweedfs").exists():
        return weed
    minio = Minio(place, ports["objects"], ports["objects_console"])
    if (place.data / "objects.minio").exists() or can_build(place.account):
        (place.data / "objects.minio").touch()
        return minio
    (place.data / "objects.seaweedfs").touch()
    return weed
