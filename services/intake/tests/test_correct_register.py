"""更正登记: by the registry, with a reason; the record names the fields and holds no value."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import select

from anjuan.intake.v1 import intake_pb2 as pb
from services.intake.tests.scene import (
    CLERK,
    ID_OTHER,
    ID_QIAN,
    JUDGE,
    PLAINTIFF,
    PRINTS,
    SUPERVISOR,
    Scene,
    civil,
)
from services.intake.usecases.register import correct_register
from services.kit import schema
from services.kit.errors import (
    CaseNotKnownError,
    InvalidInputError,
    NotAllowedError,
    PreconditionError,
    RuleRefusedError,
)
from services.kit.identity import Actor


def correct(scene: Scene, case: pb.SubmitFilingAnswer, actor: Actor = CLERK, **change: Any) -> pb.Case:
    request: dict[str, Any] = {"case_id": case.case_id, "if_version": case.version, "reason": "录入有误"} | change
    return correct_register(scene.begin(actor), scene.packs, PRINTS, pb.CorrectRegisterRequest(**request))


def test_the_record_names_fields_and_holds_hashes(scene: Scene) -> None:
    case = scene.submits(civil())
    party = scene.told(case.case_id)[0].data.filing.parties[1]
    assert party.id_number == ID_QIAN
    party.name, party.id_number = "钱二宝", ID_OTHER
    after = correct(scene, case, title="赵一诉钱二宝买卖合同纠纷", parties=[party])
    assert (after.version, after.title, after.cause) == (2, "赵一诉钱二宝买卖合同纠纷", "买卖合同纠纷")
    fact = scene.told(case.case_id)[-1]
    assert (fact.type, fact.data.reason, fact.data.card.parties[1].name) == ("RegisterCorrected", "录入有误", "钱二宝")
    with scene.begin(CLERK) as uow:
        row = uow.connection.execute(select(schema.audit).where(schema.audit.c.action == "correct_register")).one()
        names = uow.connection.execute(select(schema.case_card.c.party_names)).scalar()
    at = f"/parties/{party.party_id}"
    assert (row.detail["reason"], set(row.detail["changes"])) == (
        "录入有误", {"/title", f"{at}/name", f"{at}/id_number"})  # fmt: skip
    number = row.detail["changes"][f"{at}/id_number"]
    assert number == {"old": PRINTS.of(case.case_id, f"{at}/id_number", ID_QIAN),
                      "new": PRINTS.of(case.case_id, f"{at}/id_number", ID_OTHER)}  # fmt: skip
    kept = json.dumps(row.detail, ensure_ascii=False)
    values = (ID_QIAN, ID_OTHER, "钱二", "赵一", sha256(ID_QIAN.encode()).hexdigest())
    assert not [value for value in values if value in kept]
    assert names == "赵一、钱二宝"


def test_who_may_not(scene: Scene) -> None:
    case = scene.submits(civil())
    with pytest.raises(NotAllowedError, match="登记由立案人员"):
        correct(scene, case, JUDGE, title="甲")
    for actor in (PLAINTIFF, SUPERVISOR):
        with pytest.raises(CaseNotKnownError):
            correct(scene, case, actor, title="甲")


def test_what_is_refused(scene: Scene) -> None:
    case = scene.submits(civil())
    with pytest.raises(PreconditionError) as stale:
        correct(scene, case, title="甲", if_version=7)
    assert stale.value.context == {"version": 1}
    with pytest.raises(InvalidInputError):
        correct(scene, case, title="甲", reason=" ")
    with pytest.raises(InvalidInputError, match="If-Match") as unread:
        correct(scene, case, title="甲", if_version=0)
    assert unread.value.fields == [{"pointer": "header:If-Match", "detail": "必填"}]
    with pytest.raises(RuleRefusedError, match="没有变化"):
        correct(scene, case, title=civil().title)
    wrong = pb.Party(role="plaintiff", kind="natural_person", name="孙三", id_kind="resident_id", id_number="1")
    with pytest.raises(InvalidInputError) as refused:
        correct(scene, case, parties=[wrong])
    assert [f["pointer"] for f in refused.value.fields] == ["/parties/0/id_number"]


def test_nothing_changes_after_archiving(scene: Scene) -> None:
    case = scene.submits(civil())
    with scene.begin(CLERK) as uow:  # as archive's card leaves it
        uow.connection.execute(schema.case_card.update().values(dossier_state="archived"))
    with pytest.raises(RuleRefusedError, match="案卷已归档"):
        correct(scene, case, title="甲")
