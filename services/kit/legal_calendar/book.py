"""The limits of domain/deadlines.yaml and the general rules of counting in its `meta`, read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from services.kit.errors import NotFoundError
from services.kit.legal_calendar.model import Citation, Span, TimeLimit
from services.kit.settings import domain_dir

COUNTS_ANEW = {"restart": "重新计算", "interrupt": "中断后重新计算", "defer": "延后起算"}


@dataclass(frozen=True)
class Ground:
    """A ground of exclusion; `effect` exclude and suspend take days out, the others start the count anew."""

    name: str
    effect: str
    law: Citation
    cap: Span | None


@dataclass(frozen=True)
class LimitBook:
    """Limits by id, and the articles that say how any period is counted."""

    limits: Mapping[str, TimeLimit]
    grounds: Mapping[str, Ground]
    start_rules: Mapping[str, tuple[Mapping[str, Any], Citation]]
    end_day_rules: Mapping[str, tuple[str, Citation | None]]
    month_rules: Mapping[str, Citation]

    def limit(self, limit_id: str) -> TimeLimit:
        """The rule of that id.

        Raises:
            NotFoundError: unknown; the message offers ids that look alike or whose Chinese name fits.
        """
        if limit_id in self.limits:
            return self.limits[limit_id]
        close = get_close_matches(limit_id, self.limits, 5, 0.5)
        named = [t.id for t in self.limits.values() if limit_id and (limit_id in t.name or limit_id in t.id)]
        offers = list(dict.fromkeys(named[:5] + close))
        hint = "相近的有：" + "、".join(f"{i}（{self.limits[i].name}）" for i in offers) if offers else "请核对编号"
        raise NotFoundError(f"没有编号为“{limit_id}”的期限。{hint}。", suggestions=offers)

    def regime(self, limit: TimeLimit) -> str:
        """Which general part of procedure law a limit obeys: samr, crim, admlit, civil or general."""
        return next(key for key, (match, _) in self.start_rules.items() if _obeys(limit, match))

    def start_law(self, limit: TimeLimit) -> Citation:
        return self.start_rules[self.regime(limit)][1]

    def end_law(self, limit: TimeLimit) -> Citation | None:
        """The article of the limit's end-day rule; None where no statute speaks."""
        fits = {k: law for k, (code, law) in self.end_day_rules.items() if code == limit.end_day_rule}
        return fits.get(self.regime(limit), next(iter(fits.values())))

    def ground(self, reason: str, limit: TimeLimit) -> Ground | None:
        """The ground that a reason names: its own name, or one of the limit's within the reason."""
        for name in (*limit.exclusions, *self.grounds):
            if _core(name) == _core(reason):
                return self.grounds[name]
        listed = (self.grounds[name] for name in limit.exclusions if _core(name) in reason)
        return next((g for g in listed if g.effect not in COUNTS_ANEW), None)


def _core(name: str) -> str:
    return name.split("（")[0].removesuffix("期间").removesuffix("时间")


def _obeys(limit: TimeLimit, match: Mapping[str, Any]) -> bool:
    if not match:
        return True
    return (
        match.get("law") == limit.law.title
        or (match.get("field") == "custody" and limit.custody is not None)
        or match.get("end_day_rule") == limit.end_day_rule
        or limit.id.startswith(tuple(match.get("id_prefix", ("\0",))))
    )


def _grounds(meta: Mapping[str, Any]) -> dict[str, Ground]:
    return {
        g["name"]: Ground(g["name"], g["effect"], Citation.from_data(g), Span(**g["cap"]) if g.get("cap") else None)
        for g in meta["exclusion_grounds"]
    }


@cache
def _load(path: Path) -> LimitBook:
    data = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    meta = data["meta"]
    return LimitBook(
        limits={d["id"]: TimeLimit.from_data(d) for d in data["deadlines"]},
        grounds=_grounds(meta),
        start_rules={k: (r.get("match") or {}, Citation.from_data(r)) for k, r in meta["start_rules"].items()},
        end_day_rules={
            k: (r["code"], Citation.from_data(r) if r["law"] else None) for k, r in meta["end_day_rules"].items()
        },
        month_rules={k: Citation.from_data(r) for k, r in meta["month_rules"].items()},
    )


def limit_book() -> LimitBook:
    """The book of the domain folder, read once."""
    return _load(domain_dir() / "deadlines.yaml")


def time_limit(limit_id: str) -> TimeLimit:
    """The rule of that id; NotFoundError with suggestions otherwise."""
    return limit_book().limit(limit_id)
