"""What a clock has to tell when its day has come. Pure; usecases/telling.py writes it down for thousands at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from services.kit.legal_calendar.model import UNIT_WORDS
from services.kit.settings import domain_dir

LEVELS: Mapping[str, str] = {"yellow": "黄牌", "red": "红牌"}
Acts = list[dict[str, Any]]  # of a plan, in plain form (plan.Act)


@dataclass(frozen=True)
class Telling:
    """One clock on its day: what to tell, whether its limit has now run out, what is left for later."""

    left: Acts
    told: Acts
    soon: Acts
    cards: Acts
    expired: bool


def tell(plan: Acts, day: str, moment: datetime) -> Telling:
    """What is due on a day (ISO). Of several reminders the nearest counts; once expired nothing is due soon."""
    told: Acts = []
    left: Acts = []
    for act in plan:
        due = act["on"] <= day if act["at"] is None else datetime.fromisoformat(act["at"]) <= moment
        (told if due else left).append(act)
    expired = any(act["kind"] == "expire" for act in told)
    soon = [] if expired else sorted((a for a in told if a["kind"] == "soon"), key=lambda a: int(a["remaining"]))[:1]
    cards = [act for act in told if act["kind"] == "card" and not (expired and act["remaining"])]
    return Telling(left, told, soon, cards, expired)


def sentence(clock: Any, act: Mapping[str, Any], rule: str) -> str:
    """What a card says; `clock` is a row of `clocks` with the name of its case, `rule` a name."""
    unit = "日" if clock.unit in ("month", "year") else UNIT_WORDS[clock.unit]
    fact = f"剩余{act['remaining']}{unit}" if act["remaining"] else "已经届满"
    of_case = f"{clock.case_name}，" if clock.case_name else ""
    law = f"《{clock.law}》{clock.article}"
    return f"{LEVELS[act['level']]}（{rule}）：{of_case}{clock.name}{fact}，届满日{clock.due_on}（{law}）。"


@cache
def _rule_names(path: Path) -> Mapping[str, str]:
    text = path.read_text(encoding="utf-8")
    rules: Sequence[Mapping[str, str]] = yaml.load(text, Loader=yaml.CSafeLoader)["e_supervision_rules"]
    return {rule["id"]: rule["name"] for rule in rules}


def rule_names() -> Mapping[str, str]:
    """Names of the monitoring rules of domain/indicators.yaml, by id."""
    return _rule_names(domain_dir() / "indicators.yaml")


def next_act(left: Acts) -> tuple[date | None, datetime | None]:
    """Day and, when hours are waited for, moment of the first act that is left."""
    if not left:
        return None, None
    first = min(left, key=lambda act: (act["on"], act["at"] or ""))
    return date.fromisoformat(first["on"]), datetime.fromisoformat(first["at"]) if first["at"] else None
