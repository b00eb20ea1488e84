"""Scan batches: received once when every byte is here, cut at the sheets, filed or left to a clerk."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from anjuan.archive.v1 import archive_pb2 as pb
from services.archive.model import covers
from services.archive.tests import scans
from services.archive.tests.scene import (
    BUREAU,
    CLERK,
    LEADER,
    OTHER,
    OTHER_STATION,
    PARTY,
    REVIEWER,
    SCANNER,
    STATION,
    STRANGER,
    Scene,
)
from services.archive.usecases import batches, piles
from services.archive.usecases.covers import print_separator_sheets
from services.archive.views import batches as views
from services.kit.errors import (
    CaseNotKnownError,
    ConflictError,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
)
from services.kit.identity import Actor


def code(scene: Scene, case_id: str, volume: str = "", seq: int = 0) -> str:
    request = pb.PrintSeparatorSheetsRequest(case_id=case_id, volume=volume, seq=seq)
    return print_separator_sheets(scene.begin(CLERK), scene.packs, CLERK, request).codes[0]


def seen(scene: Scene, batch_id: str, actor: Actor = CLERK) -> pb.ScanBatch:
    return views.get_scan_batch(scene.begin(actor), actor, pb.GetScanBatchRequest(batch_id=batch_id))


def claimed(scene: Scene, pile: pb.ScanPile, case_id: str, actor: Actor = CLERK, **more: Any) -> None:
    request = pb.ClaimScanPileRequest(pile_id=pile.pile_id, case_id=case_id, **{"if_version": pile.version} | more)
    piles.claim_scan_pile(scene.begin(actor), scene.packs, actor, request)


def numbers(scene: Scene, case_id: str) -> list[tuple[str, int, int]]:
    """Volume, item and number in the master of the case's current pages, in order."""
    with scene.begin(CLERK) as uow:
        return [(p.volume, p.seq, p.number) for p in uow.pages.of_case(case_id)]


def test_a_batch_is_received_when_its_last_byte_is_here_and_told_once(scene: Scene) -> None:
    sides, master = [scans.text("甲"), scans.text("乙"), scans.text("甲")], b"%PDF-1.4 one"
    told = scans.manifest(sides, master)
    first = seen(scene, scans.register(scene, told).batch_id)
    assert (first.state, len(first.missing_sha256)) == ("receiving", 3)
    scans.give(scene, sides[0].copy, "image/jpeg")
    scans.give(scene, master, "application/pdf")
    assert seen(scene, told.batch_id).missing_sha256 == [told.pages[1].sha256]
    assert scene.told("BatchReceived") == []
    scans.give(scene, sides[1].copy, "image/jpeg")
    scans.register(scene, told)
    done = seen(scene, told.batch_id)
    assert (done.state, done.pages, list(done.missing_sha256)) == ("received", 3, [])
    assert [e.data.pages for e in scene.told("BatchReceived")] == [3]
    assert scene.ask("select count(*) from pages") == 3


def test_what_a_stranger_uploaded_brings_nothing(scene: Scene) -> None:
    side = scans.text("甲")
    told = scans.manifest([side], b"%PDF-1.4 two")
    scans.register(scene, told)
    scans.give(scene, side.copy, "image/jpeg", SCANNER)
    assert len(seen(scene, told.batch_id).missing_sha256) == 2


def test_piles_are_cut_at_sheets_and_filed_to_their_cases(scene: Scene) -> None:
    one, two = scene.case(), scene.case(number="江市监立〔2025〕4号")
    batch = scans.bring(
        scene, scans.blank(), scans.sheet(code(scene, one)), scans.blank(), scans.text("一"), scans.text("二"),
        scans.sheet(code(scene, two, "main", 4)), scans.text("三"), scans.blank(),
    )  # fmt: skip
    shown = seen(scene, batch.batch_id)
    assert [(p.state, p.case_id, p.pages, p.blanks) for p in shown.piles] == [
        ("filed", one, 2, 2), ("filed", two, 1, 1)
    ]  # fmt: skip
    assert [(p.first_number, p.last_number) for p in shown.piles] == [(1, 5), (6, 8)]
    assert (shown.pages, shown.blanks, shown.covers, shown.unclaimed) == (3, 3, 2, 0)
    assert numbers(scene, one) == [("", 0, n) for n in range(1, 6)]
    assert numbers(scene, two) == [("main", 4, n) for n in (6, 7, 8)]
    facts = scene.told("PagesReceived")
    assert [(f.case_id, f.data.pages, f.data.card.pages, len(f.data.page_ids)) for f in facts] == [
        (one, 2, 2, 4), (two, 1, 1, 2)
    ]  # fmt: skip
    assert scene.ask("select pages from case_card where case_id = :id", id=one) == 2


@pytest.mark.parametrize("reason", ["no_cover", "unreadable", "foreign", "unknown"])
def test_a_pile_that_no_sheet_puts_anywhere_waits_for_a_clerk(scene: Scene, reason: str) -> None:
    elsewhere = scene.case(OTHER)
    with scene.begin(STRANGER) as uow:
        theirs = covers.written(OTHER, uow.covers.ensure(elsewhere, OTHER).token)
    said = {"unreadable": covers.UNREADABLE, "foreign": theirs, "unknown": covers.written(BUREAU, covers.new_token())}
    lead = [] if reason == "no_cover" else [scans.sheet(said[reason])]
    batch = scans.bring(scene, *lead, scans.text("谁的"))
    pile = seen(scene, batch.batch_id).piles[0]
    assert (pile.state, pile.reason, pile.case_id) == ("unclaimed", reason, "")
    assert scene.told("PagesReceived") == []
    assert [e.data.unclaimed for e in scene.told("BatchReceived")] == [1]
    waiting = views.list_scan_piles(scene.begin(CLERK), CLERK, pb.ListScanPilesRequest(state="unclaimed"))
    assert [p.pile_id for p in waiting.piles] == [pile.pile_id]


def test_a_sheet_with_our_mark_cannot_open_another_bodys_case(scene: Scene) -> None:
    elsewhere = scene.case(OTHER)
    with scene.begin(STRANGER) as uow:
        token = uow.covers.ensure(elsewhere, OTHER).token
    batch = scans.bring(scene, scans.sheet(covers.written(BUREAU, token)), scans.text("冒名"))
    assert seen(scene, batch.batch_id).piles[0].reason == "foreign"


def test_a_clerk_claims_a_pile_and_inserts_it_where_it_belongs(scene: Scene) -> None:
    case_id = scene.case()
    scans.bring(scene, scans.sheet(code(scene, case_id, "main", 4)), scans.text("一"), scans.text("二"))
    pile = seen(scene, scans.bring(scene, scans.text("插"), scans.text("入")).batch_id).piles[0]
    with scene.begin(CLERK) as uow:
        first = next(p for p in uow.pages.of_case(case_id) if p.number == 2)
    claimed(scene, pile, case_id, volume="main", seq=4, after_page_id=first.page_id, note="补扫")
    with scene.begin(CLERK) as uow:
        order = [(p.batch_id == first.batch_id, p.number) for p in uow.pages.of_case(case_id) if p.kind == "page"]
    assert order == [(True, 2), (False, 1), (False, 2), (True, 3)]
    with pytest.raises(ConflictError, match="已经处理"):
        claimed(scene, pile, case_id)
    assert scene.told("PagesReceived")[-1].data.card.pages == 4


def test_insertions_never_run_out_of_room(scene: Scene) -> None:
    case_id = scene.case()
    scans.bring(scene, scans.sheet(code(scene, case_id)), scans.text("头"), scans.text("尾"))
    with scene.begin(CLERK) as uow:
        head = next(p for p in uow.pages.of_case(case_id) if p.number == 2)
    for turn in range(13):
        pile = seen(scene, scans.bring(scene, scans.text(f"第{turn}")).batch_id).piles[0]
        claimed(scene, pile, case_id, after_page_id=head.page_id)
    with scene.begin(CLERK) as uow:
        found = [p for p in uow.pages.of_case(case_id) if p.kind == "page"]
    assert len({p.position for p in found}) == 15
    assert [p.received_at for p in found[1:-1]] == sorted((p.received_at for p in found[1:-1]), reverse=True)


def test_who_may_claim(scene: Scene) -> None:
    case_id, elsewhere = scene.case(), scene.case(OTHER)
    pile = seen(scene, scans.bring(scene, scans.text("谁的")).batch_id).piles[0]
    for actor, refusal in ((STRANGER, CaseNotKnownError), (REVIEWER, NotAllowedError), (PARTY, CaseNotKnownError)):
        with pytest.raises(refusal):
            claimed(scene, pile, case_id, actor)
    with pytest.raises(NotFoundError):
        claimed(scene, pile, elsewhere, STRANGER)
    with pytest.raises(NotFoundError):
        claimed(scene, pile, case_id, STATION)
    with pytest.raises(CaseNotKnownError):
        claimed(scene, pile, case_id, SCANNER, volume="internal", seq=1)
    with pytest.raises(InvalidInputError, match="不是本案现有的页"):
        claimed(scene, pile, case_id, after_page_id="nowhere")
    claimed(scene, pile, case_id, SCANNER)


def test_a_pile_is_set_aside_with_a_reason_and_kept(scene: Scene) -> None:
    batch = scans.bring(scene, scans.text("重复"))
    pile = seen(scene, batch.batch_id).piles[0]
    request = pb.DiscardScanPileRequest(pile_id=pile.pile_id, reason=" ", if_version=pile.version)
    with pytest.raises(InvalidInputError):
        piles.discard_scan_pile(scene.begin(CLERK), CLERK, request)
    request.reason = "重复扫描"
    piles.discard_scan_pile(scene.begin(CLERK), CLERK, request)
    assert seen(scene, batch.batch_id).piles[0].state == "discarded"
    assert scene.ask("select string_agg(state, ',') from pages") == "discarded"
    assert scene.host.objects.size(f"sha256/{batch.master_sha256[:2]}/{batch.master_sha256[2:4]}/{batch.master_sha256}")


def test_a_batch_is_counted_against_the_paper(scene: Scene) -> None:
    batch = scans.bring(scene, scans.text("一"), scans.blank(), scans.text("二"))

    def count(paper: int, note: str = "") -> pb.ScanBatch:
        version = seen(scene, batch.batch_id).version
        request = pb.CountScanBatchRequest(batch_id=batch.batch_id, paper_pages=paper, note=note, if_version=version)
        with scene.begin(CLERK) as uow:
            return views.batch_shown(uow, CLERK, batches.count_scan_batch(uow, CLERK, request))

    assert seen(scene, batch.batch_id).count_state == "not_counted"
    with pytest.raises(InvalidInputError, match="清点 3 页，扫描 2 页"):
        count(3)
    assert (count(3, "缺一页，待补扫").count_state, count(2).count_state) == ("differs", "agrees")
    assert seen(scene, batch.batch_id).counted_by_name == CLERK.name


def test_batches_are_seen_by_their_sender_and_the_bodys_clerks_alone(scene: Scene) -> None:
    batch = scans.bring(scene, scans.text("一"))
    for actor in (CLERK, SCANNER, STATION):
        assert seen(scene, batch.batch_id, actor).batch_id == batch.batch_id
    for actor in (STRANGER, OTHER_STATION, PARTY, LEADER):
        with pytest.raises(NotFoundError):
            seen(scene, batch.batch_id, actor)
    second = Actor("station", "st-9", "二楼扫描站", BUREAU)
    listed = views.list_scan_batches(scene.begin(second), second, pb.ListScanBatchesRequest())
    assert not listed.batches
    with pytest.raises(ConflictError):
        scans.register(scene, scans.manifest([scans.text("一")], b"%PDF-1.4 other", batch.batch_id), second)
    with pytest.raises(NotAllowedError):
        scans.register(scene, scans.manifest([scans.text("一")], b"%PDF-1.4 x", body_id=OTHER))


def test_the_name_of_a_secret_case_is_told_to_nobody_who_may_not_list_it(scene: Scene) -> None:
    secret = scene.case(secrecy_level=2)
    with scene.begin(CLERK) as uow:
        sheet = scans.sheet(covers.written(BUREAU, uow.covers.ensure(secret, BUREAU).token))
    pile = seen(scene, scans.bring(scene, sheet, scans.text("密")).batch_id).piles[0]
    assert (pile.state, pile.title, pile.case_number) == ("filed", "", "")


def test_lists_turn_pages(scene: Scene) -> None:
    ids = [scans.bring(scene, scans.text(str(n))).batch_id for n in range(5)]
    found, cursor = [], ""
    while True:
        request = pb.ListScanBatchesRequest(limit=2, cursor=cursor)
        answer = views.list_scan_batches(scene.begin(CLERK), CLERK, request)
        found += [b.batch_id for b in answer.batches]
        if not (cursor := answer.next_cursor):
            break
    assert found == ids[::-1]
    first = views.list_scan_piles(scene.begin(CLERK), CLERK, pb.ListScanPilesRequest(limit=3))
    rest = views.list_scan_piles(scene.begin(CLERK), CLERK, pb.ListScanPilesRequest(limit=3, cursor=first.next_cursor))
    assert [p.batch_id for p in (*first.piles, *rest.piles)] == ids


def test_a_manifest_that_does_not_fit_together_names_every_fault(scene: Scene) -> None:
    told = scans.manifest([scans.text("一"), scans.text("二")], b"%PDF-1.4 x", "not-a-uuid")
    told.pages[1].number, told.pages[1].cover, told.pages[0].kind, told.scanned_at = 5, "AJ1", "leaf", "gestern"
    with pytest.raises(InvalidInputError) as refusal:
        scans.register(scene, told)
    assert {f["pointer"] for f in refusal.value.fields} == {
        "/batch_id", "/scanned_at", "/pages/0/kind", "/pages/1/number", "/pages/1/cover"
    }  # fmt: skip


def test_a_manifest_may_be_told_anew_until_it_is_received(scene: Scene) -> None:
    old, new = [scans.text("一")], [scans.text("一改"), scans.text("二")]
    told = scans.manifest(old, b"%PDF-1.4 same")
    scans.register(scene, told)
    again = scans.manifest(new, b"%PDF-1.4 same", told.batch_id)
    assert len(scans.register(scene, again).contents) == 3
    assert len(seen(scene, told.batch_id).missing_sha256) == 3


def test_last_bytes_that_come_at_once_make_one_batch(scene: Scene) -> None:
    sides, master = [scans.text(str(n)) for n in range(6)], b"%PDF-1.4 race"
    told = scans.manifest(sides, master)
    scans.register(scene, told)
    scans.give(scene, master, "application/pdf")
    started = threading.Barrier(6)

    def one(side: scans.Side) -> None:
        started.wait()
        scans.give(scene, side.copy, "image/jpeg")
        scans.register(scene, told)

    threads = [threading.Thread(target=one, args=(side,)) for side in sides]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen(scene, told.batch_id).state == "received"
    assert len(scene.told("BatchReceived")) == 1
    assert scene.ask("select count(*) from pages") == 6


def test_a_batch_announced_too_late_is_received_by_the_next_round(scene: Scene) -> None:
    side, master = scans.text("迟"), b"%PDF-1.4 late"
    told = scans.manifest([side], master)
    scans.register(scene, told)
    with scene.begin(CLERK) as uow:  # as if the last bytes had been stored unseen
        for digest in (told.master_sha256, told.pages[0].sha256):
            uow.connection.exec_driver_sql(
                "insert into upload_sessions select %(i)s, owner_id, body_id, '', 1, 1, %(d)s, 'x', 'image/jpeg',"
                " 'scan_batch', 'stored', '', now(), now() from scan_batches", {"i": digest[:20], "d": digest},
            )  # fmt: skip
    assert seen(scene, told.batch_id).state == "receiving"
    batches.receive_stragglers(scene.host.begin_as_system("tick"), None)
    assert seen(scene, told.batch_id).state == "received"
