"""Read-only: one filing, one case, the register's list; each through access."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from sqlalchemy import ARRAY, ColumnElement, RowMapping, Text, cast, or_, select, true, union_all

from anjuan.intake.v1 import intake_pb2 as pb
from services.intake import messages
from services.intake.model.case import Case
from services.intake.model.filing import open_content
from services.intake.model.officers import Officer
from services.intake.model.people import Reporter
from services.intake.store import IntakeUnit
from services.intake.store.cases import filed_for_itself, taken_in_by
from services.intake.store.packs import Packs
from services.intake.tables import cases, filings
from services.kit import access, paging, schema
from services.kit.effects import struct
from services.kit.errors import InvalidInputError
from services.kit.identity import Actor
from services.kit.legal_calendar import days_left
from services.kit.numbers.case_number import BRACKETS

CARD = schema.case_card
_ROW = (
    "case_id", "body_id", "case_number", "title", "cause", "state", "procedure_id", "party_names", "received_on",
    "docketed_on", "closed_on", "due_on", "due_state", "due_unit", "provisional", "stage", "channel",
)  # fmt: skip
_WITHIN = {"due_on", "due_state", "due_unit", "provisional", "stage"}  # of a row: how the house works on it
_OWN_REPORT = (
    "filing_id", "body_id", "channel", "title", "submitted_on", "state", "case_state", "version", "reported_by_name",
    "defects",
)  # fmt: skip


def get_case(uow: IntakeUnit, case_id: str) -> pb.Case:
    """The register's entry; parties see each other's numbers masked, source material needs view_internal.

    `seen_as_filer`: nothing but having taken it in opens it to the caller.

    Raises:
        CaseNotKnownError: unknown, or not for this caller.
    """
    actor = uow.cause.actor
    as_filer = _require_view(uow, case_id)
    internal = access.allowed(uow.connection, actor, "view_internal", case_id=case_id)
    if internal:
        _record_internal(uow, uow.cases.get(case_id))
    case, links = _as_seen_by(actor, uow.cases.get(case_id)), uow.links.seen_by(actor, case_id)
    notices = uow.notices.seen_by(actor, case_id)
    answer = messages.case_message(case, links, _carried_by(uow, case, as_filer), notices, internal)
    answer.seen_as_filer = as_filer
    return answer


def _require_view(uow: IntakeUnit, case_id: str) -> bool:
    """Whether it is seen by who took it in, and as such alone; raises CaseNotKnownError."""
    actor = uow.cause.actor
    if access.allowed(uow.connection, actor, "view_case", case_id=case_id):
        return False
    mine = uow.cases.holds(_filer(actor, case_id))
    access.require(uow.connection, actor, "view_case", case_id=case_id, filer=mine)
    return True


def _filer(actor: Actor, case_id: ColumnElement[str] | str) -> ColumnElement[bool]:
    """Whether a case came by the actor, of a party: for itself. A reporter is no party."""
    if actor.kind == "party":
        return filed_for_itself(actor.account_id, case_id)
    return taken_in_by(actor.person_id, case_id)


def _carried_by(uow: IntakeUnit, case: Case, as_filer: bool) -> list[tuple[Officer, str]]:
    """Who carries it; parties are told names and posts alone, once it is docketed and opens to them as such."""
    found = uow.officers.of(case.case_id)
    if uow.cause.actor.kind != "party":
        return found
    # whose name has not been told here yet stands under the id: he is left out
    named = [(replace(o, person_id=""), name) for o, name in found if name != o.person_id]
    return named if case.docketed_on and not as_filer else []


def _record_internal(uow: IntakeUnit, case: Case) -> None:
    """Source material of the 副卷 is read on the record."""
    if any(m.internal for m in case.materials):
        uow.record("view_internal", case.case_id, case_id=case.case_id, body_id=case.body_id)


def _as_seen_by(actor: Actor, case: Case) -> Case:
    if actor.kind != "party":
        return case
    mine = [actor.account_id in p.account_ids for p in case.parties]
    parties = tuple(p if own else p.masked() for p, own in zip(case.parties, mine, strict=True))
    return replace(case, parties=parties)


def get_filing(uow: IntakeUnit, packs: Packs, filing_id: str) -> pb.Filing:
    """A filing; a reporter sees the own report and its outcome, nobody sees a reporter without view_internal.

    Raises:
        CaseNotKnownError: unknown, or not for this caller.
    """
    actor, case_id = uow.cause.actor, uow.cases.id_of_filing(filing_id)
    case, reporter = uow.cases.get(case_id), uow.reporters.find(case_id)
    if reporter and actor.kind == "party" and reporter.account_id == actor.account_id:
        access.require(uow.connection, actor, "view_own_report", case_id=case_id)
        return _own_report(case, reporter)
    own = access.allowed(uow.connection, actor, "view_own_filing", case_id=case_id, owner_id=case.filing.submitted_by)
    if not own:
        _require_view(uow, case_id)
    internal = access.allowed(uow.connection, actor, "view_internal", case_id=case_id)
    answer = messages.filing_message(_as_seen_by(actor, case), internal)
    answer.notices.extend(messages.notice_message(n) for n in uow.notices.seen_by(actor, case_id))
    if not own and not internal:
        pack = packs.pinned(uow.connection, case.pack)
        answer.content.CopyFrom(struct(open_content(case.filing.content, pack, case.channel)))
    if internal and reporter:
        answer.reporter.CopyFrom(messages.reporter_message(reporter))
        uow.record("view_reporter", case_id, case_id=case_id, body_id=case.body_id)
    elif internal:
        _record_internal(uow, case)
    return answer


def _own_report(case: Case, reporter: Reporter) -> pb.Filing:
    """What a reporter handed in, and what became of it; nothing that a clerk wrote or that grew from it."""
    whole = messages.filing_message(case, internal=True)
    report = pb.Filing(
        **{name: getattr(whole, name) for name in _OWN_REPORT}, reporter=messages.reporter_message(reporter)
    )
    if case.filing.submitted_by == reporter.account_id:
        report.content.CopyFrom(whole.content)
        report.materials.extend(m for m in whole.materials if m.internal)
    return report


def list_cases(uow: IntakeUnit, request: pb.ListCasesRequest) -> pb.ListCasesAnswer:
    """The register of a body (with its subtree), or of a party; newest first.

    Raises:
        NotAllowedError: the body's register is not for this caller.
        InvalidInputError: cursor, limit or day is none.
    """
    limit, actor = paging.size(request.limit), uow.cause.actor
    # what a party has only handed in shows it no limits, as the case itself does not
    opened = access.case_filter(actor, "list_cases") if actor.kind == "party" else true()
    query = select(*(CARD.c[name] for name in _ROW), opened.label("opened")).where(*_wanted(uow, request))
    rows = uow.connection.execute(query.order_by(CARD.c.case_id.desc()).limit(limit + 1)).mappings().all()
    more = paging.cursor(rows[limit - 1]["case_id"]) if len(rows) > limit else ""
    # a party acts for no body: days are counted on the day of each case's own
    today = {body_id: uow.legal_on(body_id) for body_id in {row["body_id"] for row in rows}}
    return pb.ListCasesAnswer(cases=[_row(row, today[row["body_id"]]) for row in rows[:limit]], next_cursor=more)


def export_cases(uow: IntakeUnit, request: pb.ExportCasesRequest) -> pb.ExportCasesAnswer:
    """Every case as the register now has it, for an index that is built anew; operators only."""
    access.require(uow.connection, uow.cause.actor, "operate")
    limit = min(max(request.limit, 0) or 200, 500)
    later = select(cases.c.case_id).where(cases.c.case_id > request.after_id).order_by(cases.c.case_id)
    ids = uow.connection.execute(later.limit(limit)).scalars().all()
    reporters = {case_id: uow.reporters.find(case_id) for case_id in ids}
    accounts = {case_id: found.account_id if found else "" for case_id, found in reporters.items()}
    found = [uow.cases.get(case_id) for case_id in ids]
    confirmed = uow.accounts.confirmed(frozenset[str]().union(*(case.account_ids for case in found)))
    rows = [pb.CaseExport(case_id=c.case_id, card=messages.card(c, accounts[c.case_id], confirmed)) for c in found]
    return pb.ExportCasesAnswer(rows=rows, next_after_id=ids[-1] if len(ids) == limit else "")


def _wanted(uow: IntakeUnit, request: pb.ListCasesRequest) -> list[ColumnElement[bool]]:
    actor = uow.cause.actor
    body_id = request.body_id or ("" if actor.kind == "party" else actor.body_id)
    conditions = [access.case_filter(actor, "list_cases", filers=_filer(actor, CARD.c.case_id))]
    if actor.kind == "party":
        conditions.append(_of_account(actor.account_id))
    if body_id:
        if actor.kind != "party":
            access.require(uow.connection, actor, "list_cases", body_id=body_id)
        conditions.append(_of_body(body_id, request.include_subtree))
    for name in ("state", "procedure_id"):
        if value := getattr(request, name):
            conditions.append(CARD.c[name] == value)
    if request.case_number:
        conditions.append(CARD.c.case_number == request.case_number.strip().translate(BRACKETS))
    if request.party_name:
        conditions.append(CARD.c.party_names.contains(request.party_name, autoescape=True))
    if request.received_from:
        conditions.append(CARD.c.received_on >= _day(request.received_from, "/received_from"))
    if request.received_to:
        conditions.append(CARD.c.received_on <= _day(request.received_to, "/received_to"))
    if last := paging.after(request.cursor):
        conditions.append(CARD.c.case_id < last[0])
    return conditions


def _of_account(account_id: str) -> ColumnElement[bool]:
    # found by the accounts' index first, in no order: or who has no case walks the whole register, newest first
    linked = CARD.c.party_account_ids.bool_op("@>")(cast([account_id], ARRAY(Text)))
    filed = select(filings.c.case_id).where(filings.c.submitted_by == account_id)
    mine = union_all(select(CARD.c.case_id).where(linked), filed).cte("mine").prefix_with("MATERIALIZED")
    return CARD.c.case_id.in_(select(mine.c.case_id))


def _of_body(body_id: str, subtree: bool) -> ColumnElement[bool]:
    own, tree = CARD.c.body_id == body_id, schema.body_tree
    if not subtree:
        return own
    below = select(tree.c.body_id).where(tree.c.ancestor_ids.bool_op("@>")(cast([body_id], ARRAY(Text))))
    return or_(own, CARD.c.body_id.in_(below))


def _day(text: str, at: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        detail = "日期应写成 2025-01-31 的样子"
        raise InvalidInputError(detail, [{"pointer": at, "detail": detail}]) from error


def _row(row: RowMapping, today: date) -> pb.CaseRow:
    shown = {name: value for name, value in row.items() if name != "opened" and (row["opened"] or name not in _WITHIN)}
    days = {name: value.isoformat() if value else "" for name, value in shown.items() if name.endswith("_on")}
    left = days_left(row["due_on"], row["due_unit"], today) if shown.get("due_on") else None
    return pb.CaseRow(**shown | days, remaining=left)
