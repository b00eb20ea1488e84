"""Facts the archive listens to."""

from __future__ import annotations

from functools import partial
from typing import Any

from services.archive.store import ArchiveUnit
from services.archive.store.packs import Packs
from services.archive.usecases import archiving, binding, papers, receipts, uploads
from services.kit import effects
from services.kit.effects import plain
from services.kit.events import Event
from services.kit.run import Host


class ArchiveConsumer:
    """Bodies, people and cases come through kit's projections; instruments and materials become pages."""

    sources = ("identity", "intake", "workflow", "documents")

    def __init__(self, host: Host) -> None:
        self.host, self.packs = host, Packs(host.objects)

    def on_filing_submitted(self, event: Event, uow: ArchiveUnit) -> None:
        """Link its materials to the case."""
        uploads.link_materials(uow, event)

    def on_filing_corrected(self, event: Event, uow: ArchiveUnit) -> None:
        """Link what was added; into the dossier once there is one."""
        uploads.link_materials(uow, event)
        papers.file_materials(uow, self.packs, event.case_id)

    def on_case_docketed(self, event: Event, uow: ArchiveUnit) -> None:
        """From here on there is a dossier: materials go into it."""
        papers.file_materials(uow, self.packs, event.case_id)

    def on_node_completed(self, event: Event, uow: ArchiveUnit) -> None:
        """What it has issued, and the proof it has waited for, belong into the dossier, even if told here later."""
        papers.expect_instruments(uow, event.case_id, event.body_id, plain(event.data.results))
        if not event.data.completed_by:  # a fact that was waited for, no form
            papers.expect_receipt(uow, event.case_id, event.body_id, plain(event.data.data))

    def on_instrument_issued(self, event: Event, uow: ArchiveUnit) -> None:
        """Its pages go into the dossier."""
        papers.file_instrument(uow, self.packs, event)

    def on_effect_done(self, event: Event, uow: ArchiveUnit) -> None:
        """Servings begun, as documents itself says: no node tells those that it does not await, or was left before."""
        if (event.source, event.data.effect) == ("documents", "serve_instrument"):
            receipts.expect_receipts(uow, event.case_id, plain(event.data.results))

    def on_instrument_served(self, event: Event, uow: ArchiveUnit) -> None:
        """The proof goes behind it."""
        papers.file_receipt(uow, event, event.data.served_on)

    def on_instrument_published(self, event: Event, uow: ArchiveUnit) -> None:
        """The printed announcement goes behind it."""
        papers.file_receipt(uow, event, event.data.published_on)

    def on_effect_requested(self, event: Event, uow: ArchiveUnit) -> None:
        """Begin it once; jobs answer."""
        bind = partial(binding.bind_volume, self.packs, event.data.requested_by_name)
        performers: dict[str, Any] = {"bind_volume": bind, "archive_dossier": archiving.archive_dossier}
        effects.perform(event, uow, performers)

    def on_effect_withdrawn(self, event: Event, uow: ArchiveUnit) -> None:
        """Given up, for the reason told."""
        effects.withdrawn(event, uow)
        if event.data.owner == uow.service:
            binding.release(uow, event.data.effect_id, event.data.reason)

    def on_superior_answered(self, event: Event, uow: ArchiveUnit) -> None:
        """The scan of a paper answer belongs to the case that asked, and into its dossier."""
        uploads.link_reply(uow, event)
        papers.file_materials(uow, self.packs, event.case_id)
