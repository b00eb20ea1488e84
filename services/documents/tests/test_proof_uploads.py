"""送达证明: its papers must have come to the body that serves before it is proven."""

from __future__ import annotations

import pytest

from anjuan.documents.v1 import documents_pb2 as pb
from services.documents.clients import ArchivedFiles
from services.documents.tests.packs import NOTICE
from services.documents.tests.scene import BUREAU, JUDGES, OFFICER, Scene
from services.documents.tests.test_issue import NOTICE_FIELDS
from services.documents.tests.test_serving import begun
from services.documents.usecases import serve
from services.kit.errors import InvalidInputError, UnavailableError


def test_papers_must_have_come_to_the_body_that_serves(scene: Scene) -> None:
    case_id = scene.case()
    answer = scene.issued(case_id, NOTICE, fields=NOTICE_FIELDS)
    asked = {"instrument_id": answer["instrument_id"], "addressees": [
        {"party_id": f"{case_id}-1", "method": "electronic", "consent_sha256": "0" * 64}]}  # fmt: skip
    (serving_id,) = scene.answer(scene.asks(case_id, "serve_instrument", asked))["serving_ids"]
    elsewhere = scene.archive.bring(JUDGES[0], b"a court's receipt")
    halves = b"a receipt in two pieces"
    upload_id = scene.archive.open(OFFICER, halves, BUREAU)
    scene.archive.send(OFFICER, upload_id, halves[:9])
    assembling = scene.archive.send(OFFICER, upload_id, halves[9:], 9).sha256
    absent, checking = "送达的证明材料尚未上传完成，请先上传再填写", "送达的证明材料已收齐，正在核对内容，请稍候再提交"
    consent = {"pointer": "/consent_sha256", "detail": "受送达人的确认书尚未上传完成，请先上传再填写"}
    for proof, said in (("1" * 64, absent), (elsewhere, absent), (assembling, checking)):
        with pytest.raises(InvalidInputError) as refused:
            scene.prove(serving_id, served_on="2025-03-03", proof_sha256=proof)
        assert refused.value.fields == [{"pointer": "/proof_sha256", "detail": said}, consent]
    scene.prove(serving_id, failed=True, note="系统退回", proof_sha256="1" * 64)
    again = scene.answer(scene.asks(case_id, "serve_instrument", asked | {"method": "electronic"}))["serving_ids"]
    # by post no consent is asked for, so what the effect named as one counts no more
    assert scene.prove(again[0], method="postal", served_on="2025-03-03").state == "served"


def test_without_the_archive_a_proof_waits(scene: Scene) -> None:
    nobody, token = ArchivedFiles(""), scene.archive.token(OFFICER)
    asked = pb.ProveServingRequest(serving_id=begun(scene)[0].serving_id, proof_sha256="1" * 64)
    with pytest.raises(UnavailableError, match="“电子卷宗”服务暂不可用，无法核对送达证明"):
        serve.prepare_proof(scene.begin(OFFICER), nobody, token, asked)
    asked.failed = True  # that nobody was met there needs no paper
    assert serve.prepare_proof(scene.begin(OFFICER), nobody, token, asked)[1] == ()
