"""What a caller may see, decided on the cards here; and what of that the index does not know yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import ARRAY, Select, Text, bindparam, func, select

from services.kit import access, schema
from services.kit.identity import Actor
from services.search.model.documents import Entry
from services.search.model.filters import ACTIONS, YES, Among, Every, Except, Filter
from services.search.settings import KNOBS
from services.search.store import SearchUnit

_INSTRUMENT = Among("kind", ("instrument",))
_OF: Mapping[str, Filter] = {
    "register": Among("kind", ("case", "party")), "pages": Among("kind", ("page",)), "instruments": _INSTRUMENT,
    "internal": Every((_INSTRUMENT, Among("internal", (YES,)))),
}  # fmt: skip
Seen = Mapping[str, set[str]]
Shut = Mapping[str, set[str]]  # whose documents (by _OF) of which cases, and which `documents`, are not the caller's


def seen(uow: SearchUnit, case_ids: Iterable[str]) -> Seen:
    """For each action, on which of these cases the caller may do it."""
    rows = uow.connection.execute(_decided(uow.cause.actor), {"case_ids": list(case_ids)}).all()
    return {action: {row[0] for row in rows if row[at]} for at, action in enumerate(ACTIONS, 1)}


@lru_cache(maxsize=1024)
def _decided(actor: Actor) -> Select[Any]:
    """The statement for an actor, made once: to make it costs more than to ask it."""
    card = schema.case_card
    columns = (access.case_filter(actor, action).label(action) for action in ACTIONS)
    mine = card.c.case_id == func.any(bindparam("case_ids", type_=ARRAY(Text)))
    return select(card.c.case_id, *columns).where(mine)


def may_find(entry: Entry, actor: Actor, seen: Seen) -> bool:
    """Whether a document is one of the caller's."""
    if entry.content is None or entry.register is None:
        return False
    if entry.kind in ("case", "party"):
        return entry.case_id in seen["list_cases"]
    if entry.kind == "page":
        return entry.case_id in seen["view_dossier"] and not entry.content["internal"]
    viewed = entry.case_id in seen["view_case"] | seen["view_dossier"]
    internal = bool(entry.content["internal"])
    if actor.kind == "party":
        served = any(actor.account_id in accounts for accounts in entry.content["served"].values())
        return viewed and served and not internal
    return viewed and (not internal or entry.case_id in seen["view_internal"])


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
