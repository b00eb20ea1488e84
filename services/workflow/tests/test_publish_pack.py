"""Packs: proposed, confirmed by another, immutable."""

from __future__ import annotations

import pytest

from anjuan.workflow.v1 import workflow_pb2 as pb
from services.kit.errors import ConflictError, InvalidInputError, NotAllowedError
from services.kit.procedure.bundle import bundle_of
from services.kit.settings import procedures_dir
from services.workflow.tests.desk import Desk
from services.workflow.tests.tiny import bundle

LINE = "start s\ntask a\nend e\ns -> a -> e"
PENALTY = procedures_dir() / "admin-penalty-general"


def propose(desk: Desk, data: bytes, who: str = "drafter") -> pb.Pack:
    return desk.ask(who, "PublishPack", pb.PublishPackRequest(bundle=data))  # type: ignore[no-any-return]


def test_publish_pack_needs_a_second_person(desk: Desk) -> None:
    pack = propose(desk, bundle_of(PENALTY))
    assert (pack.pack_id, pack.state, pack.proposed_by) == ("admin-penalty-general", "proposed", "drafter")
    assert desk.host.objects.size(f"sha256/{pack.sha256[:2]}/{pack.sha256[2:4]}/{pack.sha256}")
    with pytest.raises(NotAllowedError, match="另一人"):
        desk.ask("drafter", "ConfirmPack", pb.ConfirmPackRequest(sha256=pack.sha256))
    assert desk.query("select * from packs") == []
    done = desk.ask("checker", "ConfirmPack", pb.ConfirmPackRequest(sha256=pack.sha256))
    again = desk.ask("checker", "ConfirmPack", pb.ConfirmPackRequest(sha256=pack.sha256))
    assert (done.state, done.confirmed_by, again) == ("published", "checker", done)
    assert [r.sha256 for r in desk.query("select sha256 from packs")] == [pack.sha256]
    [told] = desk.told("admin-penalty-general")
    assert (told.type, told.seq, told.data.sha256, told.data.version) == ("PackPublished", 1, pack.sha256, pack.version)


def test_a_version_is_immutable(desk: Desk) -> None:
    first = desk.publish(bundle("tiny", LINE, {"a": {}}))
    assert propose(desk, bundle("tiny", LINE, {"a": {}})).sha256 == first.sha256
    with pytest.raises(ConflictError, match="新的版本号"):
        propose(desk, bundle("tiny", LINE, {"a": {"title": "改过"}}))
    second = desk.publish(bundle("tiny", LINE, {"a": {"title": "改过"}}, version="1.1.0"))
    rows = desk.ask("zhang", "ListPacks", pb.ListPacksRequest(limit=1))
    rest = desk.ask("zhang", "ListPacks", pb.ListPacksRequest(limit=1, cursor=rows.next_cursor))
    assert [rows.packs[0].sha256, rest.packs[0].sha256] == [first.sha256, second.sha256]
    assert rest.next_cursor == ""


def test_who_may_and_what_is_a_pack(desk: Desk) -> None:
    for who in ("zhang", "leader", "party:a"):
        with pytest.raises(NotAllowedError):
            propose(desk, bundle("tiny", LINE, {"a": {}}), who)
    absent = {"id": "up", "effect": "ask_superior",
              "with": {"pack": "x", "approver": "y", "matter": "z", "reason": "w"}}  # fmt: skip
    script = bundle("tiny", LINE, {"a": {}}).replace(b"<userTask", b"<scriptTas")
    for data in (
        b"",
        b"PK no zip",
        script,
        bundle("tiny", LINE, {"a": {"effects": [{"id": "x", "effect": 3}]}}),
        bundle("tiny", LINE, {"a": {"effects": [absent]}}),
        bundle("tiny", LINE, {"a": {"stage": "nowhere"}}),
    ):
        with pytest.raises(InvalidInputError) as refused:
            propose(desk, data)
        assert refused.value.fields
    assert desk.query("select * from pack_bundles") == []
