"""What this room knows of a case: the register's card, its filing, and what completed nodes left behind."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any


@dataclass(frozen=True)
class Body:
    """A court or bureau. `kind`: court or bureau; `code`: 法院代字 or 机关代字; `departments`: id -> kind."""

    body_id: str
    name: str
    kind: str
    code: str
    parent_id: str = ""
    departments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Party:
    """A party with every account that acts for it, its own and its representatives', and what the filing says of it."""

    party_id: str
    name: str
    role: str
    account_ids: tuple[str, ...] = ()
    filed: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """`card` has the columns of the case card, `filing`, `forms` (by node), `results` and `actors` what events told."""

    case_id: str
    body: Body
    pack: tuple[str, str]
    card: Mapping[str, Any]
    filing: Mapping[str, Any] = field(default_factory=dict)
    forms: Mapping[str, Any] = field(default_factory=dict)
    results: Mapping[str, Any] = field(default_factory=dict)
    actors: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def officers(self) -> tuple[str, ...]:
        """Case officers, the responsible one first."""
        return tuple(self.card["officer_ids"])

    @property
    def panel(self) -> tuple[str, ...]:
        """The panel, the presiding judge first; empty for a sole judge."""
        return tuple(self.card["panel_ids"])

    @property
    def case_number(self) -> str:
        """The official number as soon as either the register or the procedure has told it."""
        told = (r.get("case_number", "") for r in self.results.values() if isinstance(r, Mapping))
        return str(self.card["case_number"] or next(filter(None, told), ""))

    @property
    def parties(self) -> tuple[Party, ...]:
        """As the register's card names them, with what the filing says of them."""
        filed = {p.get("party_id"): p for p in self.filing.get("parties", ())}
        opened = self.card["party_account_ids"]  # the register names there whom it has confirmed
        return tuple(_party(p, filed.get(p["party_id"], {}), opened) for p in self.card["parties"])

    def scope(self, occurred_on: date, node_id: str) -> dict[str, Any]:
        """What the pack's expressions may ask; `form` and `approvals` are the node's own and not known here."""
        known = {k: v for k, v in self.filing.items() if k not in ("state", "version")}
        days = {k: v.isoformat() if isinstance(v, date) else v for k, v in self.card.items()}
        card = {k: "" if v is None else v for k, v in days.items() if k != "parties" or "parties" not in known}
        act = {"node_id": node_id, "occurred_on": occurred_on.isoformat(), "legal_on": occurred_on.isoformat()}
        return {"case": known | card | {"case_number": self.case_number}, "act": act}


def _party(told: Mapping[str, Any], filed: Mapping[str, Any], opened: Collection[str]) -> Party:
    accounts = [told.get("account_id", ""), *(r.get("account_id", "") for r in filed.get("representatives", ()))]
    return Party(
        party_id=told["party_id"], name=told["name"], role=told["role"],
        account_ids=tuple(sorted(set(accounts) & set(opened) - {""})), filed=filed,
    )  # fmt: skip
