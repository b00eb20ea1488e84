"""Which cases an actor may list or open, as data: rendered to SQL here, to an index query by search.

It says what policies.cedar says, rule by rule under the same names; test_access_scope.py proves it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from services.kit.identity import Actor

REASONS = frozenset({"appeal", "supervision", "transfer"})


@dataclass(frozen=True)
class Need:
    """One condition on a case card.

    `op`: is (field equals value), isnt, below (less than), among (one of value), has (array holds value),
    empty (array holds nothing), under (body lies strictly below body `value`), fact (told by the
    calling room; `field` is its name).
    """

    field: str
    op: str
    value: Any = None


@dataclass(frozen=True)
class Clause:
    """All needs must hold; a case is in scope when any clause does."""

    rule: str
    needs: tuple[Need, ...]


@dataclass(frozen=True)
class Rule:
    """For whom (kind, one of `roles` unless empty), which actions, and the needs it puts on a case."""

    name: str
    kind: str
    actions: frozenset[str]
    needs: Callable[[Actor], tuple[Need, ...]]
    roles: frozenset[str] = frozenset()
    with_reason: bool = False

    def applies(self, actor: Actor, action: str, reason: str) -> bool:
        """Whether the rule can give this actor anything at all."""
        return (
            actor.kind == self.kind and action in self.actions
            and (not self.roles or actor.has(*self.roles))
            and (not self.with_reason or reason in REASONS)
        )  # fmt: skip


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_UNSEALED = (Need("sealed", "is", False),)
_OPEN = (*_UNSEALED, Need("secrecy_level", "below", 2))
_ORDINARY = (*_OPEN, Need("involves_minor", "is", False))
_VIEW = "list_cases view_case"
_READ = f"{_VIEW} view_dossier"
_WORK = f"{_READ} work_case"
_HEADS = "court_president vice_president body_leader"
_WITH_PARTY = ("accepted", "docketed", "closed")
_ENDED = ("declined", "not_docketed")
_POOL = ("received", "accepted", "docketed")


def _own(*needs: Need, place: str = "is") -> Callable[[Actor], tuple[Need, ...]]:
    return lambda actor: (Need("body_id", place, actor.body_id), *needs)


def _below(*needs: Need) -> Callable[[Actor], tuple[Need, ...]]:
    return _own(*needs, place="under")


def _mine(field: str) -> Callable[[Actor], tuple[Need, ...]]:
    return lambda actor: (Need("body_id", "is", actor.body_id), Need(field, "has", actor.person_id))


def _department(*needs: Need, unset: bool = False) -> Callable[[Actor], tuple[Need, ...]]:
    def build(actor: Actor) -> tuple[Need, ...]:
        mine = tuple(sorted(actor.department_ids | ({""} if unset else set())))
        return (Need("body_id", "is", actor.body_id), Need("department_id", "among", mine), *needs)

    return build


def _party(*needs: Need) -> Callable[[Actor], tuple[Need, ...]]:
    accepted = Need("state", "among", _WITH_PARTY)
    return lambda actor: (Need("party_account_ids", "has", actor.account_id), accepted, *_OPEN, *needs)


def _own_filing(actor: Actor) -> tuple[Need, ...]:
    # a reporter is no party, whatever a room tells
    return (Need("reporter_account_id", "isnt", actor.account_id), *_OPEN, Need("filer", "fact", True))


def _reporter(actor: Actor) -> tuple[Need, ...]:
    return (Need("reporter_account_id", "is", actor.account_id), *_UNSEALED)


_CANDIDATE = Need("candidate", "fact", True)
_UNASSIGNED = (Need("officer_ids", "empty"), Need("panel_ids", "empty"), Need("state", "among", _POOL))

RULES: tuple[Rule, ...] = (
    Rule("participant", "staff", _set(f"{_WORK} view_internal upload"), _mine("officer_ids")),
    Rule("participant", "staff", _set(f"{_WORK} view_internal upload"), _mine("panel_ids")),
    Rule("head", "staff", _set(f"{_WORK} view_internal supervise seal_case"), _own(),
         _set("court_president body_leader")),
    Rule("vice_head", "staff", _set(f"{_WORK} view_internal supervise"), _own(*_UNSEALED), _set("vice_president")),
    Rule("department_head", "staff", _set(f"{_WORK} view_internal supervise"), _department(*_OPEN),
         _set("division_head")),
    Rule("registry", "staff", _set(f"{_WORK} upload"), _own(*_OPEN), _set("docketing_clerk registrar archivist")),
    Rule("archivist_internal", "staff", _set("view_internal"), _own(*_OPEN, Need("state", "is", "closed")),
         _set("archivist")),
    Rule("reviewer", "staff", _set(_WORK), _own(*_ORDINARY),
         _set("legal_reviewer case_reviewer review_head hearing_host")),
    Rule("department_staff", "staff", _set(f"{_WORK} upload"), _department(*_ORDINARY),
         _set("court_clerk judges_assistant")),
    Rule("pool", "staff", _set(_WORK), _department(*_ORDINARY, *_UNASSIGNED, unset=True),
         _set("case_officer judge presiding_judge judges_assistant court_clerk division_head")),
    Rule("filed", "staff", _set(_VIEW), _own(*_OPEN, Need("state", "among", _ENDED), Need("filer", "fact", True))),
    Rule("scanner", "staff", _set("list_cases upload"), _own(*_ORDINARY), _set("scanner")),
    Rule("own_supervisor", "staff", _set(f"{_VIEW} supervise"), _own(*_ORDINARY), _set("supervisor")),
    Rule("upper_supervisor", "staff", _set(f"{_VIEW} supervise"), _below(*_ORDINARY), _set("supervisor")),
    Rule("upper_head", "staff", _set(f"{_VIEW} supervise"), _below(*_OPEN), _set(_HEADS)),
    Rule("upper_supervisor_dossier", "staff", _set("view_dossier"), _below(*_ORDINARY), _set("supervisor"), True),
    Rule("upper_head_dossier", "staff", _set("view_dossier view_internal"), _below(*_OPEN), _set(_HEADS), True),
    Rule("candidate", "staff", _set(_WORK), _own(_CANDIDATE)),
    Rule("upper_candidate", "staff", _set(f"{_VIEW} work_case"), _below(_CANDIDATE)),
    Rule("party", "party", _set(_VIEW), _party()),
    Rule("party_candidate", "party", _set("work_case"), _party(_CANDIDATE)),
    Rule("own_filing", "party", _set(_VIEW), _own_filing),
    Rule("reporter", "party", _set("view_own_report"), _reporter),
    Rule("station_case", "station", _set("upload"), _own()),
)  # fmt: skip


def scope(actor: Actor, action: str, reason: str = "") -> tuple[Clause, ...]:
    """The cases on which the actor may do `action`, as a disjunction of clauses; none means no case."""
    if actor.kind == "system":
        return (Clause("system", ()),) if actor.rule else ()
    if not (actor.account_id if actor.kind == "party" else actor.body_id):
        return ()
    return tuple(Clause(r.name, r.needs(actor)) for r in RULES if r.applies(actor, action, reason))
