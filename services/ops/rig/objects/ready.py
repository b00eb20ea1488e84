"""Does an S3 server answer a signed request? Its own health pages say yes before it can."""

from __future__ import annotations

import urllib3
from minio import Minio
from minio.error import MinioException
from urllib3.exceptions import HTTPError

from services.ops.rig.ports import listens


def serves(port: int, user: str, password: str) -> bool:
    """One signed request, no retries (the client's own go on for a minute)."""
    if not listens(port):
        return False
    impatient = urllib3.PoolManager(timeout=2, retries=False)
    client = Minio(
        endpoint=f"127.0.0.1:{port}", access_key=user, secret_key=password, secure=False, http_client=impatient
    )
    try:
        client.list_buckets()
    except (MinioException, HTTPError, ValueError):
        return False
    finally:
        impatient.clear()
    return True
