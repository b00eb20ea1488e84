"""The performers' part of a play: what each room would answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.kit.errors import RuleRefusedError
from services.kit.numbers import format_case_number, format_document_number
from services.kit.procedure.conditions import ConditionError, resolve
from services.kit.procedure.model import Pack
from services.kit.procedure.play.clocks import Clocks
from services.kit.procedure.play.people import Circle
from services.kit.procedure.registry import by_house, effects

_EMPTY: dict[str, Any] = {"string": "", "boolean": True, "integer": 1, "list": [], "object": {}}
_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str, "date": str, "datetime": str, "integer": int, "boolean": bool, "list": list, "object": dict,
}  # fmt: skip


@dataclass
class Rooms:
    """Every room but workflow; `case` is the shared card."""

    pack: Pack
    code: str
    case: dict[str, Any]
    circle: Circle
    clocks: Clocks
    numbers: dict[str, str] = field(default_factory=dict)
    instruments: dict[str, dict[str, Any]] = field(default_factory=dict)

    def perform(self, effect: str, params: dict[str, Any], scope: Mapping[str, Any]) -> dict[str, Any]:
        """Results by the registry; what the law refuses is refused.

        Raises:
            ConditionError: a parameter of another type than the registry says.
        """
        kind, today = effects()[effect], scope["act"]["occurred_on"]
        for name, value in params.items():
            wanted = kind.params.get(name) or kind.params[f"{name}?"]
            if wanted in _TYPES and not isinstance(value, _TYPES[wanted]):
                raise ConditionError(f"效果 {effect} 的参数 {name} 应为 {wanted}，却是 {value}")
        results = {k: today if t == "date" else _EMPTY.get(t, "") for k, t in kind.results.items() if k[-1] != "?"}
        if kind.owner == "supervision":
            return results | self.clocks.perform(effect, params)
        does = getattr(self, f"_{effect}", None)
        return results | (does(params, scope) if does else {})

    def _docket(self, params: dict[str, Any], scope: Mapping[str, Any]) -> dict[str, Any]:
        self.case |= {"state": "docketed", "docketed_on": scope["act"]["occurred_on"]}
        return self._numbered("docket", scope)

    def _refuse_docketing(self, params: dict[str, Any], scope: Mapping[str, Any]) -> dict[str, Any]:
        self.case["state"] = "not_docketed"
        return self._numbered("refuse_docketing", scope) if params.get("numbered") else {}

    def _numbered(self, effect: str, scope: Mapping[str, Any]) -> dict[str, Any]:
        year, rule = int(scope["act"]["occurred_on"][:4]), self.pack.docketing_number
        if rule:
            kind = rule.kind_code
            number = format_document_number(rule.pattern, year=year, serial=1, body_code=self.code, kind_code=kind)
        else:
            number = format_case_number(year, self.code, self.pack.case_type_code, 1)
        self.case["case_number"] = self.numbers[effect] = number
        return {"case_number": number}

    def _assign_case(self, params: dict[str, Any], scope: Mapping[str, Any]) -> dict[str, Any]:
        self.case["officer_ids"] = self.circle.officers = list(params["officers"])
        return {"officer_ids": self.circle.officers}

    def _issue_instrument(self, params: dict[str, Any], scope: Mapping[str, Any]) -> dict[str, Any]:
        made = next(i for i in self.pack.instruments if i.id == params["instrument"])
        fields = resolve(made.fields, {**scope, "form": {}, "approvals": {}}) | params.get("fields", {})
        needed = self.pack.documents.get(made.id, {}).get("required_fields", [])
        if lacking := [n for n in needed if fields.get(n) in (None, "", [], {}) and not by_house(n)]:
            raise RuleRefusedError(f"《{made.title}》缺少必备内容：{'、'.join(lacking)}")
        self.instruments[made.id] = fields
        return {"instrument_id": made.id, "sha256": ""}

    def _close_case(self, params: dict[str, Any], scope: Mapping[str, Any]) -> dict[str, Any]:
        self.case |= {"state": "closed", "closed_on": params["closed_on"], "disposition": params["disposition"]}
        return {"closed_on": params["closed_on"]}
