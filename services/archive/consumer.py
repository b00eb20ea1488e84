"""Facts the archive listens to."""

from __future__ import annotations

from services.archive.store import ArchiveUnit
from services.archive.usecases import uploads
from services.kit.events import Event
from services.kit.run import Host


class ArchiveConsumer:
    """Bodies, people and cases come through kit's projections; filings bring their materials."""

    sources = ("identity", "intake", "workflow")

    def __init__(self, host: Host) -> None:
        self.host = host

    def on_filing_submitted(self, event: Event, uow: ArchiveUnit) -> None:
        """Link its materials to the case."""
        uploads.link_materials(uow, event)

    def on_filing_corrected(self, event: Event, uow: ArchiveUnit) -> None:
        """Link what was added."""
        uploads.link_materials(uow, event)

    def on_superior_answered(self, event: Event, uow: ArchiveUnit) -> None:
        """The scan of a paper answer belongs to the case that asked."""
        uploads.link_reply(uow, event)
