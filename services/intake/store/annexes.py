"""What lies beside the register: reporters, deficiency notices, links, number series."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import date

from sqlalchemy import Connection, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from services.intake import tables
from services.intake.model.link import CaseLink
from services.intake.model.notice import Notice
from services.intake.model.numbering import Body
from services.intake.model.people import Reporter
from services.intake.store.cases import Cases, defects_of, taken_in_by
from services.kit import access, clock
from services.kit.errors import NotFoundError
from services.kit.identity import Actor

_BODY = text("""
    select kind, code, legal_on from body_tree left join legal_dates using (root_id) where body_id = :body_id""")


class Reporters:
    """举报人, apart from everything that is listed, told or searched."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def add(self, case_id: str, reporter: Reporter) -> None:
        """The reporter of a case."""
        self.connection.execute(insert(tables.reporters).values(asdict(reporter) | {"case_id": case_id}))

    def find(self, case_id: str) -> Reporter | None:
        """The reporter of a case, if somebody reported it."""
        names = [tables.reporters.c[f.name] for f in fields(Reporter)]
        query = select(*names).where(tables.reporters.c.case_id == case_id)
        row = self.connection.execute(query).mappings().one_or_none()
        return None if row is None else Reporter(**row)


class Notices:
    """Deficiency notices."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def add(self, case_id: str, notice: Notice) -> None:
        """A notice that goes out."""
        values = asdict(notice) | {"case_id": case_id}
        self.connection.execute(insert(tables.deficiency_notices).values(values))

    def of(self, case_id: str) -> list[Notice]:
        """All of a case, oldest first."""
        table = tables.deficiency_notices
        rows = self.connection.execute(select(table).where(table.c.case_id == case_id).order_by(table.c.notice_id))
        return [
            Notice(**{f.name: row[f.name] for f in fields(Notice)} | {"defects": defects_of(row["defects"])})
            for row in rows.mappings()
        ]

    def seen_by(self, actor: Actor, case_id: str) -> list[Notice]:
        """For staff, and for who filed: what is wrong with a filing is nothing to the other side."""
        filed = bool(actor.account_id) and Cases(self.connection).holds(taken_in_by(actor.account_id, case_id))
        return self.of(case_id) if actor.kind == "staff" or filed else []

    def last(self, case_id: str) -> Notice | None:
        """The latest of a case."""
        return next(reversed(self.of(case_id)), None)


class Links:
    """Cases that have to do with each other."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def add(self, case_id: str, link: CaseLink) -> None:
        """A new link."""
        self.connection.execute(insert(tables.case_links).values(asdict(link) | {"case_id": case_id}))

    def of(self, case_id: str) -> list[CaseLink]:
        """All of a case, oldest first."""
        table = tables.case_links
        rows = self.connection.execute(select(table).where(table.c.case_id == case_id).order_by(table.c.link_id))
        return [CaseLink(**{f.name: row[f.name] for f in fields(CaseLink)}) for row in rows.mappings()]

    def seen_by(self, actor: Actor, case_id: str) -> list[CaseLink]:
        """Without those to cases of this register that the actor may not view: number and reason would tell of them."""
        return [link for link in self.of(case_id) if not link.linked_case_id or self._opens(actor, link)]

    def _opens(self, actor: Actor, link: CaseLink) -> bool:
        return access.allowed(self.connection, actor, "view_case", case_id=link.linked_case_id)


class NumberSeries:
    """Numbers without gap or double: the row stays locked until the transaction ends, a rollback gives it back."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def take(self, body_id: str, series: str, year: int) -> int:
        """The next number, from 1; to be called last in a transaction."""
        table = tables.number_series
        first = upsert(table).values(body_id=body_id, series=series, year=year, last=1)
        following = first.on_conflict_do_update(index_elements=list(table.primary_key), set_={"last": table.c.last + 1})
        return int(self.connection.execute(following.returning(table.c.last)).scalar_one())


class Bodies:
    """Courts and bureaus as identity tells them."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def get(self, body_id: str) -> Body:
        """Raises NotFoundError."""
        return self.on_its_day(body_id)[0]

    def on_its_day(self, body_id: str) -> tuple[Body, date]:
        """A body and its legal date; raises NotFoundError."""
        row = self.connection.execute(_BODY, {"body_id": body_id}).one_or_none()
        if row is None:
            raise NotFoundError("没有这一机关，或者其登记尚未同步到此处")
        return Body(body_id, row.kind, row.code), row.legal_on or clock.today()
