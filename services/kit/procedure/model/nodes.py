"""What BPMN elements mean: who acts, what is asked, what follows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Article:
    """One article of an enactment."""

    law: str
    article: str
    version: str = ""


@dataclass(frozen=True)
class ActorRule:
    """Who may act: a role, a relation to the case, or whoever acted in another node."""

    role: str = ""
    relation: str = ""
    actor_of: str = ""
    in_: Literal["body", "department", "superior_body"] = "body"
    department_kind: str = ""
    not_relation: tuple[str, ...] = ()
    not_actor_of: tuple[str, ...] = ()
    qualification: str = ""
    min_people: int = 1


@dataclass(frozen=True)
class Level:
    """One approver; skipped when `when` (CEL) is false."""

    id: str
    actor: tuple[ActorRule, ...]
    title: str = ""
    when: str = ""


@dataclass(frozen=True)
class ApprovalRule:
    """none | single | sequence; `recall` allows the proposer (or the last approver) to take it back."""

    mode: Literal["none", "single", "sequence"] = "none"
    levels: tuple[Level, ...] = ()
    recall: Literal["before_next", "never"] = "before_next"


@dataclass(frozen=True)
class RefusalRule:
    """A legal bar beyond the form: the act is refused when `when` (CEL) is true."""

    id: str
    when: str
    message: str
    articles: tuple[Article, ...]


@dataclass(frozen=True)
class EffectRule:
    """One effect of completing a node; requested when `when` holds and those in `after` are done."""

    id: str
    effect: str
    after: tuple[str, ...] = ()
    when: str = ""
    with_: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class WaitRule:
    """Which fact moves the token; `from_ = case` lets facts before the opening count, each once."""

    event: str
    match: str = ""
    quorum: Literal["any", "all"] = "any"
    of: str = ""
    key: str = ""
    from_: Literal["opened", "case"] = "opened"


@dataclass(frozen=True)
class RequestRule:
    """Who may start an event subprocess at any time, and while which nodes are open."""

    actor: tuple[ActorRule, ...]
    while_open: tuple[str, ...] = ()
    when: str = ""
    at_once: int = 1


@dataclass(frozen=True)
class NodeRule:
    """What a BPMN element means here."""

    title: str
    stage: str
    articles: tuple[Article, ...]
    actor: tuple[ActorRule, ...] = ()
    form: str = ""
    kind: str = "form"
    internal: bool = False
    approval: ApprovalRule = field(default_factory=ApprovalRule)
    refuses: tuple[RefusalRule, ...] = ()
    effects: tuple[EffectRule, ...] = ()
    awaits: tuple[str, ...] | None = None  # None: all effects
    send_back_to: tuple[str, ...] = ()
    waits_for: WaitRule | None = None
    request: RequestRule | None = None

    def awaited(self) -> tuple[str, ...]:
        """Ids of the effects that must be done before the token moves."""
        return tuple(e.id for e in self.effects) if self.awaits is None else self.awaits


@dataclass(frozen=True)
class EndRule:
    """An end event; the last principal one reached is the outcome."""

    title: str
    principal: bool = True
