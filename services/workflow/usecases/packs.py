"""Packs: proposed by one person, confirmed by another, never changed afterwards."""

from __future__ import annotations

from anjuan.workflow.v1 import events_pb2 as facts_pb2
from anjuan.workflow.v1 import workflow_pb2 as pb
from services.kit import access, clock
from services.kit.errors import ConflictError, NotAllowedError, NotFoundError, TooLargeError
from services.kit.objects import ObjectStore, put_bytes
from services.kit.procedure import bpmn, registry
from services.kit.procedure.bundle import load_bundle
from services.kit.procedure.check import expressions, ordered, references
from services.kit.procedure.conditions import is_expression
from services.kit.procedure.graph import FILE
from services.kit.procedure.load import sources_of
from services.kit.procedure.model import Finding, Pack, PackError
from services.kit.procedure.source import Source
from services.workflow.model.records import PackBundle
from services.workflow.model.superior import RELATIONS
from services.workflow.settings import KNOBS
from services.workflow.store import WorkflowUnit
from services.workflow.tables import pack_bundles
from services.workflow.usecases.own import PERFORMERS


def read_bundle(data: bytes) -> Pack:
    """The pack of a bundle, checked without playing its examples; no database, no lock is held meanwhile.

    Raises:
        TooLargeError: over the limit. PackError: every fault of form, safety and reference, with file and line.
    """
    if len(data) > KNOBS.bundle_bytes:
        raise TooLargeError(f"程序包超过 {KNOBS.bundle_bytes // 1024 // 1024} MB，请去掉大图")
    pack = load_bundle(data)
    sources, graph = sources_of(pack.files)[0], bpmn.read(pack.files[FILE])
    found = [*references.findings(pack, graph, sources), *expressions.findings(pack, sources, graph)]
    found += _approvers(pack, sources["nodes.yaml"])
    found += [
        sources["nodes.yaml"].fault(f"本平台尚不能办理效果 {rule.effect}", "改用已有的效果", "nodes", node)
        for node, rule in pack.effects.values()
        if rule.effect in registry.effects() and _is_ours(rule.effect) and rule.effect not in PERFORMERS
    ]
    if found:
        raise PackError(ordered(found))
    return pack


def _approvers(pack: Pack, nodes: Source) -> list[Finding]:
    """Whom ask_superior names, where the pack names it outright."""
    asking = [(node, rule.with_.get("approver")) for node, rule in pack.effects.values()
              if rule.effect == "ask_superior"]  # fmt: skip
    return [
        nodes.fault(f"批准关系 {name} 不是可以报请的机关", f"可用：{'、'.join(RELATIONS)}", "nodes", node)
        for node, name in asking if not is_expression(name) and name not in RELATIONS
    ]  # fmt: skip


def _is_ours(effect: str) -> bool:
    return registry.effects()[effect].owner == "workflow"


def require_publisher(uow: WorkflowUnit) -> None:
    """Raises NotAllowedError unless the caller may propose packs."""
    with uow:
        access.require(uow.connection, uow.cause.actor, "publish_pack")


def keep_bundle(objects: ObjectStore, data: bytes) -> None:
    """Lay a checked bundle into the object store under its hash, before the transaction that names it."""
    put_bytes(objects, data, "application/zip")


def propose_pack(uow: WorkflowUnit, pack: Pack, size: int) -> pb.Pack:
    """Write a checked bundle down; the same bytes a second time change nothing.

    Raises:
        ConflictError: this id and version exist with other bytes.
    """
    sha256 = pack.sha256
    row = {
        "sha256": sha256, "pack_id": pack.id, "version": pack.version, "title": pack.title,
        "valid_from": pack.valid_from, "size": size, "state": "proposed",
        "proposed_by": uow.cause.actor.person_id,
    }  # fmt: skip
    if uow.bundles.add_if_new(**row):
        uow.record("publish_pack", sha256, detail={"pack_id": pack.id, "version": pack.version})
    found = uow.bundles.one((pack_bundles.c.pack_id == pack.id) & (pack_bundles.c.version == pack.version))
    if found is None or found.sha256 != sha256:
        raise ConflictError(f"程序包 {pack.id} {pack.version} 已有内容不同的文件，请改用新的版本号")
    return message(found)


def confirm_pack(uow: WorkflowUnit, request: pb.ConfirmPackRequest) -> pb.Pack:
    """A second person lets a proposed pack out.

    Raises:
        NotAllowedError: the proposer himself.
        NotFoundError: no such bundle.
    """
    actor = uow.cause.actor
    access.require(uow.connection, actor, "confirm_pack")
    proposed = uow.bundles.find(request.sha256)
    if proposed is None:
        raise NotFoundError("没有这一程序包，请先提交")
    uow.lock(proposed.pack_id)
    found = uow.bundles.find(request.sha256) or proposed
    if found.state == "published":
        return message(found)
    if found.proposed_by == actor.person_id:
        raise NotAllowedError("提交程序包的人不能自己确认，请由另一人确认")
    uow.bundles.change(found.sha256, state="published", confirmed_by=actor.person_id, confirmed_at=clock.now())
    uow.emit(facts_pb2.PackPublished(
        pack_id=found.pack_id, version=found.version, sha256=found.sha256, size=found.size,
        valid_from=found.valid_from.isoformat(),
    ), stream=found.pack_id, body_id=actor.body_id, pack=(found.pack_id, found.version))  # fmt: skip
    uow.record("confirm_pack", found.sha256, detail={"pack_id": found.pack_id, "version": found.version})
    return message(found, state="published", confirmed_by=actor.person_id)


def message(found: PackBundle, **other: str) -> pb.Pack:
    """A pack's row as it is told."""
    f = found
    known = {
        "pack_id": f.pack_id, "version": f.version, "sha256": f.sha256, "state": f.state, "title": f.title,
        "valid_from": f.valid_from.isoformat(), "proposed_by": f.proposed_by, "confirmed_by": f.confirmed_by,
    }  # fmt: skip
    return pb.Pack(**known | other)
