"""What the owners tell – in events, or in exports when the index is built anew – goes into the ledger."""

from __future__ import annotations

from typing import Any

from services.kit.errors import UnavailableError
from services.kit.events import Event
from services.search.model.documents import circle_of, instrument_content, page_content, register_of
from services.search.store import SearchUnit
from services.search.store.ledger import Told


def register_told(uow: SearchUnit, event: Event) -> None:
    """intake told of a case, with its card."""
    tell_case(uow, event.case_id, event.data.card)


def circle_told(uow: SearchUnit, event: Event) -> None:
    """workflow told of a case, with its card."""
    uow.ledger.tell_circle(event.case_id, circle_of(event.data.card))


def tell_case(uow: SearchUnit, case_id: str, card: Any) -> list[Told]:
    """A case and its parties. What the owner has is returned."""
    told = [Told(f"case:{case_id}", "case", case_id, card.version, {})]
    told += [
        Told(f"party:{p.party_id}", "party", case_id, card.version, {"name": p.name, "role": p.role})
        for p in card.parties
    ]
    uow.ledger.tell_register(case_id, card.version, register_of(card), told)
    return told


def instrument_issued(uow: SearchUnit, event: Event) -> None:
    """documents issued an instrument."""
    content = instrument_content(event.data, {})
    _put_instrument(uow, event.case_id, content)


def instrument_served(uow: SearchUnit, event: Event) -> None:
    """documents served one: those served on find it from now on.

    Raises:
        UnavailableError: the ledger does not know it, although it was issued before: only a rebuild brings it back.
    """
    fact = event.data
    _, content = uow.ledger.content(f"instrument:{fact.instrument_id}")
    if content is None:
        raise UnavailableError("该文书不在检索台账中，请运维人员执行 anjuan rebuild-search")
    content["served"][fact.serving_id] = list(fact.account_ids)
    _put_instrument(uow, event.case_id, content)


def _put_instrument(uow: SearchUnit, case_id: str, content: dict[str, Any], first_write: int = 0) -> Told:
    # an issued instrument changes by being served alone
    document_id, version = f"instrument:{content['instrument_id']}", 1 + len(content["served"])
    told = Told(document_id, "instrument", case_id, version, content)
    uow.ledger.put([told], first_write)
    return told


def page_told(uow: SearchUnit, event: Event) -> None:
    """archive read or changed a page."""
    read = event.type == "PageRead" or event.data.read
    absorb_page(uow, event.case_id, event.data.page, event.data.text, read)


def absorb_page(uow: SearchUnit, case_id: str, page: Any, text: str, read: bool, first_write: int = 0) -> Told:
    """A page as it now stands."""
    content = page_content(page, text, read)
    told = Told(f"page:{page.page_id}", "page", case_id, page.version, content)
    uow.ledger.put([told], first_write)
    return told


def absorb_export(uow: SearchUnit, owner: str, row: Any, first_write: int) -> list[Told]:
    """One exported row, under its case's lock; answers the documents that the owner has by it."""
    uow.lock(row.case_id)
    if owner == "documents":
        served = {one.serving_id: list(one.account_ids) for one in row.served}
        return [_put_instrument(uow, row.case_id, instrument_content(row, served), first_write)]
    if owner == "archive":
        return [absorb_page(uow, row.case_id, row.page, row.text, True, first_write)]
    told = tell_case(uow, row.case_id, row.card)
    circle = uow.ledger.known_circle(row.case_id)
    if circle is not None:
        uow.ledger.tell_circle(row.case_id, circle)
    uow.ledger.write(first_write)
    return told
