"""What an index is built from: every case exactly as its last event told it, for operators alone."""

from __future__ import annotations

import pytest

from anjuan.intake.v1 import intake_pb2 as pb
from anjuan.kit.v1.cards_pb2 import IntakeCard
from services.intake import views
from services.intake.tests.scene import CLERK, LEADER, TODAY, Scene, civil
from services.kit.errors import NotAllowedError
from services.kit.identity import Actor

OPERATOR = Actor("operator", "p-operator", "运维")


def exported(scene: Scene) -> dict[str, IntakeCard]:
    found: dict[str, IntakeCard] = {}
    after = ""
    while True:
        with scene.begin(OPERATOR) as uow:
            answer = views.export_cases(uow, pb.ExportCasesRequest(after_id=after, limit=2))
        found |= {row.case_id: row.card for row in answer.rows}
        if not (after := answer.next_after_id):
            return found


def test_the_export_gives_each_card_as_it_was_last_told(scene: Scene) -> None:
    cases = [scene.submits(civil(title=f"第{n}案")) for n in range(5)]
    scene.asks("accept_filing", cases[1], TODAY)
    scene.asks("docket", cases[1], TODAY)
    told = {one.case_id: scene.told(one.case_id)[-1].data.card for one in cases}
    assert exported(scene) == told
    assert told[cases[1].case_id].version > told[cases[0].case_id].version >= 1


@pytest.mark.parametrize("actor", [CLERK, LEADER])
def test_only_operators_export(scene: Scene, actor: Actor) -> None:
    with scene.begin(actor) as uow, pytest.raises(NotAllowedError):
        views.export_cases(uow, pb.ExportCasesRequest())
