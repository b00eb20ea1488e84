"""The unit of work of the documents room."""

from __future__ import annotations

from services.documents.store.cases import Cases
from services.documents.store.instruments import Instruments
from services.documents.store.numbers import Numbers
from services.documents.store.servings import Servings
from services.kit.database import UnitOfWork


class DocumentsUnit(UnitOfWork):
    """One transaction over instruments and their servings."""

    @property
    def instruments(self) -> Instruments:
        return Instruments(self.connection)

    @property
    def servings(self) -> Servings:
        return Servings(self.connection)

    @property
    def numbers(self) -> Numbers:
        return Numbers(self.connection)

    @property
    def cases(self) -> Cases:
        return Cases(self.connection)
