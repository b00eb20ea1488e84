"""Extensions: which entry of the rule the n-th one takes, and how far the law lets it go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from services.kit.errors import InvalidInputError, RuleRefusedError
from services.kit.legal_calendar.days import Days
from services.kit.legal_calendar.model import UNIT_WORDS, Extension, ExtensionRule, Span, TimeLimit
from services.kit.legal_calendar.months import Mark, mark

MOST = 3650


def checked_amount(amount: int) -> int:
    """Refuse amounts that no instrument grants."""
    if not 1 <= amount <= MOST:
        raise InvalidInputError(f"期限的数量须为1至{MOST}之间的整数，收到{amount}。")
    return amount


def assigned(limit: TimeLimit, extensions: Sequence[Extension]) -> Iterator[tuple[ExtensionRule, Extension]]:
    """Each granted extension with its entry of the rule; entries are used in order, each `times` times.

    Raises:
        RuleRefusedError: more than the law allows (context `allowed`: how many it does, None without bound).
    """
    used: Counter[int] = Counter()
    rules = limit.extensions
    allowed = None if any(r.times is None for r in rules) else sum(r.times or 0 for r in rules)

    def spent(entry: int) -> bool:
        times = rules[entry].times
        return times is not None and used[entry] >= times

    for given in extensions:
        entry = given.entry - 1 if given.entry else next((i for i in range(len(rules)) if not spent(i)), len(rules))
        if not 0 <= entry < len(rules) or spent(entry):
            law = rules[-1].law if rules else limit.law
            said = f"至多延长{allowed}次" if rules else "没有规定本期限可以延长"
            raise RuleRefusedError(f"“{limit.name}”依{law}{said}，不能再延长。", allowed=allowed)
        used[entry] += 1
        yield rules[entry], given


def granted(rule: ExtensionRule, given: Extension) -> int:
    """The amount of one extension, within what its article allows.

    Raises:
        InvalidInputError: another unit than the law's, or no amount where the law leaves it to the instrument.
        RuleRefusedError: more, or less, than the article allows.
    """
    words = UNIT_WORDS[rule.unit]
    if given.unit not in (None, rule.unit):
        plus = f"，另加的{rule.plus_days}日自动计入" if rule.plus_days else ""
        raise InvalidInputError(f"{rule.law}的延长以“{words}”计（{rule.unit}）{plus}，不能以 {given.unit} 计。")
    if given.amount is None and rule.amount is None:
        raise InvalidInputError(f"{rule.law}未定延长多久，请写明批准文书载明的数量（{words}）。")
    amount = checked_amount((rule.amount or 0) if given.amount is None else given.amount)
    if rule.amount is not None and amount > rule.amount:
        most = "合计至多" if rule.mode == "to-total" else "每次至多"
        raise RuleRefusedError(f"依{rule.law}，延长{most}{rule.amount}{words}，不能延长{amount}{words}。")
    if amount < (rule.amount_min or 0) or (rule.mode == "repeat" and amount != rule.amount):
        raise RuleRefusedError(f"依{rule.law}，至少为{rule.amount_min or rule.amount}{words}，不能是{amount}{words}。")
    return amount


def lengthen(days: Days, limit: TimeLimit, start: Mark, end: Mark, rule: ExtensionRule, amount: int) -> Mark:
    """The new unrolled end after one extension."""
    span = Span(amount, rule.unit)
    if rule.mode == "repeat":
        return days.advance(mark(end.on, limit.month_rule), span)
    if rule.mode != "to-total":
        return days.advance(end, span)
    total = days.advance(start, span)
    if rule.plus_days:
        total = days.advance(total, Span(rule.plus_days, "calendar-day"))
    if total.on <= end.on:
        raise InvalidInputError(f"依{rule.law}，延长后的期限自起算点合计{span}，没有超过现有期限，不成其为延长。")
    return total
