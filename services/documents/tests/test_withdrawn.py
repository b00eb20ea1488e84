"""制发 that is taken back while its job waits or works; the number is never lost without a trace."""

from __future__ import annotations

from typing import Any

import pytest

from anjuan.kit.v1.cards_pb2 import WorkflowCard
from anjuan.workflow.v1.events_pb2 import EffectWithdrawn, ProcedureConcluded
from services.documents.tests.packs import NOTICE
from services.documents.tests.scene import OFFICER, Scene
from services.documents.tests.test_issue import NOTICE_FIELDS
from services.documents.usecases import produce
from services.kit.errors import UnavailableError

WANTED = {"instrument": NOTICE, "fields": NOTICE_FIELDS}


def withdrawn(scene: Scene, case_id: str, effect_id: str) -> None:
    """Workflow tells that nobody wants it any more."""
    fact = EffectWithdrawn(effect_id=effect_id, effect="issue_instrument", owner="documents", reason="事由有误")
    scene.hears("workflow", fact, effect_id, case_id=case_id)


def numbers(scene: Scene) -> tuple[Any, Any]:
    """What stands in the books: the number, and why it was given up."""
    return scene.ask("select number from numbers"), scene.ask("select void_reason from numbers")


def test_a_queued_job_seals_nothing_any_more(scene: Scene) -> None:
    case_id = scene.case()
    effect_id = scene.asks(case_id, "issue_instrument", WANTED)
    withdrawn(scene, case_id, effect_id)
    scene.works()
    assert (scene.answer(effect_id), scene.told("InstrumentIssued")) == ({}, [])
    (kept,) = scene.listed(OFFICER, case_id=case_id)
    assert (scene.seen(kept, OFFICER).state, scene.ask("select pdf_sha256 from instruments")) == ("draft", "")
    assert numbers(scene) == ("江市监询通〔2025〕1号", "")
    assert scene.issued(case_id, NOTICE, fields=NOTICE_FIELDS)["number"] == "江市监询通〔2025〕1号", "no gap"


def test_a_running_job_finds_it_so_in_its_last_transaction(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    case_id, make = scene.case(), produce._make
    effect_id = scene.asks(case_id, "issue_instrument", WANTED)

    def overtaken(*order: Any) -> Any:
        made = make(*order)
        withdrawn(scene, case_id, effect_id)
        return made

    monkeypatch.setattr(produce, "_make", overtaken)
    scene.works()
    assert (scene.answer(effect_id), scene.told("InstrumentIssued")) == ({}, [])


def test_a_job_overtaken_gives_no_attempt_of_another_back(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    case_id, make = scene.case(), produce._make
    effect_id = scene.asks(case_id, "issue_instrument", WANTED)

    def overtaken(*order: Any) -> Any:
        monkeypatch.setattr(produce, "_make", make)
        withdrawn(scene, case_id, effect_id)
        again = scene.asks(case_id, "issue_instrument", WANTED)
        [job] = [p for p in scene.jobs() if p["call"]["effect_id"] == again]
        produce.produce(scene.host, job)
        raise UnavailableError("对象存储暂不可用")

    monkeypatch.setattr(produce, "_make", overtaken)
    with pytest.raises(UnavailableError):
        scene.works()
    assert (len(scene.told("InstrumentIssued")), scene.ask("select sum(attempts) from instruments")) == (1, 1)


@pytest.mark.parametrize("concluded_first", [True, False])
def test_when_the_procedure_ends_its_number_is_void_with_a_trace(scene: Scene, concluded_first: bool) -> None:
    case_id = scene.case()
    effect_id = scene.asks(case_id, "issue_instrument", WANTED)
    end = ProcedureConcluded(outcome="e", card=WorkflowCard(concluded=True, outcome="e"))
    if not concluded_first:
        withdrawn(scene, case_id, effect_id)
    scene.hears("workflow", end, case_id, case_id=case_id)
    if concluded_first:
        assert numbers(scene)[1] == "", "it is still on the way"
        withdrawn(scene, case_id, effect_id)
    scene.works()
    assert numbers(scene) == ("江市监询通〔2025〕1号", "程序终结，该文书没有制发")
    assert scene.ask("select count(*) from audit where action = 'void_number'") == 1
    assert scene.issued(scene.case(), NOTICE, fields=NOTICE_FIELDS)["number"] == "江市监询通〔2025〕2号"


def test_what_is_issued_already_stays_issued(scene: Scene) -> None:
    case_id = scene.case()
    effect_id = scene.asks(case_id, "issue_instrument", WANTED)
    scene.works()
    withdrawn(scene, case_id, effect_id)
    assert scene.seen(scene.answer(effect_id)["instrument_id"], OFFICER).state == "issued"
