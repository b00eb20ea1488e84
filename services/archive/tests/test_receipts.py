"""送达回证: what the procedure has taken for served is not bound or archived before its proof is a page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from anjuan.archive.v1 import archive_pb2 as pb
from anjuan.documents.v1.events_pb2 import InstrumentPublished, InstrumentServed
from anjuan.kit.v1.effects_pb2 import EffectDone
from anjuan.workflow.v1.events_pb2 import NodeCompleted
from services.archive.tests import scans
from services.archive.tests.scene import CLERK, LEADER, REVIEWER, Scene
from services.archive.tests.test_archive import archived, dossier
from services.archive.tests.test_bind import pdf_of, ready, words
from services.archive.tests.test_pages import listed
from services.archive.tests.test_papers import printed
from services.archive.usecases.binding import BIND, await_papers
from services.archive.usecases.papers import FILE
from services.archive.usecases.receipts import closing_note
from services.archive.views import dossiers
from services.kit import clock
from services.kit.effects import struct
from services.kit.errors import UnavailableError
from services.kit.identity import system
from services.kit.objects import put_bytes
from services.kit.procedure.bundle import load_folder
from services.kit.settings import procedures_dir
from services.ops.rig.verapdf import broken_rules

MISSING = "《行政处罚决定书》对受送达人的送达还没有证明（送达回证）"
UNNAMED = MISSING.replace("《行政处罚决定书》", "文书")
NOTED, SECRET = {"receipts_note": "当事人到院领取，未另作回证"}, "案件集体讨论记录"


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
    """documents answers that it has begun servings."""
    begun = [{"instrument_id": instrument_id, "party_id": party} for party in parties]
    effect_id = clock.new_id()
    done = EffectDone(effect_id=effect_id, effect="serve_instrument", case_id=case_id,
                      results=struct({"serving_ids": ["s"] * len(begun), "begun": begun}))  # fmt: skip
    scene.hears("documents", done, effect_id, **scene.about(case_id))


def proves(scene: Scene, case_id: str, instrument_id: str, party: str, fact: type[Any] = InstrumentServed) -> None:
    scene.hears("documents", fact(instrument_id=instrument_id, serving_id="s", party_id=party), case_id,
                **scene.about(case_id))  # fmt: skip


def issued(scene: Scene, case_id: str, **told: Any) -> str:
    """An instrument whose pages are in the dossier."""
    instrument_id = scene.issues(case_id, printed(f"文书 {clock.new_id()[-8:]}"), **told)
    scene.works(FILE)
    return instrument_id


def binds(scene: Scene, case_id: str, volume: str, **params: str) -> dict[str, Any]:
    effect_id = scene.asks(case_id, "bind_volume", {"volume": volume} | params)
    scene.works(BIND)
    return scene.answer(effect_id)


def audited(scene: Scene, action: str, object_id: object) -> Any:
    asked = "select detail from audit where action = :action and object_id = :object_id"
    return scene.ask(asked, action=action, object_id=object_id)


def test_a_serving_that_was_begun_and_never_proven_hinders_binding_and_archiving(scene: Scene) -> None:
    case_id = ready(scene, f"回证 {clock.new_id()[-8:]}")
    instrument_id = issued(scene, case_id)
    proves(scene, case_id, instrument_id, "p1")  # told before the answer of the effect that began it
    begins(scene, case_id, instrument_id, "p1", "p2", "p3")
    proves(scene, case_id, instrument_id, "p3", InstrumentPublished)
    assert dossier(scene, case_id).hindrances == [MISSING]
    assert binds(scene, case_id, "main", receipts_note="") == {"refused": MISSING}
    scene.closes(case_id)
    for volume in ("main", "internal"):
        assert binds(scene, case_id, volume, **NOTED)["volume_id"]
    assert archived(scene, case_id, receipts_note=" ") == {"refused": MISSING}
    assert archived(scene, case_id, **NOTED)["archived_on"] == "2025-03-03"
    asked = pb.GetManifestRequest(case_id=case_id)
    told = json.loads(dossiers.get_manifest(scene.begin(LEADER), scene.host.objects, LEADER, asked).chunk)
    assert told["receipts"] == {"missing": [MISSING], "note": NOTED["receipts_note"]}
    row = audited(scene, "archive_dossier", dossier(scene, case_id).dossier_id)
    assert (row["receipts_note"], row["receipts_missing"]) == (NOTED["receipts_note"], [MISSING])


def test_servings_that_their_node_does_not_await_are_missed_too(scene: Scene) -> None:
    """民事一审: the token leaves 立案审查 when the case is docketed; both notices are issued and served after that."""
    pack = load_folder(procedures_dir() / "civil-first-instance")
    node = pack.nodes["docketing_review"]
    rules = {rule.id: rule for rule in node.effects}
    titles = {rule.id: rule.title for rule in pack.instruments}
    case_id, expected = scene.case(), []
    told = {name: {"docketed_on": "2025-03-03"} for name in node.awaited() if name == "docket"}
    done = NodeCompleted(node_id="docketing_review", completed_by="p-officer", results=struct(told))
    scene.hears("workflow", done, case_id, **scene.about(case_id))
    for name in ("serve_accept_notice", "serve_fee_notice"):
        assert (rules[name].effect, name in node.awaited()) == ("serve_instrument", False)
        title = titles[rules[rules[name].after[0]].with_["instrument"]]
        begins(scene, case_id, issued(scene, case_id, title=title), "p1")
        expected.append(MISSING.replace("行政处罚决定书", title))
    assert len(set(expected)) == 2
    assert dossier(scene, case_id).hindrances == expected


def test_a_proof_by_any_method_is_enough(scene: Scene) -> None:
    case_id = ready(scene, "补证")
    begins(scene, case_id, "not-told-yet", "p1")
    assert dossier(scene, case_id).hindrances == [UNNAMED]
    proves(scene, case_id, "not-told-yet", "p1")
    assert not dossier(scene, case_id).hindrances


def test_a_pack_that_cannot_say_why_is_not_hindered(scene: Scene) -> None:
    scene.publishes("0.9.0")
    older = ready(scene, f"旧包 {clock.new_id()[-8:]}", pack_version="0.9.0")
    begins(scene, older, issued(scene, older), "p1")
    assert not dossier(scene, older).hindrances
    bindings = [binds(scene, older, volume) for volume in ("main", "internal")]
    assert [len(answer) for answer in bindings] == [2, 2]
    with scene.begin(system("test")) as uow:
        assert [volume.closing_note for volume in uow.volumes.of_case(older)] == [{}, {}]
    assert archived(scene, older)["archived_on"] == "2025-03-03"
    assert audited(scene, "archive_dossier", dossier(scene, older).dossier_id)["receipts_missing"] == [MISSING]


def test_what_is_missing_names_nothing_of_the_internal_volume_to_who_may_not_open_it(scene: Scene) -> None:
    case_id = ready(scene, "副卷回证")
    begins(scene, case_id, issued(scene, case_id, title=SECRET, volume="internal", internal=True), "p1")
    scene.completes(case_id, "i-later")  # its own room has not told what it is: its number says too much already
    begins(scene, case_id, "i-later", "p2")
    assert dossier(scene, case_id).hindrances == [MISSING.replace("行政处罚决定书", SECRET), UNNAMED]
    assert dossier(scene, case_id, REVIEWER).hindrances == [UNNAMED, UNNAMED]
    issued(scene, case_id, instrument_id="i-later")
    assert dossier(scene, case_id, REVIEWER).hindrances == [UNNAMED, MISSING]
    for answer in (binds(scene, case_id, "main", receipts_note=""), archived(scene, case_id, receipts_note="")):
        assert answer == {"refused": f"{UNNAMED}；{MISSING}"}


def test_a_note_is_printed_behind_each_volume_with_what_its_own_papers_lack(scene: Scene, tmp_path: Path) -> None:
    case_id = ready(scene, "备考")
    main = issued(scene, case_id)
    inner = issued(scene, case_id, title=SECRET, volume="internal", internal=True)
    for instrument_id in (main, inner):
        begins(scene, case_id, instrument_id, "p1")
    printed_words = {}
    for volume in ("main", "internal"):
        answer = binds(scene, case_id, volume, **NOTED)
        path = pdf_of(scene, tmp_path, answer["volume_id"])
        assert broken_rules(path) == []
        with pikepdf.open(path) as pdf, pdf.open_outline() as outline:
            last = len(pdf.pages)
            assert [line.title for line in outline.root][-1] == "备考表"
            assert last == 2 + int(answer["pages"]) + 1
        printed_words[volume] = "".join(words(path, last, last).split())
        for wanted in ("备考表", NOTED["receipts_note"], "立卷人" + CLERK.name, "日期2025年3月3日"):
            assert wanted in printed_words[volume]
        assert SECRET not in str(row := audited(scene, "bind_volume", answer["volume_id"]))
        assert (row["receipts_note"], len(row["receipts_missing"])) == (NOTED["receipts_note"], 2)
    assert [MISSING in said for said in printed_words.values()] == [True, False]
    assert [SECRET in said for said in printed_words.values()] == [False, True]
    with scene.begin(system("test")) as uow:
        volumes = uow.volumes.of_case(case_id)
        proves(scene, case_id, main, "p1")
        assert [len(closing_note(uow, volume)) for volume in volumes] == [0, 2]  # 正卷 says nothing of papers of 副卷
        proves(scene, case_id, inner, "p1")
        assert [closing_note(uow, volume).get("missing") for volume in volumes] == [[], None]
