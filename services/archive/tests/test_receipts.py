"""送达回证: what the procedure has taken for served is not bound or archived before its proof is a page."""

from __future__ import annotations

import json
from typing import Any

import pytest

from anjuan.archive.v1 import archive_pb2 as pb
from anjuan.documents.v1.events_pb2 import InstrumentPublished, InstrumentServed
from anjuan.kit.v1.cards_pb2 import WorkflowCard
from anjuan.workflow.v1.events_pb2 import NodeCompleted
from services.archive.tests import scans
from services.archive.tests.scene import CLERK, LEADER, Scene
from services.archive.tests.test_archive import archived, dossier
from services.archive.tests.test_bind import bound, ready
from services.archive.tests.test_pages import listed
from services.archive.tests.test_papers import printed
from services.archive.usecases.binding import await_papers
from services.archive.usecases.papers import FILE
from services.archive.views import dossiers
from services.kit import clock
from services.kit.effects import struct
from services.kit.errors import UnavailableError
from services.kit.identity import system
from services.kit.objects import put_bytes

MISSING = "《行政处罚决定书》对受送达人的送达还没有证明（送达回证）"


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


def begins(scene: Scene, case_id: str, instrument_id: str, *parties: str) -> None:
    """workflow tells a node that has begun servings."""
    begun = [{"instrument_id": instrument_id, "party_id": party} for party in parties]
    done = NodeCompleted(node_id="decide", completed_by="p-officer", card=WorkflowCard(officer_ids=["p-officer"]),
                         results=struct({"serve": {"serving_ids": ["s1"], "begun": begun}}))  # fmt: skip
    scene.hears("workflow", done, case_id, **scene.about(case_id))


def proves(scene: Scene, case_id: str, instrument_id: str, party: str, fact: type[Any]) -> None:
    scene.hears("documents", fact(instrument_id=instrument_id, serving_id="s", party_id=party), case_id,
                **scene.about(case_id))  # fmt: skip


def test_a_serving_that_was_begun_and_never_proven_hinders_binding_and_archiving(scene: Scene) -> None:
    case_id = ready(scene, f"回证 {clock.new_id()[-8:]}")
    instrument_id = scene.issues(case_id, printed(f"决定书 {clock.new_id()[-8:]}"))
    scene.works(FILE)
    proves(scene, case_id, instrument_id, "p1", InstrumentServed)  # told before the node that began it
    begins(scene, case_id, instrument_id, "p1", "p2", "p3")
    proves(scene, case_id, instrument_id, "p3", InstrumentPublished)
    assert dossier(scene, case_id).hindrances == [MISSING]
    assert bound(scene, case_id) == {"refused": MISSING}
    scene.closes(case_id)
    noted = {"receipts_note": "当事人到院领取，未另作回证"}
    for volume in ("main", "internal"):
        effect_id = scene.asks(case_id, "bind_volume", {"volume": volume} | noted)
        scene.works()
        assert scene.answer(effect_id)["volume_id"]
    assert archived(scene, case_id) == {"refused": MISSING}
    assert archived(scene, case_id, **noted)["archived_on"] == "2025-03-03"
    asked = pb.GetManifestRequest(case_id=case_id)
    told = json.loads(dossiers.get_manifest(scene.begin(LEADER), scene.host.objects, LEADER, asked).chunk)
    assert told["receipts"] == {"missing": [MISSING], "note": noted["receipts_note"]}


def test_a_proof_by_any_method_is_enough(scene: Scene) -> None:
    case_id = ready(scene, "补证")
    begins(scene, case_id, "not-told-yet", "p1")
    assert dossier(scene, case_id).hindrances == [MISSING.replace("《行政处罚决定书》", "文书")]
    proves(scene, case_id, "not-told-yet", "p1", InstrumentServed)
    assert not dossier(scene, case_id).hindrances
