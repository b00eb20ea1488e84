"""The real pack passes; each kind of fault is found with its file, its line and a mend."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from services.kit.procedure.bundle import load_folder
from services.kit.procedure.check import check_folder
from services.kit.procedure.tests.conftest import Copy
from services.kit.settings import procedures_dir


@pytest.mark.parametrize("folder", sorted(p.parent for p in procedures_dir().glob("*/pack.yaml")), ids=lambda p: p.name)
def test_shipped_packs_are_clean(folder: Path) -> None:
    assert [str(f) for f in check_folder(folder)] == []


FAULTS = yaml.safe_load((Path(__file__).parent / "faults.yaml").read_text("utf-8"))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f"{f['file']} {f['new'][:30]}")
def test_fault_is_found_where_it_is(penalty: Copy, fault: dict[str, str]) -> None:
    penalty.edit(fault["file"], fault["old"], fault["new"])
    found = penalty.says(fault["says"])
    assert found.kind == fault["kind"]
    if found.file == fault["file"] != "process.bpmn":
        text = (penalty.folder / found.file).read_text("utf-8").splitlines()
        near = "\n".join(text[max(found.line - 4, 0) : found.line + 8])
        assert found.line > 0
        assert not fault["new"] or fault["new"].strip().splitlines()[0] in near


def test_effects_that_wait_for_each_other_are_told(penalty: Copy) -> None:
    penalty.edit("nodes.yaml", "effect: docket\n", "effect: docket\n      after: [refuse_docketing]\n")
    assert not [f for f in penalty.found() if f.kind not in ("behaviour", "coverage")]
    penalty.edit("nodes.yaml", "effect: refuse_docketing\n", "effect: refuse_docketing\n      after: [docket]\n")
    found = penalty.says("互相等待")
    assert (found.file, found.line) == ("nodes.yaml", 26)


def test_missing_form_template_and_example_are_told(penalty: Copy) -> None:
    (penalty.folder / "forms/tell_reporter.schema.json").unlink()
    assert penalty.says("没有表单").line > 1


def test_flows_and_limits_that_no_example_shows_are_told(penalty: Copy) -> None:
    (penalty.folder / "examples/inspection-not-docketed.case.yaml").unlink()
    assert penalty.says("没有案例走过顺序流 refuse_it").kind == "coverage"
    assert penalty.says("没有案例办过效果 refuse_docketing").file == "nodes.yaml"
    (penalty.folder / "examples/report-docketed.case.yaml").unlink()
    assert penalty.says("samr-report-reply 的 starts").file == "time_limits.yaml"


def test_a_version_that_pulls_the_ground_from_running_cases_is_told(penalty: Copy) -> None:
    former = load_folder(penalty.folder)
    penalty.edit(
        "process.bpmn", '<userTask id="tell_reporter" name="告知举报人"/>', '<userTask id="told" name="告知举报人"/>'
    )
    found = [f for f in check_folder(penalty.folder, former) if f.kind == "change"]
    assert found == []  # not even loadable: dangling flows come first
    path = penalty.folder / "process.bpmn"
    path.write_text(path.read_text("utf-8").replace("tell_reporter", "told"), "utf-8")
    nodes = penalty.folder / "nodes.yaml"
    nodes.write_text(nodes.read_text("utf-8").replace("tell_reporter:", "told:"), "utf-8")
    (penalty.folder / "forms/tell_reporter.schema.json").rename(penalty.folder / "forms/told.schema.json")
    found = [f for f in check_folder(penalty.folder, former) if f.kind == "change"]
    assert {f.file for f in found} == {"process.bpmn", "pack.yaml"}
    assert any("tell_reporter 已删去" in f.message for f in found)
    assert any("没有高于" in f.message for f in found)
