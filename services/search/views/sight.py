"""What a caller may see, decided on the cards here; and what of that the index does not know yet."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import ARRAY, Select, Text, bindparam, func, select

from services.kit import access, schema
from services.kit.identity import Actor
from services.search.model.documents import Entry
from services.search.model.filters import ACTIONS, YES, Among, Every, Except, Filter
from services.search.settings import KNOBS
from services.search.store import SearchUnit
from services.search.store.ledger import JOINED
from services.search.tables import cases, documents

_ANY = func.any(bindparam("ids", type_=ARRAY(Text)))
_INSTRUMENT = Among("kind", ("instrument",))
_OF: Mapping[str, Filter] = {
    "register": Among("kind", ("case", "party")), "pages": Among("kind", ("page",)), "instruments": _INSTRUMENT,
    "internal": Every((_INSTRUMENT, Among("internal", (YES,)))),
}  # fmt: skip
Seen = Mapping[str, set[str]]
Shut = Mapping[str, set[str]]  # whose documents (by _OF) of which cases, and which `documents`, are not the caller's


@dataclass(frozen=True)
class Sighted:
    """A document that the caller may see, and the name of its case's body."""

    entry: Entry
    body_name: str


def sighted(uow: SearchUnit, ids: Iterable[str]) -> dict[str, Sighted]:
    """Of these documents the caller's, by what the ledger and the cards say now."""
    actor, found = uow.cause.actor, dict[str, Sighted]()
    for entry, (name, *decided) in uow.ledger.read(_documents_of(actor), ids=list(ids)):
        if _may_find(entry, actor, {action for action, may in zip(ACTIONS, decided, strict=True) if may}):
            found[entry.document_id] = Sighted(entry, name or "")
    return found


def seen(uow: SearchUnit, case_ids: Iterable[str]) -> Seen:
    """For each action, on which of these cases the caller may do it."""
    rows = uow.connection.execute(_cases_of(uow.cause.actor), {"ids": list(case_ids)}).all()
    return {action: {row[0] for row in rows if row[at]} for at, action in enumerate(ACTIONS, 1)}


# to make a statement costs more than to ask it: those of the latest actors are kept, a tenth of a megabyte each
@lru_cache(maxsize=128)
def _documents_of(actor: Actor) -> Select[Any]:
    card, body = schema.case_card, schema.body_tree.alias()
    told = JOINED.add_columns(body.c.name, *_decisions(actor)).where(documents.c.document_id == _ANY)
    told = told.outerjoin(card, card.c.case_id == documents.c.case_id)
    return told.outerjoin(body, body.c.body_id == cases.c.register["body_id"].astext)


@lru_cache(maxsize=16)
def _cases_of(actor: Actor) -> Select[Any]:
    card = schema.case_card
    return select(card.c.case_id, *_decisions(actor)).where(card.c.case_id == _ANY)


def _decisions(actor: Actor) -> list[Any]:
    made = dict[Any, Any]()
    for action in ACTIONS:
        clauses = frozenset(clause.needs for clause in access.scope(actor, action))
        made[action] = made[clauses] = made[clauses] if clauses in made else access.case_filter(actor, action)
    return [made[action].label(action) for action in ACTIONS]


def _may_find(entry: Entry, actor: Actor, may: Collection[str]) -> bool:
    """Whether a document is one of the caller's, who may do this on its case."""
    if entry.content is None or entry.register is None:
        return False
    if entry.kind in ("case", "party"):
        return "list_cases" in may
    if entry.kind == "page":
        return "view_dossier" in may and not entry.content["internal"]
    viewed, internal = "view_case" in may or "view_dossier" in may, bool(entry.content["internal"])
    if actor.kind == "party":
        served = any(actor.account_id in accounts for accounts in entry.content["served"].values())
        return viewed and served and not internal
    return viewed and (not internal or "view_internal" in may)


def shut(uow: SearchUnit, case_id: str = "") -> Shut | None:
    """Of what the index does not have as it is now, what is not the caller's; None: too many cases to tell.

    By case, so that a case with a thousand pages hides no other; `case_id` narrows to one.
    """
    late = uow.ledger.late_cases(case_id, KNOBS.most_late + 1)
    if not late:
        return {}
    if len(late) > KNOBS.most_late:
        return None
    mine = seen(uow, late)
    viewed = mine["view_case"] | mine["view_dossier"]
    documents = _documents(uow, viewed | mine["list_cases"], mine["view_internal"])
    if documents is None:
        return None
    return {
        "register": late - mine["list_cases"], "pages": late - mine["view_dossier"], "instruments": late - viewed,
        "internal": late - mine["view_internal"], "documents": documents,
    }  # fmt: skip


def _documents(uow: SearchUnit, case_ids: set[str], internal: set[str]) -> set[str] | None:
    """Single ones of cases that are the caller's: gone, of the 副卷, or not served on it."""
    actor = uow.cause.actor
    account = actor.account_id if actor.kind == "party" else None
    rows = uow.ledger.late_closed(case_ids, account, KNOBS.most_late + 1)
    if len(rows) > KNOBS.most_late:
        return None
    return {row.document_id for row in rows if row.gone or account is not None or row.case_id not in internal}


def covers(before: Shut, now: Shut | None) -> bool:
    """Nothing more is shut now than was before."""
    return now is not None and all(ids <= before.get(name, set()) for name, ids in now.items())


def conditions(shut: Shut | None) -> list[Filter]:
    """What is shut, left out of a question."""
    if not shut:
        return []
    whole = shut["register"] & shut["pages"] & shut["instruments"]
    parts: list[Filter] = [_among("case_id", whole)] if whole else []
    of = {name: _among("case_id", shut[name] - whole) for name in _OF}
    parts += [Every((which, of[name])) for name, which in _OF.items() if of[name].values]
    parts += [_among("document_id", shut["documents"])] if shut["documents"] else []
    return [Except(part) for part in parts]


def _among(field: str, values: set[str]) -> Among:
    return Among(field, tuple(sorted(values)))
