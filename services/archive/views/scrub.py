"""Stored bytes against the hashes under which the tables name them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from anjuan.archive.v1 import archive_pb2 as pb
from services.archive.store import ArchiveUnit
from services.archive.store.holdings import Holding
from services.archive.usecases.contents import pieces
from services.kit import access
from services.kit.errors import InvalidInputError
from services.kit.identity import Actor
from services.kit.objects import ObjectStore, sha256_key

AT_ONCE, MOST = 100, 500
ENOUGH = 256 * 1024 * 1024  # bytes after which a call answers, so that it stays short
WHATS = {"page": "页", "thumbnail": "缩略图", "master": "扫描原件", "upload": "上传文件", "paper": "文书、材料原件",
         "volume": "已装订的卷", "manifest": "归档清单", "dossier": "归档卷宗"}  # fmt: skip
FAULTS = {"missing": "缺失", "changed": "内容已被改动", "unlocked": "归档锁定已失效"}


def scrub(uow: ArchiveUnit, store: ObjectStore, actor: Actor, request: pb.ScrubRequest) -> pb.ScrubAnswer:
    """The next objects, in the order of their hashes; operators and the platform itself.

    Raises:
        NotAllowedError.
        InvalidInputError: the limit.
    """
    limit = request.limit or AT_ONCE
    if not 0 < limit <= MOST:
        raise InvalidInputError("每次个数有误", [{"pointer": "/limit", "detail": f"须为 1 至 {MOST}"}])
    with uow:
        if actor.kind != "system":
            access.require(uow.connection, actor, "operate")
        held = uow.holdings.after(request.after, limit)
    answer = pb.ScrubAnswer(next_after="")
    for sha256, holdings in held.items():
        answer.bytes += _look(store, sha256, holdings, answer)
        answer.objects += 1
        if answer.bytes >= ENOUGH or answer.objects == limit:
            answer.next_after = sha256
            break
    if answer.findings:
        with uow:
            uow.record("scrub", request.after, detail={"findings": len(answer.findings)})
    return answer


def _look(store: ObjectStore, sha256: str, holdings: Sequence[Holding], answer: pb.ScrubAnswer) -> int:
    """Bytes read; what is wrong goes into the answer once for each thing that lies under the hash."""
    digest, read, key = hashlib.sha256(), 0, sha256_key(sha256)
    there = store.size(key) is not None
    for piece in pieces(store, key):
        digest.update(piece)
        read += len(piece)
    found = digest.hexdigest() if there else ""
    if found != sha256:
        kind = "changed" if there else "missing"
        answer.findings.extend(_finding(kind, found, holding) for holding in holdings)
    elif any(holding.is_locked for holding in holdings) and not store.locked(key):
        answer.findings.extend(_finding("unlocked", found, h) for h in holdings if h.is_locked)
    return read


def _finding(kind: str, found: str, h: Holding) -> pb.ScrubFinding:
    whose = f"{h.case_number or h.case_id or '未归入案件'} " if h.what != "master" else ""
    where = f"（卷 {h.volume_id} 第 {h.page_number} 页）" if h.page_number else ""
    said = f"{whose}{WHATS[h.what]}《{h.name}》{where}{FAULTS[kind]}"
    return pb.ScrubFinding(
        kind=kind, sha256=h.sha256, found_sha256=found, detail=said,
        what=h.what, case_id=h.case_id, case_number=h.case_number, page_id=h.page_id, volume_id=h.volume_id,
        page_number=h.page_number,
    )  # fmt: skip
