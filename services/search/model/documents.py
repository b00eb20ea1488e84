"""What the index holds: one document for each case, party, instrument and page that may be found at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from services.kit.clock import CHINA
from services.search.model.filters import NO, NONE, term, terms
from services.search.model.words import number_key

KINDS = ("case", "party", "instrument", "page")
SERIALS = 1 << 40  # documents; a day in front makes `order`: unique, newest last
_ARRAYS = ("officer_ids", "panel_ids", "party_account_ids")
_PLAIN = ("body_id", "department_id", "state", "secrecy_level", "sealed", "involves_minor", "procedure_id", "cause")
_NEVER = "-"  # the kind of one that cannot be found: no filter asks for it


@dataclass(frozen=True)
class Document:
    """One document as both engines write it.

    `write` numbers the writes of the ledger: the engine keeps the highest. `version` is the owner's. `terms` are
    exact values by field; `heading` and `text` are looked through.
    """

    document_id: str
    write: int
    version: int
    order: int
    terms: Mapping[str, tuple[str, ...]]
    heading: tuple[str, ...] = ()
    text: tuple[str, ...] = ()

    @property
    def findable(self) -> bool:
        """Not a stub that only keeps the place of one that is gone, hidden, or of a case not yet known."""
        return self.terms["kind"] != (_NEVER,)


@dataclass(frozen=True)
class Entry:
    """A row of the ledger. `content` None: gone. `register` and `circle`: what intake and workflow told."""

    document_id: str
    kind: str
    case_id: str
    version: int
    serial: int
    write: int
    content: Mapping[str, Any] | None
    register: Mapping[str, Any] | None
    circle: Mapping[str, Any]


@dataclass(frozen=True)
class Shown:
    """What a hit shows and what is looked through: title, the other headings, text, and the day."""

    title: str
    heading: tuple[str, ...]
    text: str
    on: str


def shown(kind: str, content: Mapping[str, Any], register: Mapping[str, Any]) -> Shown:
    """The words of one document."""
    opened = register["docketed_on"] or register["received_on"] or ""
    if kind == "case":
        names = tuple(p["name"] for p in register["parties"])
        return Shown(register["title"], (register["case_number"], register["cause"], *names), "", opened)
    if kind == "party":
        return Shown(content["name"], (), "", opened)
    if kind == "instrument":
        text = "" if content["internal"] else content["text"]
        return Shown(content["title"], (content["number"],), text, content["issued_on"] or opened)
    return Shown(content["title"], (), content["text"], content["received_on"] or opened)


def document_of(entry: Entry) -> Document:
    """The document of a row, or the stub that takes its place."""
    if entry.content is None or entry.register is None:
        return Document(entry.document_id, entry.write, entry.version, entry.serial, {"kind": (_NEVER,)})
    said = shown(entry.kind, entry.content, entry.register)
    case: dict[str, Any] = {"department_id": "", **dict.fromkeys(_ARRAYS, ()), **entry.circle, **entry.register}
    found = {name: (term(case[name]),) for name in _PLAIN} | {name: terms(case[name]) for name in _ARRAYS}
    found |= {
        "kind": (entry.kind,), "case_id": (entry.case_id,), "internal": (term(bool(entry.content.get("internal"))),),
        "served_ids": terms(served_ids(entry.content)), "number": (NONE,),
    }  # fmt: skip
    if entry.kind == "case":
        found |= {"internal": (NO,), "number": (number_key(case["case_number"]) or NONE,)}
    heading = tuple(filter(None, (said.title if entry.kind != "page" else "", *said.heading)))
    text = tuple(filter(None, (said.text,)))
    order = first_order(date.fromisoformat(said.on)) + entry.serial if said.on else entry.serial
    return Document(entry.document_id, entry.write, entry.version, order, found, heading, text)


def first_order(day: date) -> int:
    """The lowest `order` of a day."""
    return day.toordinal() * SERIALS


def served_ids(content: Mapping[str, Any]) -> list[str]:
    """Accounts on which an instrument is served."""
    return sorted({account for accounts in content.get("served", {}).values() for account in accounts})


def register_of(card: Any) -> dict[str, Any]:
    """What the index needs of intake's card. Never an identity number, an address, or anything of a reporter."""
    plain = ("body_id", "state", "title", "procedure_id", "case_number", "cause", "secrecy_level", "sealed",
             "involves_minor", "received_on", "docketed_on", "closed_on")  # fmt: skip
    accounts = {p.account_id for p in card.parties if p.account_id} | set(card.representative_account_ids)
    parties = [{"party_id": p.party_id, "name": p.name, "role": p.role} for p in card.parties]
    return {name: getattr(card, name) for name in plain} | {"parties": parties, "party_account_ids": sorted(accounts)}


def circle_of(card: Any) -> dict[str, Any]:
    """Who works on the case, of workflow's card."""
    return {"department_id": card.department_id, "officer_ids": list(card.officer_ids),
            "panel_ids": list(card.panel_ids)}  # fmt: skip


def page_content(page: Any, text: str, read: bool) -> dict[str, Any] | None:
    """A page's content; None for one that is hidden, replaced or not read, and for all outside the 正卷.

    The 副卷 is never searched, and a page that is not catalogued yet may come to belong to it.
    """
    if page.internal or page.volume_kind != "main" or not (read and page.shown):
        return None
    return {
        "page_id": page.page_id, "title": page.title, "volume": page.volume, "text": text, "internal": False,
        "page_number": page.page_number or page.number, "received_on": page.received_on or _day(page.received_at),
    }  # fmt: skip


def _day(instant: str) -> str:
    return datetime.fromisoformat(instant).astimezone(CHINA).date().isoformat() if instant else ""


def instrument_content(told: Any, served: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """An issued instrument's content; of the 副卷 only title and number."""
    return {
        "instrument_id": told.instrument_id, "title": told.title, "number": told.number, "issued_on": told.issued_on,
        "internal": told.internal, "text": "" if told.internal else told.text,
        "served": {key: list(accounts) for key, accounts in served.items()},
    }  # fmt: skip
