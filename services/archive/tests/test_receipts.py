"""送达回证: what the procedure has taken for served is not bound or archived before its proof is a page."""

from __future__ import annotations

import pytest

from anjuan.documents.v1.events_pb2 import InstrumentServed
from anjuan.workflow.v1.events_pb2 import NodeCompleted
from services.archive.tests import scans
from services.archive.tests.scene import CLERK, Scene
from services.archive.tests.test_pages import listed
from services.archive.tests.test_papers import printed
from services.archive.usecases.binding import await_papers
from services.archive.usecases.papers import FILE
from services.kit.effects import struct
from services.kit.errors import UnavailableError
from services.kit.identity import system
from services.kit.objects import put_bytes


def waits(scene: Scene, case_id: str) -> None:
    with scene.begin(system("test")) as uow:
        await_papers(uow, case_id)


def test_a_proof_that_is_still_on_its_way_is_waited_for(scene: Scene) -> None:
    case_id = scene.case()
    instrument_id = scene.issues(case_id, printed("决定书"))
    scene.works(FILE)
    picture = scans.picture("送达回证")
    proof = put_bytes(scene.host.objects, picture, "image/jpeg")
    told = {"source": "documents", "type": "InstrumentServed", "serving_id": "s1", "proof_sha256": proof}
    done = NodeCompleted(node_id="decision_served", data=struct(told))
    scene.hears("workflow", done, case_id, **scene.about(case_id))
    waits(scene, case_id)  # bytes that did not come to this body become no page, so nothing waits for them
    scans.give(scene, picture, "image/jpeg", CLERK, "material")
    scene.hears("workflow", done, case_id, **scene.about(case_id))
    with pytest.raises(UnavailableError, match="送达回证"):
        waits(scene, case_id)
    served = InstrumentServed(instrument_id=instrument_id, serving_id="s1", served_on="2025-03-04", proof_sha256=proof)
    scene.hears("documents", served, case_id, **scene.about(case_id))
    with pytest.raises(UnavailableError, match="送达回证"):
        waits(scene, case_id)
    scene.works(FILE)
    waits(scene, case_id)
    assert [p.seq for p in listed(scene, case_id=case_id)] == [2, 2]
