"""The nouns of counting time. A limit is a rule of law as data; a reckoning is one answer with its reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, cast, get_args

Unit = Literal["working-day", "calendar-day", "month", "year", "hour"]
UNITS: tuple[Unit, ...] = get_args(Unit)
UNIT_WORDS: Mapping[str, str] = {
    "working-day": "个工作日", "calendar-day": "日", "month": "个月", "year": "年", "hour": "小时",
}  # fmt: skip


@dataclass(frozen=True)
class Citation:
    """A law and its article; `str()` is how a step names it."""

    title: str
    article: str | None = None
    version: str | None = None
    quote: str | None = None

    def __str__(self) -> str:
        return f"《{self.title.replace('《', '〈').replace('》', '〉')}》{self.article or '（条号未核）'}"

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Citation:
        """Read `{law: title | {title, version, article}, article?, quote?}`."""
        law = data["law"] if isinstance(data["law"], Mapping) else {"title": data["law"], **data}
        return cls(str(law["title"]), law.get("article"), law.get("version"), data.get("quote"))


@dataclass(frozen=True)
class Span:
    """An amount of a unit; never added by itself, months and years need the month rule."""

    amount: int
    unit: Unit

    def __str__(self) -> str:
        return f"{self.amount}{UNIT_WORDS[self.unit]}"


@dataclass(frozen=True)
class ExtensionRule:
    """One way in which the law lets a limit grow. `amount` None: the approving instrument says how much."""

    mode: Literal["add", "to-total", "repeat", "renew"]
    amount: int | None
    unit: Unit
    times: int | None
    approver: str
    approver_relation: str
    law: Citation
    when: str | None = None
    amount_min: int | None = None
    amount_from: str | None = None
    plus_days: int = 0
    total_cap: Span | None = None
    request_limit: str | None = None
    decide_limit: str | None = None
    note: str | None = None

    @classmethod
    def from_data(cls, data: Mapping[str, Any], law: Citation) -> ExtensionRule:
        """Read one entry of `extensions`; without a basis of its own it rests on the limit's article."""
        cap = data.get("total_cap")
        return cls(
            mode=data["mode"], amount=data["amount"], unit=data["unit"], times=data["times"],
            approver=data["approver"], approver_relation=data["approver_relation"],
            law=Citation.from_data(data["basis"]) if data.get("basis") else law,
            when=data.get("when"), amount_min=data.get("amount_min"), amount_from=data.get("amount_from"),
            plus_days=data.get("plus_days", 0), total_cap=Span(cap["amount"], cap["unit"]) if cap else None,
            request_limit=data.get("request_limit"), decide_limit=data.get("decide_limit"),
            note=data.get("note"),
        )  # fmt: skip


@dataclass(frozen=True)
class TimeLimit:
    """A statutory limit (domain/deadlines.yaml). `amount` None: a rule of exclusion, not a limit to count.

    `anchor_limits`: a backward limit counts back from the expiry of one of these. `later_of`: this limit
    starts when all of these have run out, or at `or_event`. `custody`: None outside criminal procedure.
    """

    id: str
    name: str
    procedure: str
    kind: str
    start_event: str
    amount: int | None
    unit: Unit
    end_day_rule: str
    month_rule: Literal["civil", "criminal"] | None
    custody: bool | None
    direction: Literal["after", "before"]
    law: Citation
    extensions: tuple[ExtensionRule, ...]
    exclusions: tuple[str, ...]
    on_expiry: str
    verification: str
    anchor_limits: tuple[str, ...] = ()
    later_of: tuple[str, ...] = ()
    or_event: str | None = None
    minimum: bool = False
    maximum: bool = False
    maximum_general: bool = False
    designated: bool = False
    superseded_by: str | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> TimeLimit:
        """Read one entry of `deadlines`, from the domain folder or frozen inside a pack."""
        law, starts = Citation.from_data(data), data.get("starts") or {}
        notes = (data.get(k) for k in ("unit_note", "amount_basis", "precondition", "note"))
        plain = ("id", "name", "procedure", "kind", "start_event", "amount", "unit", "end_day_rule", "on_expiry")
        flags = ("minimum", "maximum", "maximum_general", "designated")
        as_is: dict[str, Any] = {k: data[k] for k in plain} | {k: bool(data.get(k)) for k in flags}
        return cls(
            **as_is, month_rule=data.get("month_rule"), custody=data.get("custody"),
            direction=cast(Literal["after", "before"], data.get("direction", "after")), law=law,
            extensions=tuple(ExtensionRule.from_data(e, law) for e in data["extensions"]),
            exclusions=tuple(data["exclusions"]), verification=data["verification"],
            anchor_limits=tuple(data.get("anchor_limits", ())), later_of=tuple(starts.get("later_of", ())),
            or_event=starts.get("or_event"), superseded_by=data.get("superseded_by"),
            notes=tuple(str(n) for n in notes if n),
        )  # fmt: skip


@dataclass(frozen=True)
class Exclusion:
    """Days that do not count, both ends included. `until_on` None: still running, the clock stands still."""

    from_on: date
    until_on: date | None
    reason: str = ""


@dataclass(frozen=True)
class Extension:
    """A granted extension. Amount and unit None: as much as the rule gives.

    `entry` (from 1) picks an entry of the rule's list, where the law offers alternatives; None takes the next.
    """

    amount: int | None = None
    unit: Unit | None = None
    entry: int | None = None


@dataclass(frozen=True)
class Reckoning:
    """The answer. `due_on` None: suspended since `suspended_on`. `due_at` aware, for limits in hours only.

    `unrolled_on` is the last day before rest days move it; extensions and lead times build on it.
    """

    limit_id: str
    unit: Unit
    due_on: date | None
    due_at: datetime | None
    unrolled_on: date | None
    suspended_on: date | None
    provisional: bool
    law: str
    article: str | None
    steps: tuple[str, ...]
