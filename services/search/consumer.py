"""Facts the search room listens to: everything that carries a card, instruments, pages."""

from __future__ import annotations

from anjuan.intake.v1 import events_pb2 as intake
from anjuan.workflow.v1 import events_pb2 as workflow
from services.kit.events import Event
from services.kit.inbox.streams import reaction_name
from services.kit.run import Host
from services.search.store import SearchUnit
from services.search.usecases import absorb


class SearchConsumer:
    """Bodies and cards come through kit's projections as well; those decide who may find what was found."""

    sources = ("identity", "intake", "workflow", "documents", "archive")

    def __init__(self, host: Host) -> None:
        self.host = host

    def on_instrument_issued(self, event: Event, uow: SearchUnit) -> None:
        """A new instrument."""
        absorb.instrument_issued(uow, event)

    def on_instrument_served(self, event: Event, uow: SearchUnit) -> None:
        """Somebody has it."""
        absorb.instrument_served(uow, event)

    def on_page_read(self, event: Event, uow: SearchUnit) -> None:
        """A page's text is known."""
        absorb.page_told(uow, event)

    def on_page_changed(self, event: Event, uow: SearchUnit) -> None:
        """It was moved, hidden, replaced or bound."""
        absorb.page_told(uow, event)


def _register_told(self: SearchConsumer, event: Event, uow: SearchUnit) -> None:
    absorb.register_told(uow, event)


def _circle_told(self: SearchConsumer, event: Event, uow: SearchUnit) -> None:
    absorb.circle_told(uow, event)


# whatever these two tell of a case carries their card whole: a new event of theirs needs no line here
for _source, _told in ((intake, _register_told), (workflow, _circle_told)):
    for _message in _source.DESCRIPTOR.message_types_by_name.values():
        if "card" in _message.fields_by_name:
            setattr(SearchConsumer, reaction_name(_message.name), _told)
