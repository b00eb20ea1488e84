"""Who sees which instrument: people of the case, supervisors, parties served, and nobody else."""

from __future__ import annotations

import pytest

from anjuan.documents.v1 import documents_pb2 as pb
from services.documents import views
from services.documents.tests.packs import FORM, NOTICE
from services.documents.tests.scene import (
    LAWYER,
    LEADER,
    OFFICER,
    OTHER_PARTY,
    PARTY,
    STRANGER,
    SUPERVISOR,
    Scene,
)
from services.documents.tests.test_issue import FORM_FIELDS, NOTICE_FIELDS
from services.kit.errors import CaseNotKnownError, InvalidInputError, NotAllowedError, NotFoundError
from services.kit.identity import Actor

STAFF, PARTIES = (OFFICER, LEADER), (PARTY, LAWYER, OTHER_PARTY)


def hidden(scene: Scene, instrument_id: str, *actors: Actor) -> None:
    """For none of them it exists: not in lists, not by its id, not its bytes."""
    for actor in actors:
        assert instrument_id not in scene.listed(actor)
        for read in (lambda a: scene.seen(instrument_id, a), lambda a: scene.content(instrument_id, "pdf", a)):
            with pytest.raises(CaseNotKnownError) as refused:
                read(actor)
            assert refused.value.detail == "案件尚未同步到此处，或者您无权查看"


def shown(scene: Scene, instrument_id: str, *actors: Actor) -> None:
    for actor in actors:
        assert instrument_id in scene.listed(actor)
        assert scene.seen(instrument_id, actor).instrument_id == instrument_id


def test_a_draft_is_for_those_who_read_the_dossier(scene: Scene) -> None:
    drafted = scene.draft(scene.case(), NOTICE, NOTICE_FIELDS)
    shown(scene, drafted.instrument_id, *STAFF)
    hidden(scene, drafted.instrument_id, SUPERVISOR, STRANGER, *PARTIES)
    with pytest.raises(NotFoundError, match="尚未制发"):
        scene.content(drafted.instrument_id, "pdf", OFFICER)


def test_an_issued_one_also_for_supervisors_above_but_not_its_docx(scene: Scene) -> None:
    issued = scene.issued(scene.case(), NOTICE, fields=NOTICE_FIELDS)["instrument_id"]
    shown(scene, issued, *STAFF, SUPERVISOR)
    hidden(scene, issued, STRANGER, *PARTIES)
    assert scene.content(issued, "pdf", SUPERVISOR).startswith(b"%PDF")
    with pytest.raises(NotAllowedError, match="只能下载已制发文书的 PDF"):
        scene.content(issued, "docx", SUPERVISOR)


def test_a_party_sees_only_what_was_served_on_it(scene: Scene) -> None:
    case_id = scene.case()
    issued = scene.issued(case_id, NOTICE, fields=NOTICE_FIELDS)["instrument_id"]
    other = scene.issued(case_id, NOTICE, fields=NOTICE_FIELDS)["instrument_id"]
    asked = {"instrument_id": issued, "addressees": ["respondent"]}
    mine, theirs = scene.answer(scene.asks(case_id, "serve_instrument", asked))["serving_ids"]
    hidden(scene, issued, *PARTIES)
    scene.prove(mine, served_on="2025-03-03")
    shown(scene, issued, PARTY, LAWYER)
    hidden(scene, issued, OTHER_PARTY)
    hidden(scene, other, *PARTIES)
    seen = scene.seen(issued, PARTY)
    assert [s.serving_id for s in seen.servings] == [mine]
    assert (len(seen.versions), len(seen.signatures), dict(seen.fields), seen.approved_sha256) == (0, 0, {}, "")
    assert scene.content(issued, "pdf", LAWYER).startswith(b"%PDF")
    with pytest.raises(NotAllowedError):
        scene.content(issued, "docx", PARTY)
    scene.prove(theirs, served_on="2025-03-03")
    shown(scene, issued, OTHER_PARTY)


def test_what_is_on_its_electronic_way_can_be_opened(scene: Scene) -> None:
    case_id = scene.case()
    issued = scene.issued(case_id, NOTICE, fields=NOTICE_FIELDS)["instrument_id"]
    asked = {"instrument_id": issued, "addressees": [f"{case_id}-1"], "method": "electronic"}
    scene.asks(case_id, "serve_instrument", asked)
    shown(scene, issued, PARTY)
    hidden(scene, issued, OTHER_PARTY)


def test_the_internal_volume_is_for_the_inner_circle(scene: Scene) -> None:
    case_id = scene.verified()
    form = scene.issued(case_id, FORM, fields=FORM_FIELDS)["instrument_id"]
    shown(scene, form, *STAFF)
    reviewer = Actor("staff", "p-review", "法制员", OFFICER.body_id, frozenset({"legal_reviewer"}))
    hidden(scene, form, SUPERVISOR, STRANGER, reviewer, *PARTIES)
    asked = {"instrument_id": form, "addressees": ["respondent"], "method": "electronic"}
    scene.asks(case_id, "serve_instrument", asked)
    hidden(scene, form, *PARTIES)


def test_lists_are_filtered_and_paged(scene: Scene) -> None:
    one, two = scene.case(), scene.case()
    ids = [scene.issued(c, NOTICE, fields=NOTICE_FIELDS)["instrument_id"] for c in (one, one, two)]
    drafted = scene.draft(one, NOTICE, NOTICE_FIELDS).instrument_id
    assert scene.listed(OFFICER) == [drafted, *reversed(ids)]
    assert scene.listed(OFFICER, case_id=one) == [drafted, ids[1], ids[0]]
    assert scene.listed(OFFICER, state="draft") == [drafted]
    with scene.begin(OFFICER) as uow:
        first = views.list_instruments(uow, pb.ListInstrumentsRequest(limit=3))
        rest = views.list_instruments(uow, pb.ListInstrumentsRequest(limit=3, cursor=first.next_cursor))
    assert [i.instrument_id for i in (*first.instruments, *rest.instruments)] == [drafted, *reversed(ids)]
    assert rest.next_cursor == ""
    with pytest.raises(InvalidInputError, match="翻页标记"):
        scene.listed(OFFICER, cursor="%%%")
    with pytest.raises(InvalidInputError, match="没有这种状态"):
        scene.listed(OFFICER, state="lost")


def test_somebody_without_account_sees_nothing(scene: Scene) -> None:
    scene.issued(scene.case(), NOTICE, fields=NOTICE_FIELDS)
    assert scene.listed(Actor("party", "p-nobody", "无账户")) == []
    assert scene.listed(Actor("staff", "p-homeless", "无机关")) == []
