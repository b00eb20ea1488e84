"""Scope -> SQLAlchemy expression over case_card."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, Text, and_, false, func, or_, select, true
from sqlalchemy import cast as bind
from sqlalchemy.dialects.postgresql import ARRAY

from services.kit import schema
from services.kit.access.rules import Clause, Need, scope
from services.kit.identity import Actor

Expression = ColumnElement[bool]


def case_filter(
    actor: Actor, action: str, case_card_table: Table = schema.case_card, *,
    candidates: Expression | None = None, filers: Expression | None = None, reason: str = "",
) -> Expression:  # fmt: skip
    """Rows of case_card on which the actor may do the action: equal to the policy decision for each case.

    `candidates` is the calling room's own expression for "the actor is a candidate of an open task of this
    case" (workflow alone knows it), `filers` intake's for "the actor took it in"; without it those rules give nothing.
    """
    told = {"candidate": candidates, "filer": filers}
    facts = {name: expression for name, expression in told.items() if expression is not None}
    return or_(false(), *(_clause(c, case_card_table, facts) for c in scope(actor, action, reason)))


def _clause(clause: Clause, table: Table, facts: dict[str, Expression]) -> Expression:
    return and_(true(), *(_need(need, table, facts) for need in clause.needs))


def _has(column: Any, value: str) -> Expression:
    return cast(Expression, column.bool_op("@>")(bind([value], ARRAY(Text))))


def _under(column: Any, body_id: str) -> Expression:
    tree = schema.body_tree
    below = select(tree.c.body_id).where(_has(tree.c.ancestor_ids, body_id))
    return cast(Expression, column.in_(below))


_OPERATIONS: dict[str, Callable[[Any, Any], Expression]] = {
    "is": lambda column, value: column == value,
    "isnt": lambda column, value: column != value,
    "below": lambda column, value: column < value,
    "among": lambda column, value: column.in_(value),
    "has": _has,
    "empty": lambda column, value: func.cardinality(column) == 0,
    "under": _under,
}


def _need(need: Need, table: Table, facts: dict[str, Expression]) -> Expression:
    if need.op == "fact":
        return facts.get(need.field, false())
    return _OPERATIONS[need.op](table.c[need.field], need.value)
