"""The archive's unit of work."""

from __future__ import annotations

from functools import cached_property

from services.archive.store.batches import Batches, Piles
from services.archive.store.cases import Cases
from services.archive.store.covers import Covers
from services.archive.store.holdings import Holdings
from services.archive.store.pages import Pages
from services.archive.store.readings import Readings
from services.archive.store.receipts import Receipts
from services.archive.store.uploads import CaseFiles, Uploads
from services.archive.store.volumes import Dossiers, Papers, Volumes
from services.kit.database import UnitOfWork


class ArchiveUnit(UnitOfWork):
    """One transaction of the archive."""

    @cached_property
    def uploads(self) -> Uploads:
        """Upload sessions."""
        return Uploads(self.connection)

    @cached_property
    def case_files(self) -> CaseFiles:
        """Files by case."""
        return CaseFiles(self.connection)

    @cached_property
    def covers(self) -> Covers:
        """Separator sheets."""
        return Covers(self.connection)

    @cached_property
    def cases(self) -> Cases:
        """Cases, read only."""
        return Cases(self.connection)

    @cached_property
    def batches(self) -> Batches:
        """Scan batches."""
        return Batches(self.connection)

    @cached_property
    def piles(self) -> Piles:
        """Their piles."""
        return Piles(self.connection)

    @cached_property
    def pages(self) -> Pages:
        """Pages."""
        return Pages(self.connection)

    @cached_property
    def readings(self) -> Readings:
        """What was read on pages."""
        return Readings(self.connection)

    @cached_property
    def papers(self) -> Papers:
        """Documents that come as files."""
        return Papers(self.connection)

    @cached_property
    def receipts(self) -> Receipts:
        """Receipts of servings."""
        return Receipts(self.connection)

    @cached_property
    def volumes(self) -> Volumes:
        """Bound volumes."""
        return Volumes(self.connection)

    @cached_property
    def dossiers(self) -> Dossiers:
        """Archived dossiers."""
        return Dossiers(self.connection)

    @cached_property
    def holdings(self) -> Holdings:
        """Every object that is named here."""
        return Holdings(self.connection)
