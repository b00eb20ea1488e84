"""What the counting refuses, doubts and says; and that the data holds together."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import yaml

from services.kit.errors import InvalidInputError, NotFoundError, RuleRefusedError
from services.kit.legal_calendar import (
    Exclusion,
    Extension,
    TimeLimit,
    WorkingCalendar,
    is_working_day,
    limit_book,
    next_working_day,
    reckon,
    remaining,
    time_limit,
    working_calendar,
)
from services.kit.settings import domain_dir

BOOK = limit_book()
COUNTED = [t for t in BOOK.limits.values() if t.amount is not None]


def moment(limit: TimeLimit, day: date) -> date | datetime:
    return datetime.fromisoformat(f"{day}T09:30") if limit.unit == "hour" else day


@pytest.mark.parametrize("limit", COUNTED, ids=lambda t: t.id)
def test_every_rule_counts_and_names_its_article(limit: TimeLimit) -> None:
    answer = reckon(limit, moment(limit, date(2025, 9, 24)))
    assert answer.due_on is not None
    assert answer.law == limit.law.title
    assert all("《" in step for step in answer.steps), answer.steps
    assert any(limit.law.article is None or limit.law.article in step for step in answer.steps)
    if limit.direction == "before":
        assert answer.due_on < date(2025, 9, 24)
    assert answer.provisional is (answer.due_on.year > 2026)


@pytest.mark.parametrize("limit", [t for t in COUNTED if t.extensions], ids=lambda t: t.id)
def test_every_extension_counts_once_and_then_is_refused(limit: TimeLimit) -> None:
    start, due = date(2025, 3, 10), reckon(limit, date(2025, 3, 10)).unrolled_on
    given: list[Extension] = []
    for rule in limit.extensions:
        given += [Extension(rule.amount or 3, rule.unit)] * (rule.times or 2)
        later = reckon(limit, start, extensions=given).unrolled_on
        assert later is not None
        assert due is not None
        assert later > due
        due = later
    if all(rule.times for rule in limit.extensions):
        with pytest.raises(RuleRefusedError, match=r"第.+条.*不能再延长"):
            reckon(limit, start, extensions=[*given, Extension(1, limit.extensions[-1].unit)])


def test_the_book_is_whole() -> None:
    assert len(BOOK.limits) == 254
    assert [t.id for t in BOOK.limits.values() if t.amount is None] == ["appraisal-exclusion"]
    for limit in BOOK.limits.values():
        links = (*limit.anchor_limits, *limit.later_of, *filter(None, [limit.superseded_by]))
        links += tuple(filter(None, (link for e in limit.extensions for link in (e.request_limit, e.decide_limit))))
        assert set(links) <= set(BOOK.limits), limit.id
        assert set(limit.exclusions) <= set(BOOK.grounds), limit.id
        lengths = {limit.unit, *(e.unit for e in limit.extensions)}
        assert (limit.month_rule is not None) == bool(lengths & {"month", "year"}) or any(
            e.plus_days for e in limit.extensions
        ), limit.id


def test_working_day_units_agree_with_the_statutes_that_define_them() -> None:
    says: dict[str, Callable[[int], bool]] = {
        "working-days-for-2-3-5-7": lambda n: n in (2, 3, 5, 7),  # 行政处罚法第八十五条
        "working-days-up-to-10": lambda n: n <= 10,  # 行政强制法第六十九条
        "by-civil-procedure": lambda n: n in (3, 5, 7, 10),  # 行政复议法第八十八条
        "working-days": lambda n: True,  # 行政许可法第八十二条
    }
    for limit in COUNTED:
        if limit.end_day_rule in says and limit.unit in ("working-day", "calendar-day"):
            assert (limit.unit == "working-day") is says[limit.end_day_rule](limit.amount or 0), limit.id
        if limit.law.quote and "个工作日" in limit.law.quote and limit.unit == "calendar-day":
            pytest.fail(f"{limit.id}: the quote says working days")


def test_start_and_end_rules_cite_the_law_that_governs() -> None:
    cited = {i: str(BOOK.end_law(time_limit(i))) for i in ("civil-defence", "adm-appeal", "samr-close", "recon-apply")}
    assert "民事诉讼法》第八十五条" in cited["civil-defence"]
    assert "第四十八条" in cited["adm-appeal"]
    assert "市场监督管理行政处罚程序规定》第八十条" in cited["samr-close"]
    assert "行政复议法》第八十八条" in cited["recon-apply"]
    assert "第一百零五条" in str(BOOK.start_law(time_limit("flow-crim-ext-request")))
    assert "民法典》第二百零一条" in str(BOOK.start_law(time_limit("pen-serve")))


def test_calendar_agrees_with_the_published_count_of_working_days() -> None:
    calendar = working_calendar()
    years = yaml.safe_load((domain_dir() / "calendar.yaml").read_text(encoding="utf-8"))["years"]
    for year, data in years.items():
        assert calendar.working_days(date(year - 1, 12, 31), date(year, 12, 31)) == data["working_days"], year
    assert is_working_day(date(2025, 1, 26))
    assert not is_working_day(date(2025, 10, 8))
    assert next_working_day(date(2025, 9, 30)) == date(2025, 10, 9)


def test_law_that_is_silent_says_so_and_does_not_roll() -> None:
    for limit_id in ("comp-decision", "pen-fine-pay", "force-apply-court"):
        last = reckon(time_limit(limit_id), date(2025, 8, 2))
        assert last.due_on == last.unrolled_on
        assert any("没有规定末日遇休息日顺延" in s and "第二百零三条由机关确认" in s for s in last.steps)


@pytest.mark.parametrize(
    ("limit_id", "start", "due", "provisional"),
    [
        ("civil-defence", date(2026, 12, 16), date(2026, 12, 31), False),
        ("civil-defence", date(2026, 12, 25), date(2027, 1, 11), True),  # Saturday 9 January by plain weekends
        ("lic-decision", date(2026, 12, 25), date(2027, 1, 22), True),
        ("enf-freeze-deposit", date(2026, 5, 1), date(2027, 5, 1), True),
        ("civil-hearing-notice", date(2027, 1, 3), date(2026, 12, 31), False),
        ("pen-hearing-notice", date(2027, 1, 8), date(2026, 12, 30), True),  # six of the seven lie in 2027
        ("lic-decision", date(2003, 12, 25), date(2004, 1, 21), True),
        ("civil-defence", date(2003, 12, 20), date(2004, 1, 5), False),
        ("civil-defence", date(2003, 3, 3), date(2003, 3, 18), True),
    ],
)
def test_beyond_the_published_calendar_is_provisional(limit_id: str, start: date, due: date, provisional: bool) -> None:
    answer = reckon(time_limit(limit_id), start)
    assert (answer.due_on, answer.provisional) == (due, provisional)
    assert any(step.startswith("暂定") for step in answer.steps) is provisional


def test_a_calendar_that_knows_the_year_settles_it() -> None:
    calendar = working_calendar()
    wider = WorkingCalendar(calendar.years | {2027}, calendar.off | {date(2027, 1, 11)}, calendar.on)
    answer = reckon(time_limit("civil-defence"), date(2026, 12, 25), calendar=wider)
    assert (answer.due_on, answer.provisional) == (date(2027, 1, 12), False)


@pytest.mark.parametrize(
    ("limit_id", "since", "on"),
    [
        ("civil-first-ordinary-trial", date(2025, 4, 1), date(2025, 4, 1)),
        ("civil-first-ordinary-trial", date(2025, 1, 1), date(2025, 3, 11)),  # from the first day that counts
        ("civil-first-ordinary-trial", date(2025, 9, 10), date(2025, 9, 10)),  # the last day itself
        ("lic-decision", date(2025, 3, 15), date(2025, 3, 15)),
    ],
)
def test_an_open_exclusion_suspends(limit_id: str, since: date, on: date) -> None:
    answer = reckon(time_limit(limit_id), date(2025, 3, 10), exclusions=[Exclusion(since, None, "中止诉讼")])
    assert (answer.due_on, answer.unrolled_on, answer.suspended_on) == (None, None, on)
    assert remaining(answer, "month", date(2025, 4, 2)) is None
    ended = reckon(time_limit(limit_id), date(2025, 3, 10), exclusions=[Exclusion(since, date(2025, 9, 12), "x")])
    assert ended.due_on is not None


def test_an_open_exclusion_after_the_due_day_suspends_nothing() -> None:
    answer = reckon(time_limit("civil-defence"), date(2025, 9, 16), exclusions=[Exclusion(date(2025, 10, 10), None)])
    assert (answer.due_on, answer.suspended_on) == (date(2025, 10, 9), None)


def test_total_caps_hold_whatever_was_excluded() -> None:
    simplified = time_limit("civil-simplified-trial")  # 民诉解释第二百五十八条: four months in all
    loose = replace(simplified, extensions=(replace(simplified.extensions[0], amount=2),))
    away = [Exclusion(date(2025, 4, 1), date(2025, 4, 30), "鉴定")]
    assert str(reckon(loose, date(2025, 2, 10), extensions=[Extension(1)], exclusions=away).due_on) == "2025-07-09"
    with pytest.raises(RuleRefusedError, match="累计不得超过4个月"):
        reckon(loose, date(2025, 2, 10), extensions=[Extension(2)], exclusions=away)


def test_alternatives_are_picked_by_entry() -> None:
    custody = time_limit("crim-custody-investigation")
    straight = reckon(custody, date(2025, 3, 10), extensions=[Extension(2, "month", entry=2)], in_custody=True)
    assert straight.due_on == date(2025, 7, 10)
    assert "第一百五十八条" in "".join(straight.steps)
    with pytest.raises(RuleRefusedError):
        reckon(custody, date(2025, 3, 10), extensions=[Extension(2, "month", 2), Extension(2, "month", 2)])
    with pytest.raises(RuleRefusedError):
        reckon(custody, date(2025, 3, 10), extensions=[Extension(1, "month", 9)])


@pytest.mark.parametrize(
    ("limit_id", "amount", "due"),
    [
        ("civil-evidence-ordinary", 20, "2025-03-24"),  # 3 + 20: Sunday 23 March
        ("civil-evidence-ordinary", None, "2025-03-18"),
        ("civil-evidence-simplified", 5, "2025-03-10"),
        ("civil-evidence-small-claims", 9, "2025-03-12"),  # 一般不超过七日: explained, not barred
        ("civil-public-summons-period", 90, "2025-06-03"),
    ],
)
def test_periods_that_the_court_fixes(limit_id: str, amount: int | None, due: str) -> None:
    assert str(reckon(time_limit(limit_id), date(2025, 3, 3), fixed_amount=amount).due_on) == due


@pytest.mark.parametrize(
    ("limit_id", "amount", "article"),
    [
        ("civil-evidence-ordinary", 14, "第九十九条"),
        ("civil-evidence-simplified", 16, "第二百六十六条"),
        ("civil-public-summons-period", 59, "第二百三十条"),
    ],
)
def test_periods_outside_the_bounds_of_the_law(limit_id: str, amount: int, article: str) -> None:
    with pytest.raises(RuleRefusedError, match=article):
        reckon(time_limit(limit_id), date(2025, 3, 3), fixed_amount=amount)


MONTHS = [Extension(1, "month")]
REFUSED = [
    ("civil-first-ordinary-trial", {"extensions": [Extension(7, "month")]}, "第一百五十二条.*至多6个月"),
    ("civil-first-ordinary-trial", {"extensions": [Extension(6), Extension(3), Extension(1)]}, "第二条至多延长2次"),
    ("civil-appeal-judgment", {"extensions": [Extension(1, "calendar-day")]}, "第一百七十一条没有规定"),
    ("crim-first-trial", {"extensions": [Extension(4, "month")]}, "第二百零八条.*合计至多3个月"),
    ("crim-detention-arrest-request", {"extensions": [Extension(5, "calendar-day")]}, "第一百二十九条"),
    ("crim-retrial-trial", {"extensions": [Extension(4, "month")]}, "第四条"),
    ("civil-hearing-notice", {"extensions": MONTHS}, "第一百三十九条没有规定"),
]
WRONG = [
    ("civil-first-ordinary-trial", {"extensions": [Extension(30, "calendar-day")]}, "以“个月”计"),
    ("crim-first-trial", {"extensions": [Extension(2, "month")]}, "没有超过现有期限"),
    ("samr-legal-review", {"extensions": [Extension()]}, "未定延长多久"),
    ("samr-legal-review", {"extensions": [Extension(0)]}, "1至3650"),
    ("civil-defence", {"exclusions": [Exclusion(date(2025, 4, 2), date(2025, 4, 1))]}, "早于开始日"),
    ("crim-first-trial", {"exclusions": [Exclusion(date(2025, 4, 1), None, "改变管辖重新计算")]}, "新的起算日"),
    ("civil-hearing-notice", {"exclusions": [Exclusion(date(2025, 2, 1), None)]}, "没有扣除"),
    ("civil-defence", {"fixed_amount": 20}, "直接规定"),
    ("appraisal-exclusion", {}, "扣除规则"),
    ("preservation-urgent-ruling", {}, "写到时、分"),
]


@pytest.mark.parametrize(("limit_id", "facts", "said"), REFUSED)
def test_refused_by_law(limit_id: str, facts: dict[str, object], said: str) -> None:
    with pytest.raises(RuleRefusedError, match=said):
        reckon(time_limit(limit_id), date(2025, 3, 3), **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(("limit_id", "facts", "said"), WRONG)
def test_wrong_input(limit_id: str, facts: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        reckon(time_limit(limit_id), date(2025, 3, 3), **facts)  # type: ignore[arg-type]


def test_dates_no_case_can_have() -> None:
    for start in (date(1200, 1, 1), date(9999, 12, 31)):
        with pytest.raises(InvalidInputError, match="请核对"):
            reckon(time_limit("civil-defence"), start)


def test_unknown_id_offers_near_ones() -> None:
    with pytest.raises(NotFoundError, match="civil-defence") as close:
        time_limit("civil-defense")
    assert "civil-defence" in close.value.context["suggestions"]
    with pytest.raises(NotFoundError, match="civil-defence"):
        time_limit("答辩")


def test_remaining_in_the_unit_of_the_limit() -> None:
    days = reckon(time_limit("civil-defence"), date(2025, 9, 16))  # due 9 October
    assert [remaining(days, "calendar-day", date(2025, 10, d)) for d in (1, 9, 10)] == [8, 0, -1]
    working = reckon(time_limit("lic-decision"), date(2025, 3, 3))  # due 31 March
    assert [remaining(working, "working-day", d) for d in (date(2025, 3, 28), date(2025, 4, 1))] == [1, -1]
    hours = reckon(time_limit("force-urgent-report"), datetime(2025, 3, 3, 1, 59, tzinfo=UTC))  # 09:59 in Beijing
    assert hours.due_at == datetime(2025, 3, 4, 2, 0, tzinfo=UTC)
    assert remaining(hours, "hour", datetime(2025, 3, 4, 8, 30)) == 1  # noqa: DTZ001 - naive means Beijing time
    assert remaining(hours, "hour", datetime(2025, 3, 4, 2, 1, tzinfo=UTC)) == -1
    with pytest.raises(InvalidInputError):
        remaining(hours, "hour", date(2025, 3, 4))


def test_an_aware_start_counts_from_its_day_in_beijing() -> None:
    late = datetime(2025, 3, 2, 17, 0, tzinfo=UTC)  # 3 March, 01:00
    assert reckon(time_limit("civil-defence"), late).due_on == date(2025, 3, 18)


def test_another_domain_folder_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (domain_dir() / "deadlines.yaml").read_text(encoding="utf-8")
    (tmp_path / "deadlines.yaml").write_text(text.replace("id: civil-defence\n", "id: other\n"), encoding="utf-8")
    monkeypatch.setenv("ANJUAN_DOMAIN_DIR", str(tmp_path))
    assert time_limit("other").amount == 15


def test_a_rule_frozen_as_json_counts_the_same() -> None:
    data = yaml.load((domain_dir() / "deadlines.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    for row in data["deadlines"]:
        assert TimeLimit.from_data(json.loads(json.dumps(row))) == BOOK.limits[row["id"]]
    assert not re.search("recalled", BOOK.limits["civil-defence"].verification)
