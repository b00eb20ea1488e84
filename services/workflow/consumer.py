"""workflow's ear: filings start procedures, answers move tokens, every other fact is offered to what waits."""

from __future__ import annotations

from importlib import import_module

from services.kit.effects import plain
from services.kit.events import Event
from services.kit.inbox.streams import reaction_name
from services.kit.run import Host
from services.workflow.store import WorkflowUnit
from services.workflow.store.library import Library
from services.workflow.usecases import answers, procedure

CASE_SOURCES = ("intake", "supervision", "documents", "archive", "notices")


class WorkflowConsumer:
    """Identity is heard for its projections alone; a pack may wait for any fact of the other sources."""

    sources = ("identity", *CASE_SOURCES)

    def __init__(self, host: Host) -> None:
        self.library = Library(host.objects)

    def on_filing_submitted(self, event: Event, uow: WorkflowUnit) -> None:
        """A case begins."""
        procedure.start_procedure(uow, self.library, event)

    def on_effect_done(self, event: Event, uow: WorkflowUnit) -> None:
        """An owner has performed what a node asked."""
        answers.effect_done(uow, self.library, event.data.effect_id, plain(event.data.results))

    def on_effect_refused(self, event: Event, uow: WorkflowUnit) -> None:
        """An owner cannot perform it."""
        answers.effect_refused(uow, self.library, event.data.effect_id, event.data.reason)

    def on_request_withdrawn(self, event: Event, uow: WorkflowUnit) -> None:
        """A body below has taken back what it asked."""
        procedure.request_withdrawn(uow, self.library, event)

    def hear(self, event: Event, uow: WorkflowUnit) -> None:
        """Any other fact of a case."""
        procedure.hear(uow, self.library, event)


def _listen_to(source: str) -> None:
    """on_<event> for every event in the source's proto that has no reaction of its own."""
    for name in import_module(f"anjuan.{source}.v1.events_pb2").DESCRIPTOR.message_types_by_name:
        if not hasattr(WorkflowConsumer, reaction_name(name)):
            setattr(WorkflowConsumer, reaction_name(name), WorkflowConsumer.hear)


for _source in CASE_SOURCES:
    _listen_to(_source)
