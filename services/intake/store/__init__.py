"""The unit of work of the intake room."""

from __future__ import annotations

from services.intake.model.case import Case
from services.intake.store.accounts import Accounts
from services.intake.store.annexes import Bodies, Links, Notices, NumberSeries, Reporters
from services.intake.store.cases import Cases
from services.intake.store.officers import Officers
from services.kit.database import UnitOfWork


class IntakeUnit(UnitOfWork):
    """One transaction over the register."""

    @property
    def cases(self) -> Cases:
        return Cases(self.connection)

    @property
    def reporters(self) -> Reporters:
        return Reporters(self.connection)

    @property
    def notices(self) -> Notices:
        return Notices(self.connection)

    @property
    def links(self) -> Links:
        return Links(self.connection)

    @property
    def numbers(self) -> NumberSeries:
        return NumberSeries(self.connection)

    @property
    def bodies(self) -> Bodies:
        return Bodies(self.connection)

    @property
    def officers(self) -> Officers:
        return Officers(self.connection)

    @property
    def accounts(self) -> Accounts:
        return Accounts(self.connection)

    def locked(self, case_id: str) -> Case:
        """The case, its stream locked until the transaction ends; raises CaseNotKnownError."""
        self.lock(case_id)
        return self.cases.get(case_id)
