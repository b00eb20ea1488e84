"""What the passing of days does: reminders, expiry, cards. Set-based: so many statements, however many clocks."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import text

from services.kit import clock
from services.kit.legal_calendar import LEGAL_ZONE, working_calendar
from services.supervision.settings import SETTINGS
from services.supervision.store import SupervisionUnit
from services.supervision.usecases.facts import Case, apart, recount
from services.supervision.usecases.telling import Tellings

DAY = timedelta(days=1)
_OF_ROOT = """
    join body_tree b on b.body_id = c.body_id left join legal_dates d on d.root_id = b.root_id
    where case when cast(:root as text) is null then d.root_id is null else b.root_id = :root end"""
_DUE = text(f"""
    select c.clock_id, c.case_id from clocks c {_OF_ROOT}
    and c.next_act_on <= :day and (c.next_act_at is null or c.next_act_at <= :moment)
    order by c.next_act_on limit :most""")  # noqa: S608
_NEXT = text(f"""
    select min(c.next_act_on + case when c.next_act_at is null then 0 else 1 end) from clocks c {_OF_ROOT}
    and c.next_act_on is not null""")  # noqa: S608


_PROVISIONAL = text(f"""
    select distinct c.case_id, c.body_id, c.pack_id, c.pack_version from clocks c {_OF_ROOT}
    and c.provisional and c.calendar <> :calendar order by c.case_id limit :most""")  # noqa: S608


def tick(uow: SupervisionUnit, root_id: str | None) -> None:
    """Tell all that is due on the legal date of a scripted tree; of all other bodies, on China's calendar day."""
    with uow:
        day, moment = clock.today(), clock.now()
        if root_id is not None:
            # a scripted tree has no hours: a moment has passed when its day has
            day = uow.legal_on(root_id)
            moment = datetime.combine(day, datetime.min.time(), LEGAL_ZONE)
        uow.write()
        recount_provisional(uow, root_id, day)
        uow.write()
        while _pass(uow, root_id, day, moment):
            continue


def recount_provisional(uow: SupervisionUnit, root_id: str | None, day: date) -> None:
    """Count anew what was counted before the calendar of its year was published; so many cases in one tick."""
    wanted = {"root": root_id, "calendar": working_calendar().span, "most": SETTINGS.recounted_cases}
    for row in uow.connection.execute(_PROVISIONAL, wanted).all():
        with apart(uow, row.case_id):
            uow.lock(row.case_id)
            limits = uow.packs.limits(row.pack_id, row.pack_version)
            recount(uow, limits, Case(row.case_id, row.body_id, day), limits.rules)


def _pass(uow: SupervisionUnit, root_id: str | None, day: date, moment: datetime) -> bool:
    """Tell of so many clocks, under the locks of their cases; whether there may be more."""
    wanted = {"root": root_id, "day": day, "moment": moment, "most": SETTINGS.tick_clocks}
    due = uow.connection.execute(_DUE, wanted).all()
    if due:
        uow.lock(*{row.case_id for row in due})
        Tellings.of(uow, [row.clock_id for row in due], day, moment).write()
        uow.flush()
    return len(due) == SETTINGS.tick_clocks


def next_due(uow: SupervisionUnit, root_id: str, after: date) -> date | None:
    """The next legal day after `after` on which tick has something to tell in that tree."""
    with uow:
        first: date | None = uow.connection.execute(_NEXT, {"root": root_id}).scalar()
    return None if first is None else max(first, after + DAY)
