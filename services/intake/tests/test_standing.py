"""What an account opens hangs on its state: its cards name it while it is confirmed, its holder's filings stay his."""

from __future__ import annotations

from datetime import date
from importlib import import_module
from typing import Any

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError

from anjuan.identity.v1.events_pb2 import AccountChanged
from anjuan.intake.v1 import intake_pb2 as pb
from anjuan.kit.v1.cards_pb2 import SupervisionCard, WorkflowCard
from anjuan.supervision.v1.events_pb2 import DueDayChanged
from anjuan.workflow.v1.events_pb2 import CaseAssigned
from services.intake import views
from services.intake.model.case import Case
from services.intake.store import IntakeUnit
from services.intake.store.accounts import stands_behind
from services.intake.store.cases import filed_for_itself
from services.intake.tables import parties
from services.intake.tests.scene import CLERK, COURT, JUDGE, PLAINTIFF, WHISTLE, Scene, civil, report
from services.intake.usecases import standing
from services.intake.usecases.filing import submit_filing
from services.intake.usecases.standing import follow_account, keep_account
from services.intake.usecases.telling import tell
from services.kit import access, schema
from services.kit.errors import CaseNotKnownError, RuleRefusedError
from services.kit.identity import Actor

SUN = Actor("party", "p-sun", "孙三", account_id="acc-sun")


def filed(scene: Scene, acts_for: bool = False) -> pb.SubmitFilingAnswer:
    """A case that 孙三, whom no clerk knows, has filed for himself, or as a lawyer."""
    filing = civil()
    filing.parties[0].account_id = "" if acts_for else SUN.account_id
    if acts_for:
        sun = pb.Representative(name="孙三", kind="lawyer", account_id=SUN.account_id)
        filing.parties[0].representatives.append(sun)
    return scene.submits(filing, SUN)


def named(scene: Scene, case: pb.SubmitFilingAnswer) -> tuple[list[str], list[str]]:
    """The accounts of the card that was told last: parties', representatives'."""
    card = scene.told(case.case_id)[-1].data.card
    return [p.account_id for p in card.parties if p.account_id], list(card.representative_account_ids)


def seen(scene: Scene, case: pb.SubmitFilingAnswer) -> pb.Case:
    with scene.begin(SUN) as uow:
        return views.get_case(uow, case.case_id)


def rows(scene: Scene) -> list[pb.CaseRow]:
    with scene.begin(SUN) as uow:
        return list(views.list_cases(uow, pb.ListCasesRequest()).cases)


def listed(scene: Scene) -> list[str]:
    return [row.case_id for row in rows(scene)]


def test_an_account_opens_other_rooms_only_while_it_is_confirmed(scene: Scene) -> None:
    case, own = filed(scene, acts_for=True), filed(scene)
    scene.asks("docket", case)

    def state() -> tuple[list[tuple[list[str], list[str]]], list[bool]]:
        assert listed(scene) == [own.case_id, case.case_id], "what he filed he sees here all the while"
        return [named(scene, one) for one in (case, own)], [seen(scene, one).seen_as_filer for one in (case, own)]

    assert state() == ([([], []), ([], [])], [True, True])
    scene.account(SUN.account_id)
    assert state() == ([([], [SUN.account_id]), ([SUN.account_id], [])], [False, True]), "accepted, it is a party's"
    fact = scene.told(case.case_id)[-1]
    assert (fact.type, fact.data.card.version, fact.actor.rule) == ("PartyAccountsChanged", 2, "follow_account")
    with scene.begin(JUDGE) as uow:
        followed = select(schema.audit.c.case_id).where(schema.audit.c.action == "follow_account")
        assert sorted(uow.connection.execute(followed).scalars()) == sorted([case.case_id, own.case_id])
    scene.account(SUN.account_id, "blocked")
    assert state() == ([([], []), ([], [])], [True, True])


def test_a_later_fact_names_nobody_unconfirmed(scene: Scene) -> None:
    case = filed(scene)
    scene.asks("accept_filing", case)
    scene.asks("docket", case)
    assert named(scene, case) == ([], [])


def test_who_is_not_confirmed_is_not_told_who_carries_it(scene: Scene) -> None:
    case = filed(scene)
    officers = WorkflowCard(officer_ids=[JUDGE.person_id])
    scene.hears("workflow", CaseAssigned(card=officers), case.case_id, case_id=case.case_id, body_id=COURT)
    scene.asks("docket", case)
    assert (seen(scene, case).case_number, list(seen(scene, case).officers)) == ("（2025）粤0703民初1号", [])
    scene.account(SUN.account_id)
    assert [o.name for o in seen(scene, case).officers] == [JUDGE.name]


def test_who_is_not_confirmed_reads_no_limits_in_his_list_either(scene: Scene) -> None:
    case = filed(scene)
    scene.asks("docket", case)
    card = SupervisionCard(limit_id="civil-trial", due_on="2025-09-03", state="running", unit="month")
    scene.hears("supervision", DueDayChanged(card=card), case.case_id, case_id=case.case_id, body_id=COURT)
    [row] = rows(scene)
    assert (row.docketed_on, row.due_on, row.due_state, row.due_unit, row.stage) == ("2025-03-03", "", "", "", "")
    assert not row.HasField("remaining")
    scene.account(SUN.account_id)
    assert [(row.due_on, row.due_state, row.HasField("remaining")) for row in rows(scene)] == [
        ("2025-09-03", "running", True)]  # fmt: skip


def test_an_account_is_confirmed_when_no_case_is_being_told_of_it(scene: Scene) -> None:
    """Or the case would be told without it, and the job would not see the case."""
    filing = civil()
    filing.parties[0].account_id = SUN.account_id
    uploads = scene.uploaded(filing.materials, SUN, filing.body_id)

    def confirmed_at_once() -> None:
        with scene.begin(JUDGE) as uow:
            uow.connection.execute(text("set local lock_timeout = '200ms'"))
            keep_account(uow, SUN.account_id, "confirmed")

    with scene.begin(SUN) as telling:
        submit_filing(telling, scene.packs, pb.SubmitFilingRequest(filing=filing), uploads)
        with pytest.raises(DBAPIError, match="lock timeout"):
            confirmed_at_once()
    scene.account(SUN.account_id)
    [case_id] = listed(scene)
    assert [e.type for e in scene.told(case_id)] == ["FilingSubmitted", "PartyAccountsChanged"]


def test_a_case_that_cannot_be_told_hinders_no_other(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = filed(scene), filed(scene)

    def told(uow: IntakeUnit, action: str, case: Case, *more: Any) -> None:
        if case.case_id == first.case_id:
            raise RuleRefusedError("内容中不得出现举报人的姓名")
        tell(uow, action, case, *more)

    monkeypatch.setattr(standing, "tell", told)
    scene.hears("identity", AccountChanged(account_id=SUN.account_id, state="confirmed"), SUN.account_id)
    with pytest.raises(RuleRefusedError):
        follow_account(scene.host, {"account_id": SUN.account_id})
    assert (named(scene, first), named(scene, second)) == (([], []), ([SUN.account_id], []))


def test_a_reporter_who_filed_is_no_filer(scene: Scene) -> None:
    case = scene.submits(report(reporter=None), WHISTLE)
    scene.asks("accept_filing", case)
    with scene.begin(WHISTLE) as uow:
        assert not views.list_cases(uow, pb.ListCasesRequest()).cases
        with pytest.raises(CaseNotKnownError):
            views.get_case(uow, case.case_id)
        told = access.allowed(uow.connection, WHISTLE, "view_case", case_id=case.case_id, filer=True)
        assert not told, "not even if he were told to be the filer"
        assert not uow.connection.execute(select(filed_for_itself(WHISTLE.account_id, case.case_id))).scalar()


def test_the_inbox_leaves_the_cases_to_a_job(scene: Scene) -> None:
    """It holds locks of other cases by then, and a representative may have thousands; the job may come twice."""
    case, payload = filed(scene), {"account_id": SUN.account_id}
    scene.hears("identity", AccountChanged(state="confirmed", **payload), SUN.account_id)
    assert len(scene.told(case.case_id)) == 1
    scene.works()
    follow_account(scene.host, payload)
    assert [e.type for e in scene.told(case.case_id)] == ["FilingSubmitted", "PartyAccountsChanged"]
    scene.hears("identity", AccountChanged(account_id="acc-nobody", state="confirmed"), "acc-nobody")
    with scene.begin(JUDGE) as uow:
        waiting = select(func.count()).select_from(schema.jobs).where(schema.jobs.c.done_at.is_(None))
        assert not uow.connection.execute(waiting).scalar(), "nobody's cases need no job"


def test_a_closed_case_stays_as_it_is(scene: Scene) -> None:
    case = filed(scene)
    scene.asks("docket", case)
    scene.asks("close_case", case, closed_on="2025-03-03", disposition="判决")
    with scene.begin(JUDGE) as uow:
        before = uow.cases.get(case.case_id)
    scene.account(SUN.account_id)
    assert (named(scene, case)[0], scene.told(case.case_id)[-1].data.card.state) == ([SUN.account_id], "closed")
    with scene.begin(JUDGE) as uow:
        assert uow.cases.get(case.case_id) == before


def test_cards_told_before_the_upgrade_are_told_anew(scene: Scene) -> None:
    case, kept = filed(scene), scene.submits(civil(), PLAINTIFF)
    with scene.begin(JUDGE) as uow:  # as the release before told it
        stale = update(schema.case_card).where(schema.case_card.c.case_id == case.case_id)
        uow.connection.execute(stale.values(party_account_ids=[SUN.account_id]))
        migration = import_module("services.intake.migrations.versions.0004_standing")
        uow.connection.execute(text(migration.TOLD_BEFORE))
    scene.works()
    assert ([e.type for e in scene.told(case.case_id)][1:], named(scene, case)) == (["PartyAccountsChanged"], ([], []))
    assert len(scene.told(kept.case_id)) == 1


def test_the_cases_of_an_account_are_found_by_indexes(scene: Scene) -> None:
    with scene.begin(JUDGE) as uow:
        uow.connection.execute(text("set local enable_seqscan = off"))
        wanted = select(parties.c.case_id).where(stands_behind(SUN.account_id)).compile(uow.connection)
        plan = "\n".join(uow.connection.exec_driver_sql(f"explain {wanted}", wanted.params).scalars())
    assert ("parties_account" in plan, "parties_representatives" in plan) == (True, True), plan


def test_days_are_counted_on_the_day_of_the_body_whoever_asks(scene: Scene) -> None:
    scene.account(PLAINTIFF.account_id)
    case = scene.submits(civil(), PLAINTIFF)
    scene.asks("docket", case)
    card = SupervisionCard(limit_id="civil-trial", due_on="2025-09-03", state="running", unit="month")
    scene.hears("supervision", DueDayChanged(card=card), case.case_id, case_id=case.case_id)
    scene.moves(COURT, date(2025, 9, 1))
    for reader in (CLERK, PLAINTIFF):  # who files for himself acts for no body
        with scene.begin(reader) as uow:
            assert [row.remaining for row in views.list_cases(uow, pb.ListCasesRequest()).cases] == [2], reader.kind
