"""Who may act in a play: the pack's actor rules over the example's people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.kit.errors import NotAllowedError, RuleRefusedError
from services.kit.procedure.model import ActorRule, NodeRule


@dataclass
class Circle:
    """The example's people and what they are to the case. `actors`: node -> people of its last visit."""

    people: Mapping[str, Mapping[str, Any]]
    lead: str = ""
    officers: list[str] = field(default_factory=list)
    panel: list[str] = field(default_factory=list)
    actors: dict[str, list[str]] = field(default_factory=dict)
    previous: list[str] = field(default_factory=list)

    def related(self, relation: str) -> list[str]:
        """People in a relation to the case."""
        if relation == "court_clerk":
            return [p for p, told in self.people.items() if relation in told.get("roles", [])]
        return {
            "case_officer": self.officers, "responsible_judge": self.officers[:1], "previous_actor": self.previous,
            "presiding_judge": self.panel[:1] or self.officers[:1], "panel_member": self.panel or self.officers,
        }.get(relation, [])  # fmt: skip

    def unfit(self, rule: ActorRule, who: str) -> str:
        """Why a person does not fit a rule; empty when fit."""
        told = self.people[who]
        superior = rule.in_ == "superior_body"
        checks = {
            "不担任要求的岗位": rule.role and rule.role not in told.get("roles", []),
            "与本案没有要求的关系": rule.relation not in ("", "party") and who not in self.related(rule.relation),
            f"不是“{rule.actor_of}”的经办人": rule.actor_of and who not in self.actors.get(rule.actor_of, []),
            "不属于该机关": (told.get("body", "own") == "superior") != superior,
            "不属于该部门": told.get("department") != rule.department_kind if rule.department_kind
            else rule.in_ == "department" and told.get("department") != self.lead,
            "是应当回避本环节的人": any(who in self.related(r) for r in rule.not_relation)
            or any(who in self.actors.get(n, []) for n in rule.not_actor_of),
            "没有有效的资格证件": rule.qualification and rule.qualification not in told.get("qualifications", []),
        }  # fmt: skip
        return next((why for why, wrong in checks.items() if wrong), "")


def require_fit(rules: Sequence[ActorRule], circle: Circle, people: Sequence[str], node: NodeRule) -> None:
    """Raises NotAllowedError or RuleRefusedError unless some rule lets these people act together."""
    whys = []
    for rule in rules:
        why = next((f"{circle.people[p]['name']}{w}" for p in people if (w := circle.unfit(rule, p))), "")
        if not why and len(set(people)) < rule.min_people:
            article = f"《{node.articles[0].law}》{node.articles[0].article}"
            raise RuleRefusedError(f"“{node.title}”应当由至少 {rule.min_people} 人共同办理（{article}）")
        if not why:
            return
        whys.append(why)
    raise NotAllowedError(f"不能办理“{node.title}”：{'；'.join(whys) or '没有规定谁来办'}")


def named(value: Any) -> Any:
    """`@zhang` in an example stands for that person's id; a play uses the short name itself."""
    if isinstance(value, dict | list):
        return {k: named(v) for k, v in value.items()} if isinstance(value, dict) else [named(v) for v in value]
    return value[1:] if isinstance(value, str) and value.startswith("@") else value
