"""Conditions on a document's terms, apart from any engine; and a person's scope as such a condition."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from services.kit.access import Need, scope
from services.kit.identity import Actor

NONE, EMPTY = "-", "[]"  # terms for an empty text and an empty array: engines index neither
YES, NO = "yes", "no"
# every field that a rule of kit/access asks of a case, and those that people filter by
SCOPE_FIELDS = ("body_id", "department_id", "state", "secrecy_level", "sealed", "involves_minor", "officer_ids",
                "panel_ids", "party_account_ids")  # fmt: skip
FACETS = ("kind", "body_id", "procedure_id", "cause")
FIELDS = (*dict.fromkeys((*FACETS, *SCOPE_FIELDS)), "case_id", "number", "internal", "served_ids")
Below = Callable[[str], Iterable[str]]


@dataclass(frozen=True)
class Among:
    """The field has one of these terms."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Every:
    """All parts hold; without parts it holds."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True)
class Either:
    """One part holds; without parts it does not."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True)
class Except:
    """The part does not hold."""

    part: Filter


Filter = Among | Every | Either | Except
NOTHING = Either(())
ACTIONS = ("list_cases", "view_case", "view_dossier", "view_internal")
_VIEWED = frozenset({"view_case", "view_dossier"})
_OPEN, _INSTRUMENT = Among("internal", (NO,)), Among("kind", ("instrument",))


def term(value: object) -> str:
    """A value as a term."""
    if isinstance(value, bool):
        return YES if value else NO
    return str(value) or NONE


def terms(values: Iterable[object]) -> tuple[str, ...]:
    """Values of an array as terms; an empty array has one of its own."""
    return tuple(dict.fromkeys(map(term, values))) or (EMPTY,)


def _need(need: Need, below: Below) -> Filter:
    match need.op:
        case "is":
            return Among(need.field, (term(need.value),))
        case "below":
            return Among(need.field, tuple(map(str, range(need.value))))
        case "among":
            return Among(need.field, terms(need.value)) if need.value else NOTHING
        case "has":
            return Among(need.field, (str(need.value),)) if need.value else NOTHING
        case "empty":
            return Among(need.field, (EMPTY,))
        case "under":
            return Among(need.field, tuple(sorted(below(need.value))))
    return NOTHING  # a fact that another room would have to tell


def _clause(needs: Iterable[Need], below: Below) -> Filter:
    """All needs of a clause; what another room alone knows is looked at first, for it spares the others."""
    parts = list[Filter]()
    for need in sorted(needs, key=lambda need: need.op != "fact"):
        parts.append(_need(need, below))
        if parts[-1] == NOTHING:
            return NOTHING
    return Every(tuple(parts))


@lru_cache(maxsize=512)
def _clauses(actor: Actor) -> Mapping[tuple[Need, ...], frozenset[str]]:
    """The clauses of an actor's scope, each with the actions that it allows."""
    told = dict[tuple[Need, ...], frozenset[str]]()
    for action in ACTIONS:
        for clause in scope(actor, action):
            told[clause.needs] = told.get(clause.needs, frozenset()) | {action}
    return told


def _either(*parts: Filter) -> Filter:
    """One of them, without those that nothing can meet."""
    left = tuple(part for part in parts if part != NOTHING)
    return left[0] if len(left) == 1 else Either(left)


def _kinds(*kinds: str) -> Filter:
    return Among("kind", kinds) if kinds else NOTHING


def _of_case(actor: Actor, actions: frozenset[str]) -> Filter:
    """Which documents of a case somebody finds who may do these actions on it."""
    viewed, party = bool(actions & _VIEWED), actor.kind == "party"
    register = ("case", "party") if "list_cases" in actions else ()
    pages = ("page",) if "view_dossier" in actions else ()
    instruments = ("instrument",) if viewed and not party else ()
    whole, outer = (register + instruments, pages) if "view_internal" in actions else (register, pages + instruments)
    served = Among("served_ids", (actor.account_id,)) if viewed and party and actor.account_id else NOTHING
    return _either(
        _kinds(*whole),
        Every((_OPEN, _kinds(*outer))) if outer else NOTHING,
        Every((_OPEN, _INSTRUMENT, served)) if served != NOTHING else NOTHING,
    )


def reach(actor: Actor, below: Below) -> Filter:
    """Everything that an actor may find: the cases that access.scope gives for an action, and what of each.

    The register (cases, parties): who may list the case. Instruments: who may view it, as in documents' lists; of
    the 副卷 who may view that; a party those served on it. Pages: who may open the dossier. `below` gives the
    bodies under one.
    """
    held = dict[frozenset[str], list[Filter]]()
    for needs, actions in _clauses(actor).items():
        if (clause := _clause(needs, below)) != NOTHING:
            held.setdefault(actions, []).append(clause)
    parts = [Every((_either(*clauses), _of_case(actor, actions))) for actions, clauses in held.items()]
    if actor.kind != "party":  # the case is viewed by one rule and its 副卷 by another
        viewed = [one for actions, clauses in held.items() if actions & _VIEWED for one in clauses]
        alone = [one for actions, clauses in held.items() if not actions & _VIEWED for one in clauses
                 if "view_internal" in actions]  # fmt: skip
        parts += [Every((_INSTRUMENT, _either(*viewed), _either(*alone)))] if viewed and alone else []
    return _either(*parts)
