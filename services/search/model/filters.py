"""Conditions on a document's terms, apart from any engine; and a person's scope as such a condition."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

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


def cases(actor: Actor, below: Below, *actions: str) -> Filter:
    """Documents of the cases on which the actor may do one of the actions: what access.case_filter says in SQL."""
    clauses = dict.fromkeys(clause.needs for action in actions for clause in scope(actor, action))
    return Either(tuple(Every(tuple(_need(need, below) for need in needs)) for needs in clauses))


def reach(actor: Actor, below: Below) -> Filter:
    """Everything that an actor may find.

    The register (cases, parties): who may list the case. Instruments: who may view it, as in documents' lists; of
    the 副卷 who may view that; a party those served on it. Pages: who may open the dossier. `below` gives the
    bodies under one.
    """
    open_ones = Among("internal", (NO,))
    instruments: Filter = cases(actor, below, "view_case", "view_dossier")
    if actor.kind == "party":
        served = Among("served_ids", (actor.account_id,)) if actor.account_id else NOTHING
        instruments = Every((instruments, open_ones, served))
    else:
        instruments = Every((instruments, Either((open_ones, cases(actor, below, "view_internal")))))
    pages = Every((cases(actor, below, "view_dossier"), open_ones))
    return Either((
        Every((Among("kind", ("case", "party")), cases(actor, below, "list_cases"))),
        Every((Among("kind", ("instrument",)), instruments)),
        Every((Among("kind", ("page",)), pages)),
    ))  # fmt: skip
