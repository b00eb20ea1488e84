"""What every process of ours is refused, and what the migration of one room must not leave out."""

from __future__ import annotations

import subprocess
import sys

import pytest

from services.ops.discover import ROOT
from services.ops.rig.environment import for_process
from services.ops.rig.session import Rig


def ended(rig: Rig, *module: str, **variables: str) -> subprocess.CompletedProcess[str]:
    env = for_process(rig.environment | variables)
    argv = [sys.executable, "-m", *module]
    return subprocess.run(argv, env=env, cwd=ROOT, capture_output=True, text=True, timeout=60)


@pytest.mark.integration
@pytest.mark.parametrize("module", ["services.ops.host servers", "services.intake serve", "gateway"])
def test_production_does_not_start_with_the_scripted_clock(rig: Rig, module: str) -> None:
    done = ended(rig, *module.split(), ANJUAN_PROFILE="kubernetes", ANJUAN_SCRIPTED="1")
    assert done.returncode
    assert "ANJUAN_SCRIPTED=1 is refused" in done.stderr


@pytest.mark.integration
def test_migrating_one_room_declares_the_queues_of_its_listeners(rig: Rig) -> None:
    done = ended(rig, "services.intake", "migrate")
    assert done.returncode == 0, done.stderr
    queues = set(rig.broker.control("list_queues", "--no-table-headers", "name").split())
    assert {"intake.from.workflow.v1", "workflow.from.intake.v1", "supervision.from.intake.v1"} <= queues
