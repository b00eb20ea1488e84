"""The door itself: a real server, signed tokens, keys that repeat, problems that travel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pytest

from anjuan.intake.v1 import intake_pb2 as pb
from anjuan.intake.v1.intake_pb2_grpc import IntakeStub
from services.intake import rpc as door
from services.intake.clients import ArchivedFiles
from services.intake.model.upload import Upload
from services.intake.tests.scene import CLERK, COURT, LEADER, REGISTRAR, Scene, civil
from services.kit import rpc
from services.kit.errors import (
    CaseNotKnownError,
    InvalidInputError,
    KeyReusedError,
    NotSignedInError,
    PreconditionError,
    UnavailableError,
)
from services.kit.identity import Actor, sign_token
from services.ops.rig.session import Rig


@pytest.fixture
def stub(scene: Scene) -> Iterator[IntakeStub]:
    files = ArchivedFiles(scene.archive.address)
    server = rpc.serve(scene.host, door.registrations(scene.host, files), address := scene.host.settings.rpc["intake"])
    server.start()
    scene.uploaded(civil().materials, CLERK, COURT)
    with rpc.channel(address) as channel:
        yield IntakeStub(channel)
    server.stop(None).wait()


def token(rig: Rig, actor: Actor) -> str:
    return sign_token(actor, rig.settings.site, (rig.place.keys / "token.pem").read_bytes())


def test_one_key_is_one_filing(stub: IntakeStub, rig: Rig, scene: Scene) -> None:
    clerk, request = token(rig, CLERK), pb.SubmitFilingRequest(filing=civil())
    first = rpc.invoke(stub.SubmitFiling, request, token=clerk, key="k1")
    again = rpc.invoke(stub.SubmitFiling, request, token=clerk, key="k1")
    assert (first, len(scene.told(first.case_id))) == (again, 1)
    with pytest.raises(KeyReusedError):
        rpc.invoke(stub.SubmitFiling, pb.SubmitFilingRequest(filing=civil(title="别的")), token=clerk, key="k1")
    other = rpc.invoke(stub.SubmitFiling, request, token=clerk, key="k2")
    listed = rpc.invoke(stub.ListCases, pb.ListCasesRequest(), token=clerk)
    assert [row.case_id for row in listed.cases] == [other.case_id, first.case_id]


def test_a_refused_filing_leaves_its_key_free(stub: IntakeStub, rig: Rig) -> None:
    clerk = token(rig, CLERK)
    with pytest.raises(InvalidInputError) as refused:
        rpc.invoke(stub.SubmitFiling, pb.SubmitFilingRequest(filing=civil(title="")), token=clerk, key="k1")
    assert refused.value.fields == [{"pointer": "/title", "detail": "请填写案件名称"}]
    assert rpc.invoke(stub.SubmitFiling, pb.SubmitFilingRequest(filing=civil()), token=clerk, key="k1").case_id


def test_from_filing_to_a_corrected_register(stub: IntakeStub, rig: Rig, scene: Scene) -> None:
    clerk = token(rig, CLERK)
    case = rpc.invoke(stub.SubmitFiling, pb.SubmitFilingRequest(filing=civil(materials=[])), token=clerk, key="a")
    told = [{"checklist_item": d.checklist_item, "detail": d.detail} for d in case.open_items]
    scene.asks("issue_deficiency_notice", case, defects=told)
    change = pb.CorrectFilingRequest(filing_id=case.filing_id, if_version=2, materials=civil().materials)
    assert rpc.invoke(stub.CorrectFiling, change, token=clerk, key="b").state == "submitted"
    assert rpc.invoke(stub.CorrectFiling, change, token=clerk, key="b").version == 3
    with pytest.raises(PreconditionError) as stale:
        rpc.invoke(stub.CorrectFiling, change, token=clerk, key="c")
    assert stale.value.context == {"version": 3}
    better = pb.CorrectRegisterRequest(case_id=case.case_id, if_version=3, title="新名称", reason="录入有误")
    assert rpc.invoke(stub.CorrectRegister, better, token=clerk, key="d").version == 4
    assert rpc.invoke(stub.GetCase, pb.GetCaseRequest(case_id=case.case_id), token=clerk).title == "新名称"
    filing = rpc.invoke(stub.GetFiling, pb.GetFilingRequest(filing_id=case.filing_id), token=clerk)
    assert (filing.title, len(filing.notices)) == ("新名称", 1)


def test_unknown_and_forbidden_look_alike(stub: IntakeStub, rig: Rig, scene: Scene) -> None:
    case = scene.submits(civil())
    said = []
    for actor, case_id in ((LEADER, case.case_id), (LEADER, "nothing"), (REGISTRAR, case.case_id)):
        with pytest.raises(CaseNotKnownError) as refused:
            rpc.invoke(stub.GetCase, pb.GetCaseRequest(case_id=case_id), token=token(rig, actor))
        said.append(refused.value.detail)
    assert len(set(said)) == 1
    with pytest.raises(NotSignedInError):
        rpc.invoke(stub.GetCase, pb.GetCaseRequest(case_id=case.case_id))


def test_no_transaction_waits_for_the_archive(
    stub: IntakeStub, rig: Rig, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent, held = ArchivedFiles.sent, []

    def watched(self: ArchivedFiles, hashes: Iterable[str], token: str) -> Sequence[Upload]:
        held.append(scene.host.engine.pool.checkedout())  # type: ignore[attr-defined]
        return sent(self, hashes, token)

    monkeypatch.setattr(ArchivedFiles, "sent", watched)
    for key in ("a", "b"):
        rpc.invoke(stub.SubmitFiling, pb.SubmitFilingRequest(filing=civil()), token=token(rig, CLERK), key=key)
    assert held == [0, 0]  # once a filing


def test_without_the_archive_a_filing_with_files_waits(rig: Rig, stub: IntakeStub, scene: Scene) -> None:
    clerk, request = token(rig, CLERK), pb.SubmitFilingRequest(filing=civil())
    first = rpc.invoke(stub.SubmitFiling, request, token=clerk, key="k1")
    for away in ("", f"127.0.0.1:{rig.ports['rpc_archive']}"):  # not installed; nobody listens
        server = rpc.serve(scene.host, door.registrations(scene.host, ArchivedFiles(away)), "127.0.0.1:0")
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        with rpc.channel(f"127.0.0.1:{port}") as channel:
            other = IntakeStub(channel)
            with pytest.raises(UnavailableError, match="“电子卷宗”服务暂不可用，无法核对所附文件"):
                rpc.invoke(other.SubmitFiling, request, token=clerk, key="k2")
            assert rpc.invoke(other.SubmitFiling, request, token=clerk, key="k1") == first
            on_paper = pb.SubmitFilingRequest(filing=civil(materials=[]))
            assert rpc.invoke(other.SubmitFiling, on_paper, token=clerk).case_id
        server.stop(None).wait()
    assert rpc.invoke(stub.SubmitFiling, request, token=clerk, key="k2").case_id


def test_no_transaction_waits_for_the_object_store(
    stub: IntakeStub, rig: Rig, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    get, held = scene.host.objects.get, []

    def watched(key: str) -> bytes:
        held.append(scene.host.engine.pool.checkedout())  # type: ignore[attr-defined]
        return get(key)

    monkeypatch.setattr(scene.host.objects, "get", watched)
    for key in ("a", "b"):
        rpc.invoke(stub.SubmitFiling, pb.SubmitFilingRequest(filing=civil()), token=token(rig, CLERK), key=key)
    assert held == [0]  # once, and nobody held a connection
