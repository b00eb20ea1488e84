"""What the documents room does at the facts of others; bodies, people, packs and cards it only remembers (kit)."""

from __future__ import annotations

from functools import partial
from typing import Any

from services.documents.store import DocumentsUnit
from services.documents.store.packs import Packs
from services.documents.usecases import facts
from services.documents.usecases.issue import issue_instrument, void_numbers, withdraw_issue
from services.documents.usecases.serve import serve_instrument
from services.kit import effects
from services.kit.events import Event
from services.kit.run import Host


class DocumentsConsumer:
    """Issues and serves what workflow asks for; keeps what templates may say of a case."""

    sources = ("identity", "intake", "workflow")

    def __init__(self, host: Host) -> None:
        packs = Packs(host.objects)
        self.performers: dict[str, Any] = {
            "issue_instrument": partial(issue_instrument, packs),
            "serve_instrument": partial(serve_instrument, packs),
        }

    def on_effect_requested(self, event: Event, uow: DocumentsUnit) -> None:
        """Perform it once; issuing is answered later, by its job."""
        effects.perform(event, uow, self.performers)

    def on_effect_withdrawn(self, event: Event, uow: DocumentsUnit) -> None:
        """Given up: what is parked here is not performed, what is being issued ends without effect."""
        effects.withdrawn(event, uow)
        withdraw_issue(uow, event)

    def on_procedure_concluded(self, event: Event, uow: DocumentsUnit) -> None:
        """Numbers of what was never issued are given up."""
        void_numbers(uow, event.case_id)

    def on_filing_submitted(self, event: Event, uow: DocumentsUnit) -> None:
        """Parties with their representatives, and what the filing says."""
        facts.keep_filing(uow, event)

    def on_filing_corrected(self, event: Event, uow: DocumentsUnit) -> None:
        """The filing as it is now."""
        facts.keep_filing(uow, event)

    def on_node_completed(self, event: Event, uow: DocumentsUnit) -> None:
        """Form data and results, for the fields of later instruments."""
        facts.keep_node(uow, event)
