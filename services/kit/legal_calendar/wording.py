"""The sentences of an explanation; every one that applies a rule names its article."""

from __future__ import annotations

from datetime import date, datetime

from services.kit.legal_calendar.book import Ground, LimitBook
from services.kit.legal_calendar.calendar import WorkingCalendar
from services.kit.legal_calendar.model import UNIT_WORDS, Exclusion, ExtensionRule, Span, TimeLimit

MODES = {
    "add": "在未顺延的届满日后加",
    "to-total": "自起算点合计延长至",
    "repeat": "重新计算一个完整期间",
    "renew": "届满前续行",
}


def opening(limit: TimeLimit, book: LimitBook, start: date, first: date) -> list[str]:
    """What starts the count, and that its own day does not count."""
    law = book.start_law(limit)
    lines = [f"起算：{limit.start_event}为{start}，当日不计入，自{first}起算（{law}）。"]
    if limit.later_of:
        other = f"；或者{limit.or_event}" if limit.or_event else ""
        names = "、".join(f"{book.limits[i].name}（{i}）" if i in book.limits else i for i in limit.later_of)
        lines.append(f"本期限自下列已发生的期限全部届满时起算，取最后届满者：{names}{other}（{limit.law}）。")
    return lines


def stretch(limit: TimeLimit, book: LimitBook, span: Span, end: date, excluded: int) -> str:
    """The limit itself, before extensions and rest days."""
    how = "按日历日连续计算"
    if span.unit in ("month", "year"):
        how = f"至到期月的对应日，没有对应日的至月末日（{book.month_rules[limit.month_rule or 'civil']}）"
        if limit.month_rule == "criminal":
            how = f"自某日至到期月同日，月末日起算的至月末日，没有同日的至月末日（{book.month_rules['criminal']}）"
    elif span.unit == "working-day":
        law = book.end_law(limit) if limit.end_day_rule.startswith(("working", "by-")) else limit.law
        how = f"只数工作日（{law or limit.law}）"
    return f"期限：{span}（{limit.law}），{how}，{_out(excluded, span)}末日为{end}。"


def _out(excluded: int, span: Span) -> str:
    unit = UNIT_WORDS["working-day" if span.unit == "working-day" else "calendar-day"]
    return f"扣除期间内的{excluded}{unit}不计，" if excluded else ""


def extension(nth: int, rule: ExtensionRule, span: Span, end: date, excluded: int) -> str:
    plus = f"另加{rule.plus_days}日" if rule.plus_days else ""
    by = f"；{rule.when}" if rule.when else ""
    tail = "；实际以再次起算之日为准，应另起一个时钟" if rule.mode == "repeat" else ""
    how = f"{MODES[rule.mode]}{span}{plus}（{rule.law}{by}）"
    return f"第{nth}次延长：{rule.approver}，{how}，{_out(excluded, span)}末日为{end}{tail}。"


def exclusion(given: Exclusion, ground: Ground | None, limit: TimeLimit, counted: int, unit: str) -> str:
    span = f"{given.from_on}至{given.until_on}，首尾两日均计" if given.until_on else f"{given.from_on}起，尚未结束"
    if ground is None:
        unnamed = f"{limit.law}的法定扣除事由中没有这一名称，须由机关确认依据"
        basis = f"{given.reason or '未写明事由'}；{unnamed}"
    else:
        listed = "" if ground.name in limit.exclusions else "；未列入本期限的扣除事由，须由机关确认"
        capped = f"；至多扣除{ground.cap}" if ground.cap else ""
        basis = f"{ground.name}，{ground.law}{capped}{listed}"
    effect = f"期间内{counted}{unit}不计入" if given.until_on else "自该日起停止计算"
    effect = effect if counted else "期间内没有可以扣除的日子，不影响届满日"
    return f"扣除：{span}，重叠的只计一次（{basis}），{effect}。"


def rolling(limit: TimeLimit, book: LimitBook, calendar: WorkingCalendar, end: date, due: date, held: bool) -> str:
    """What happens to the last day, and by which article."""
    day, law = calendar.describe(end), book.end_law(limit)
    if held:
        return f"末日{end}（{day}）：在押，至期满之日为止，不因节假日延长（{law}）。"
    if limit.end_day_rule == "no-roll-measure":
        lapse = "措施的存续期间届满即失效，不因节假日延长"
        return f"末日{end}（{day}）：{lapse}（{limit.law}；法律没有明文，取稳妥读法）。"
    partly = limit.unit != "working-day" and limit.end_day_rule.startswith("working-days-")
    if law is None or partly:
        silent = f"{limit.law}所在的法律没有规定末日遇休息日顺延，不顺延"
        return f"末日{end}（{day}）：{silent}；是否适用《中华人民共和国民法典》第二百零三条由机关确认。"
    if due == end:
        return f"末日{end}（{day}），无须顺延（{law}）。"
    where = f"顺延至其后第一个工作日{due}"
    if (first := calendar.next_working_day(end)) != due:
        where = f"其后第一个工作日{first}在扣除期间内，期间尚未届满，顺延至扣除期间之外的第一个工作日{due}"
    return f"末日{end}（{day}），{where}（{law}）。"


def custody(limit: TimeLimit) -> str:
    """Why custody changes nothing here."""
    if limit.end_day_rule != "roll-to-next-business-day-except-custody":
        return f"在押：本期限的末日规则与是否在押无关（{limit.law}）。"
    return f"在押：本期限不限定羁押时间，末日仍依《中华人民共和国刑事诉讼法》第一百零五条顺延（{limit.law}）。"


def backward(limit: TimeLimit, calendar: WorkingCalendar, event: date, counted: date, due: date) -> list[str]:
    unit, amount = UNIT_WORDS[limit.unit], limit.amount
    back = f"自前一日起倒数第{amount}{unit}为{counted}"
    steps = [f"倒数：{limit.start_event}为{event}，当日不算，{back}（{limit.law}）。"]
    if limit.anchor_limits:
        steps.append(f"所锚定的届满日属于正在进行的下列期限之一：{'、'.join(limit.anchor_limits)}（{limit.law}）。")
    day = calendar.describe(counted)
    if due != counted:
        earlier = f"提前到前一个工作日{due}，绝不向后顺延"
        return [*steps, f"{counted}（{day}）：{earlier}（{limit.law}；法律未定，取稳妥读法）。"]
    return [*steps, f"最后可为之日{due}（{day}），不向后顺延（{limit.law}）。"]


def hours(limit: TimeLimit, book: LimitBook, start: datetime, first: datetime, due: datetime) -> list[str]:
    def at(moment: datetime) -> str:
        return moment.isoformat(" ", "minutes")[:16]

    law = book.start_law(limit)
    civil = book.start_rules["civil"][1]
    by = law if law.article != "第二百零一条" else f"{limit.law}未定起算的时，参照{civil}"
    return [
        f"起算：{limit.start_event}为{at(start)}，开始的时不计入，从次时{at(first)}起算（{by}）。",
        f"期限：{limit.amount}小时（{limit.law}），至{at(due)}届满。",
        f"以小时计的期间届至该时即届满，不因节假日顺延（{book.end_law(limit)}的顺延只及于“最后一日”）。",
    ]


def closing(limit: TimeLimit, calendar: WorkingCalendar, unpublished: bool, provisional: bool) -> list[str]:
    """Doubts that belong to the answer: the calendar's edge, and what the data itself marks."""
    lines = []
    if provisional:
        why = "其放假调休没有公布数据，按周六、周日休息推算" if unpublished else "末日不依工作日历，收录后日期不变"
        lines.append(f"暂定：有日期不在已收录的放假安排（{calendar.span}）之内，{why}，收录后须重算（{limit.law}）。")
    if limit.verification == "recalled-unverified":
        lines.append(f"待核：本期限没有原文可核，不得作为法定期限展示（{limit.law}）。")
    if limit.superseded_by:
        lines.append(f"本期限已被 {limit.superseded_by} 取代，只供老案回算（{limit.law}）。")
    return lines + [f"说明：{note}（{limit.law}）。" for note in limit.notes]
