"""`anjuan pack publish` against the real door; signing in is identity's own matter."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from anjuan.workflow.v1.workflow_pb2_grpc import WorkflowStub
from services.kit import identity
from services.kit.errors import NotAllowedError
from services.kit.procedure.bundle import bundle_of, sha256_of
from services.kit.procedure.model import PackError
from services.kit.settings import procedures_dir
from services.ops.publish import Door
from services.workflow.tests.desk import Desk

PENALTY = procedures_dir() / "admin-penalty-general"


def door(desk: Desk, who: str) -> Door:
    key = (desk.rig.place.keys / "token.pem").read_bytes()
    token = identity.sign_token(desk.actor(who), desk.rig.settings.site, key)
    return Door(WorkflowStub(desk.channel), token)


def test_a_folder_is_handed_in_and_confirmed(desk: Desk) -> None:
    proposed = door(desk, "operator").propose(PENALTY)
    assert door(desk, "operator").propose(PENALTY) == proposed
    assert proposed.sha256 == sha256_of(bundle_of(PENALTY))
    with pytest.raises(NotAllowedError):
        door(desk, "operator").confirm(proposed.sha256)
    assert door(desk, "checker").confirm(proposed.sha256).state == "published"


def test_a_faulty_folder_is_not_handed_in(desk: Desk, tmp_path: Path) -> None:
    folder = tmp_path / PENALTY.name
    shutil.copytree(PENALTY, folder)
    nodes = folder / "nodes.yaml"
    nodes.write_text(nodes.read_text("utf-8").replace("effect: docket", "effect: docket_it"), "utf-8")
    with pytest.raises(PackError, match=r"nodes.yaml:\d+"):
        door(desk, "operator").propose(folder)
    assert desk.query("select * from pack_bundles") == []
