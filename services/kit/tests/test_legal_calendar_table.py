"""Due days worked out by hand on paper, each with the article that gives it; the calendar is the published one."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from services.kit.legal_calendar import Exclusion, Extension, reckon, time_limit


def off(text: str) -> list[Exclusion]:
    """`4-1..4-30 鉴定期间; …` in 2025 unless a year is written."""
    found = []
    for part in text.split(";"):
        days, _, reason = part.strip().partition(" ")
        low, high = days.split("..")
        found.append(Exclusion(day(low), day(high) if high else None, reason))
    return found


def day(text: str) -> date:
    parts = [int(p) for p in text.split("-")]
    return date(*parts) if len(parts) == 3 else date(2025, *parts)


def more(*amounts: int) -> list[Extension]:
    return [Extension(amount) for amount in amounts]


PLAIN = [
    # 15 days from 16 September: 1 October, in the holiday of 1-8 October
    ("民诉法85条-国庆顺延", "civil-defence", "9-16", "2025-10-09"),
    ("民诉法85条-春节顺延", "civil-appeal-judgment", "1-13", "2025-02-05"),
    ("民诉法85条-末日为调休上班的周日", "civil-appeal-ruling", "1-16", "2025-01-26"),
    ("民诉法85条-末日为调休上班的周六", "civil-appeal-ruling", "10-1", "2025-10-11"),
    ("民诉法85条-周六顺延至周一", "civil-filing-decision", "3-8", "2025-03-17"),
    ("民诉法85条-周六之后是调休上班的周日", "civil-second-ruling-trial", "8-28", "2025-09-28"),
    ("民法典202条-8月31日加六个月至2月末", "civil-first-ordinary-trial", "2024-8-31", "2025-02-28"),
    ("民法典202条-闰年2月29日", "civil-first-ordinary-trial", "2023-8-31", "2024-02-29"),
    ("民法典202条-2月28日加三个月为5月28日", "civil-simplified-trial", "2-28", "2025-05-28"),
    ("民法典202条-闰日加一年为2月28日", "civil-maritime-trial", "2024-2-29", "2025-02-28"),
    ("民法典202条-二十年", "adm-sue-longest-realty", "2006-3-10", "2026-03-10"),
    ("刑诉解释202条-月末对月末", "crim-prosecution-review", "2-28", "2025-03-31"),
    ("刑诉解释202条-1月30日加一个月为2月末", "crim-prosecution-review", "1-30", "2025-02-28"),
    ("刑诉解释202条-4月30日加二个月为6月30日", "crim-second-trial", "4-30", "2025-06-30"),
    ("刑诉解释202条-闰年2月28日不是月末", "crim-prosecution-review", "2024-2-28", "2024-03-28"),
    ("刑诉法105条-未在押顺延", "crim-arrest-decision", "9-26", "2025-10-09"),
    ("刑诉法79条-取保候审届满即失效", "crim-bail-max", "2024-10-2", "2025-10-02"),
    ("行政处罚法85条-五日为工作日跨春节", "pen-hearing-request", "1-24", "2025-02-07"),
    ("行政处罚法85条-十五日没有顺延明文", "pen-fine-pay", "9-20", "2025-10-05"),
    ("市监规定80条-同样十五日则顺延", "samr-fine-pay", "9-20", "2025-10-09"),
    ("市监规定80条-九十日至端午后", "samr-decision-90", "3-3", "2025-06-03"),
    ("市监规定18条-十五个工作日跨五一", "samr-verify-clue", "4-25", "2025-05-20"),
    ("行政强制法69条-十日为工作日含调休周末", "force-demand-before-court", "9-26", "2025-10-16"),
    ("行政强制法53条-三个月没有顺延明文", "force-apply-court", "7-4", "2025-10-04"),
    ("行政强制法25条-查封届满即失效", "force-seal", "9-3", "2025-10-03"),
    ("行政许可法82条-二十个工作日", "lic-decision", "3-3", "2025-03-31"),
    ("行政复议法88条-五日为工作日跨五一", "recon-accept-review", "4-30", "2025-05-12"),
    ("行政复议法88条-六十日依民诉法顺延", "recon-apply", "8-4", "2025-10-09"),
    ("国家赔偿法13条-没有规定顺延", "comp-decision", "3-1", "2025-05-01"),
    ("信访条例34条-没有规定顺延", "pet-close", "8-4", "2025-10-03"),
    ("民诉解释485条-冻结一年届满即失效", "enf-freeze-deposit", "2024-10-1", "2025-10-01"),
    ("2020年春节延长-2月3日起上班", "civil-defence", "2020-1-15", "2020-02-03"),
]  # fmt: skip

BACK = [
    ("民诉法139条-开庭三日前落在国庆", "civil-hearing-notice", "10-11", "2025-09-30"),
    ("民诉法139条-落在调休上班的周日", "civil-hearing-notice", "10-1", "2025-09-28"),
    ("民诉法139条-落在周六", "civil-hearing-notice", "3-18", "2025-03-14"),
    ("延长审限规定1条-届满十五日前", "civil-audience-ext-request", "10-16", "2025-09-30"),
    ("行政许可法48条-七个工作日前跨国庆", "lic-hearing-notice", "10-10", "2025-09-24"),
    ("行政处罚法64条-七个工作日前跨春节", "pen-hearing-notice", "2-10", "2025-01-24"),
    ("行政强制法51条-三个工作日前", "force-substitute-demand", "5-6", "2025-04-28"),
    ("刑诉法187条-十日以前", "crim-indictment-serve", "10-17", "2025-09-30"),
]

CUSTODY = [
    ("刑诉法105条-在押至期满之日", "crim-arrest-decision", "9-26", "2025-10-03"),
    ("刑诉法105条-上诉期不是羁押期限", "crim-appeal-judgment", "9-22", "2025-10-09"),
    ("刑诉法105条-在押审限周六届满", "crim-second-trial", "1-15", "2025-03-15"),
    ("民诉法85条-民事期限与在押无关", "civil-defence", "9-16", "2025-10-09"),
]

LONGER = [
    ("民诉法152条-延长保留起算日31日", "civil-first-ordinary-trial", "2024-8-31", more(6), "2025-09-01"),
    ("审限规定2条-再延长三个月", "civil-first-ordinary-trial", "2024-8-31", more(6, 3), "2025-12-01"),
    ("民诉法152条-少于六个月亦可", "civil-first-ordinary-trial", "2024-8-31", more(2), "2025-04-30"),
    ("审限规定2条-闰日一年再加六个月", "civil-maritime-trial", "2024-2-29", more(6), "2025-08-29"),
    # unrolled 4 October, not the rolled 9 October, carries the extension
    ("民诉法164条-自未顺延之日加", "civil-simplified-trial", "7-4", more(1), "2025-11-04"),
    ("刑诉法208条-至迟三个月", "crim-first-trial", "1-31", more(3), "2025-04-30"),
    ("刑诉法208条-再加三个月", "crim-first-trial", "1-31", more(3, 3), "2025-07-31"),
    ("刑诉解释210条-可以再次延长", "crim-first-trial", "1-31", more(3, 3, 1, 2), "2025-10-31"),
    ("刑诉法220条-一个半月", "crim-simplified-trial", "1-31", more(1), "2025-03-17"),
    ("刑诉法225条-延长至十五日", "crim-fast-track-trial", "3-3", more(15), "2025-03-18"),
    ("刑诉法172条-一个月另加十五日", "crim-prosecution-review", "2-28", more(15), "2025-04-15"),
    ("刑诉法175条-第二次补充侦查", "crim-supplementary-investigation", "1-30", more(1), "2025-03-31"),
    ("公安规定129条-加四日再至三十日", "crim-detention-arrest-request", "3-3", more(4, 30), "2025-04-02"),
    ("民诉解释485条-续行两次", "enf-freeze-deposit", "2024-2-29", more(1, 1), "2027-02-28"),
    ("市监规定64条-延长三十日再定二十日", "samr-decision-90", "3-3", more(30, 20), "2025-07-21"),
    ("市监规定18条-延长十五个工作日", "samr-verify-clue", "4-25", more(15), "2025-06-11"),
    ("行政许可法42条-延长十个工作日", "lic-decision", "3-3", more(10), "2025-04-15"),
    ("调卷至迟十日", "flow-file-call", "3-3", more(10), "2025-03-13"),
]

LESS = [
    ("一段", "civil-simplified-trial", "2-10", "3-1..3-31 鉴定", "2025-06-10"),
    ("重叠只计一次", "civil-simplified-trial", "2-10", "3-11..3-31 公告; 3-1..3-20 鉴定", "2025-06-10"),
    ("首尾两日均计", "civil-simplified-trial", "2-10", "3-5..3-5 鉴定", "2025-05-12"),
    # 10 May + 10 days = 20 May reaches into the second interval: 10 more
    ("推后又遇扣除", "civil-simplified-trial", "2-10", "4-1..4-10 鉴定; 5-15..5-24 公告", "2025-05-30"),
    ("推后仍未及第二段", "civil-simplified-trial", "2-10", "4-1..4-3 鉴定; 5-15..5-24 公告", "2025-05-13"),
    ("始于末日", "civil-simplified-trial", "2-10", "5-10..5-20 鉴定", "2025-05-21"),
    ("起算日之前不计", "civil-simplified-trial", "2-10", "1-1..2-9 鉴定", "2025-05-12"),
    ("起算日当日本不计入", "civil-simplified-trial", "2-10", "2-1..2-10 鉴定", "2025-05-12"),
    ("跨起算日只计其后", "civil-simplified-trial", "2-10", "2-1..2-12 鉴定", "2025-05-12"),
    ("末日之后无影响", "civil-simplified-trial", "2-10", "5-13..6-30 鉴定", "2025-05-12"),
    # 27 September is a Saturday, 28 September a working Sunday
    ("始于未顺延末日", "civil-second-ruling-trial", "8-28", "9-27..9-30 鉴定", "2025-10-09"),
    ("只盖住顺延后的届满日", "civil-second-ruling-trial", "8-28", "9-28..9-29 鉴定", "2025-09-30"),
    ("顺延后的届满日之后", "civil-second-ruling-trial", "8-28", "9-29..9-30 鉴定", "2025-09-28"),
    ("工作日期限只扣工作日", "lic-decision", "3-3", "3-8..3-16 听证", "2025-04-08"),
    ("工作日期限扣周末无影响", "lic-decision", "3-3", "3-8..3-9 听证", "2025-03-31"),
    ("市监64条两段重叠", "samr-decision-90", "3-3", "3-10..3-19 听证; 3-15..3-24 检测", "2025-06-16"),
    ("依申请延期以一个月为限", "civil-simplified-trial", "2-10", "3-1..5-31 依申请延期审理", "2025-06-10"),
    ("准备辩护以十日为限", "crim-second-trial", "3-3", "4-1..4-30 另行委托、指定辩护人的准备辩护时间", "2025-05-13"),
]


@pytest.mark.parametrize(("limit_id", "start", "due"), [c[1:] for c in PLAIN + BACK], ids=[c[0] for c in PLAIN + BACK])
def test_plain(limit_id: str, start: str, due: str) -> None:
    assert str(reckon(time_limit(limit_id), day(start)).due_on) == due


@pytest.mark.parametrize(("limit_id", "start", "due"), [c[1:] for c in CUSTODY], ids=[c[0] for c in CUSTODY])
def test_in_custody(limit_id: str, start: str, due: str) -> None:
    assert str(reckon(time_limit(limit_id), day(start), in_custody=True).due_on) == due


@pytest.mark.parametrize(("limit_id", "start", "given", "due"), [c[1:] for c in LONGER], ids=[c[0] for c in LONGER])
def test_extended(limit_id: str, start: str, given: list[Extension], due: str) -> None:
    assert str(reckon(time_limit(limit_id), day(start), extensions=given).due_on) == due


@pytest.mark.parametrize(("limit_id", "start", "gaps", "due"), [c[1:] for c in LESS], ids=[c[0] for c in LESS])
def test_excluded(limit_id: str, start: str, gaps: str, due: str) -> None:
    assert str(reckon(time_limit(limit_id), day(start), exclusions=off(gaps)).due_on) == due


APPRAISAL, LATER = off("4-1..4-30 鉴定"), off("11-1..11-30 鉴定")
SUSPENDED = off("3-1..3-10 中止审理")
BOTH: list[tuple[str, str, dict[str, Any], str]] = [
    # 10 September + 30 days = 10 October; six months on: 10 April
    ("civil-first-ordinary-trial", "3-10", {"exclusions": APPRAISAL, "extensions": more(6)}, "2026-04-10"),
    # within the extension: 10 September, 10 March, + 30 days
    ("civil-first-ordinary-trial", "3-10", {"exclusions": LATER, "extensions": more(6)}, "2026-04-09"),
    ("crim-first-trial", "1-31", {"exclusions": SUSPENDED, "extensions": more(3), "in_custody": True}, "2025-05-10"),
    ("crim-second-trial", "1-15", {"extensions": more(2), "in_custody": True}, "2025-05-15"),
]  # fmt: skip


@pytest.mark.parametrize(("limit_id", "start", "facts", "due"), BOTH)
def test_excluded_and_extended(limit_id: str, start: str, facts: dict[str, Any], due: str) -> None:
    assert str(reckon(time_limit(limit_id), day(start), **facts).due_on) == due


@pytest.mark.parametrize(
    ("limit_id", "start", "due_at"),
    [
        ("preservation-urgent-ruling", "2025-09-30T15:20", "2025-10-02T16:00"),
        ("preservation-prelitigation-ruling", "2025-01-27T09:00", "2025-01-29T10:00"),
        ("samr-urgent-report", "2025-10-01T23:30", "2025-10-03T00:00"),
        ("force-urgent-report", "2024-02-28T08:59", "2024-02-29T09:00"),
        ("xfer-handover", "2025-12-31T10:01", "2026-01-01T11:00"),
    ],
)
def test_hours_count_from_the_next_hour_and_never_roll(limit_id: str, start: str, due_at: str) -> None:
    answer = reckon(time_limit(limit_id), datetime.fromisoformat(start))
    assert answer.due_at is not None
    assert answer.due_at.replace(tzinfo=None).isoformat(timespec="minutes") == due_at
    assert answer.due_on == answer.due_at.date()
    assert "不因节假日顺延" in "".join(answer.steps)
