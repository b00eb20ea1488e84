"""收案: what a filing must be, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import func, select

from anjuan.intake.v1 import intake_pb2 as pb
from services.intake import tables
from services.intake.tests.scene import (
    BUREAU,
    BUREAU_PACK,
    CLERK,
    COURT,
    COURT_PACK,
    ID_ZHAO,
    JUDGE,
    OFFICER,
    PLAINTIFF,
    REGISTRAR,
    Scene,
    bundle,
    civil,
    report,
)
from services.kit import schema
from services.kit.effects import struct
from services.kit.errors import InvalidInputError, NotAllowedError
from services.kit.identity import Actor


def faults(scene: Scene, filing: pb.Filing, actor: Actor = CLERK) -> dict[str, str]:
    with pytest.raises(InvalidInputError) as refused:
        scene.submits(filing, actor)
    return {f["pointer"]: f["detail"] for f in refused.value.fields}


def test_a_filing_is_received_and_told(scene: Scene) -> None:
    answer = scene.submits(civil())
    assert (answer.state, answer.version, list(answer.open_items)) == ("submitted", 1, [])
    [fact] = scene.told(answer.case_id)
    assert (fact.type, fact.seq, fact.case_id, fact.body_id) == ("FilingSubmitted", 1, answer.case_id, COURT)
    assert (fact.pack_id, fact.pack_version, fact.occurred_on) == ("civil", "1.0.0", date(2025, 3, 3))
    assert [p.name for p in fact.data.filing.parties] == ["赵一", "钱二"]
    with scene.begin(CLERK) as uow:
        case = uow.cases.get(answer.case_id)
        card = uow.connection.execute(select(schema.case_card)).mappings().one()
        audit = uow.connection.execute(select(schema.audit)).mappings().one()
    assert (case.state, case.case_number, case.received_on) == ("received", None, date(2025, 3, 3))
    assert (card["case_id"], card["state"], card["party_names"]) == (case.case_id, "received", "赵一、钱二")
    assert card["party_account_ids"] == ["acc-zhao"]
    assert (audit["action"], audit["actor"]["id"], audit["object_id"]) == (
        "submit_filing",
        CLERK.person_id,
        case.case_id,
    )


def test_what_the_checklist_misses_is_answered_not_refused(scene: Scene) -> None:
    two = [*civil().parties, pb.Party(role="defendant", kind="organisation", name="孙三公司")]
    answer = scene.submits(
        civil(parties=two, materials=civil().materials[:1], content=struct({"claim": "还款", "urgent": True}))
    )
    assert [(d.checklist_item, d.detail) for d in answer.open_items] == [
        ("complaint", "起诉状应有2份，现有1份"), ("identity", "请提交原告的身份证明"), ("urgency", "缺少紧急情况说明"),
    ]  # fmt: skip
    assert [d.checklist_item for d in scene.told(answer.case_id)[0].data.filing.open_items] == [
        "complaint", "identity", "urgency",
    ]  # fmt: skip


def test_all_faults_are_told_at_once(scene: Scene) -> None:
    wrong = civil(
        title=" ", amount_in_dispute_fen=-1, submitted_on="2025-03-04", content=struct({"claim": "", "more": 1}),
        parties=[
            pb.Party(role="judge", kind="natural_person", name="赵一", id_kind="resident_id",
                     id_number=ID_ZHAO[:-1] + "0"),
            pb.Party(role="defendant", kind="organisation", name="", id_kind="uscc", id_number="91440703MA5EXAMP09",
                     representatives=[pb.Representative(kind="friend")]),
        ],
        materials=[pb.Material(checklist_item="nothing", sha256="xyz", size=-1)],
        reporter=pb.Reporter(name="某人"),
    )  # fmt: skip
    assert set(faults(scene, wrong)) == {
        "/title", "/amount_in_dispute_fen", "/submitted_on", "/content", "/content/claim", "/reporter", "/parties",
        "/parties/0/role", "/parties/0/id_number", "/parties/1/name", "/parties/1/id_number",
        "/parties/1/representatives/0/name", "/parties/1/representatives/0/kind", "/materials/0/name",
        "/materials/0/checklist_item", "/materials/0/sha256", "/materials/0/size",
    }  # fmt: skip
    with scene.begin(CLERK) as uow:
        for table in (tables.cases, tables.filings, schema.outbox, schema.audit):
            assert uow.connection.execute(select(func.count()).select_from(table)).scalar() == 0


def test_the_newest_pack_in_force_is_pinned(scene: Scene) -> None:
    scene.publish(bundle(COURT_PACK, version="1.10.0"), "civil", "1.10.0")
    scene.publish(bundle(COURT_PACK, version="1.9.0"), "civil", "1.9.0")
    scene.publish(bundle(COURT_PACK, version="2.0.0", valid_from="2025-03-04"), "civil", "2.0.0", "2025-03-04")
    assert scene.told(scene.submits(civil()).case_id)[0].pack_version == "1.10.0"
    scene.moves(COURT, date(2025, 3, 4))
    assert scene.told(scene.submits(civil()).case_id)[0].pack_version == "2.0.0"
    came_earlier = scene.submits(civil(submitted_on="2025-03-03"))
    assert scene.told(came_earlier.case_id)[0].pack_version == "1.10.0"
    assert scene.told(came_earlier.case_id)[0].occurred_on == date(2025, 3, 3)


def test_what_no_filing_can_be_judged_by_is_told_alone(scene: Scene) -> None:
    scene.publish(bundle(BUREAU_PACK, id="later", valid_from="2025-04-01"), "later", valid_from="2025-04-01")
    assert set(faults(scene, civil(body_id=""))) == {"/body_id"}
    assert set(faults(scene, civil(procedure_id="none"))) == {"/procedure_id"}
    assert set(faults(scene, report(procedure_id="later"), REGISTRAR)) == {"/procedure_id"}
    assert faults(scene, civil(procedure_id="penalty"))["/procedure_id"] == "该机关不适用“行政处罚”"
    assert "当事人申请、移送" in faults(scene, civil(channel="report"))["/channel"]
    with pytest.raises(NotAllowedError):
        scene.submits(civil(body_id="nowhere"))


def test_leads_and_transfers_come_the_same_way(scene: Scene) -> None:
    lead = report(channel="ex_officio", title="巡查发现无照经营", parties=[], materials=[])
    lead.ClearField("reporter")
    found = scene.submits(lead, OFFICER)
    moved = scene.submits(civil(channel="transfer"))
    for answer, channel in ((found, "ex_officio"), (moved, "transfer")):
        assert scene.told(answer.case_id)[0].data.card.channel == channel
    with pytest.raises(NotAllowedError):
        scene.submits(lead, REGISTRAR)
    with pytest.raises(NotAllowedError):
        scene.submits(civil(), JUDGE)
    elsewhere = replace(CLERK, body_id=BUREAU)
    assert scene.submits(civil(channel="transfer"), elsewhere).case_id
    with pytest.raises(NotAllowedError, match="其他机关"):
        scene.submits(civil(), elsewhere)


def test_a_party_files_for_itself_alone(scene: Scene) -> None:
    answer = scene.submits(civil(), PLAINTIFF)
    with scene.begin(PLAINTIFF) as uow:
        assert uow.cases.get(answer.case_id).filing.submitted_by == "acc-zhao"
    for_another = civil()
    for_another.parties[0].account_id = "acc-sun"
    assert set(faults(scene, for_another, PLAINTIFF)) == {"/parties/0", "/parties"}
    hidden = civil(submitted_on="2025-03-01")
    hidden.materials[0].internal = True
    assert set(faults(scene, hidden, PLAINTIFF)) == {"/materials/0/internal", "/submitted_on"}


def test_ids_are_the_registers_own(scene: Scene) -> None:
    filing = civil(filing_id="mine", case_id="mine", state="accepted")
    filing.parties[0].party_id = filing.materials[0].material_id = "mine"
    answer = scene.submits(filing)
    with scene.begin(CLERK) as uow:
        case = uow.cases.get(answer.case_id)
    ids = {case.case_id, case.filing.filing_id, *(p.party_id for p in case.parties)}
    ids |= {m.material_id for m in case.materials}
    assert len(ids) == 6
    assert "mine" not in ids


def test_a_minor_is_seen_by_the_id_number(scene: Scene) -> None:
    filing = civil()
    filing.parties[0].id_number = "440703201001013218"
    assert scene.told(scene.submits(filing).case_id)[0].data.card.involves_minor
    assert not scene.told(scene.submits(civil()).case_id)[0].data.card.involves_minor


def test_titles_have_an_end(scene: Scene) -> None:
    assert set(faults(scene, civil(title="长" * 301, cause="长" * 301))) == {"/title", "/cause"}


def test_a_body_of_another_kind(scene: Scene) -> None:
    assert "该机关不适用" in faults(scene, civil(body_id=BUREAU), REGISTRAR)["/procedure_id"]
