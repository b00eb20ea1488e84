"""Who may do what (design rule 7): policies.cedar decides one object, rules.py says the same for lists."""

from services.kit.access.decide import LABELS as ACTIONS
from services.kit.access.decide import allowed, current, require
from services.kit.access.filter import case_filter
from services.kit.access.rules import Clause, Need, scope

__all__ = ["ACTIONS", "Clause", "Need", "allowed", "case_filter", "current", "require", "scope"]
