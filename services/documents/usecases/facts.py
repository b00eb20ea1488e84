"""What events tell of a case, kept for templates and for the pack's expressions."""

from __future__ import annotations

from services.documents.store import DocumentsUnit
from services.kit.effects import plain
from services.kit.events import Event, to_raw


def keep_filing(uow: DocumentsUnit, event: Event) -> None:
    """The filing whole."""
    filing = event.data.filing
    uow.cases.tell(event.case_id, filing=to_raw(filing) | {"content": plain(filing.content)})


def keep_node(uow: DocumentsUnit, event: Event) -> None:
    """A node's form data, what its effects answered, and who completed it."""
    node = event.data
    uow.cases.tell(
        event.case_id, forms={node.node_id: plain(node.data)}, results=plain(node.results),
        actors={node.node_id: [node.completed_by]},
    )  # fmt: skip
