"""`anjuan clock`: explain by statute when a limit runs out. Needs no server."""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from typing import Annotated, Any, get_args

import typer

from services.kit.errors import DomainError, InvalidInputError, RuleRefusedError
from services.kit.legal_calendar import Exclusion, Extension, Reckoning, TimeLimit, Unit, reckon, time_limit

HELP = "期限计算：届满日和逐条依据（不需要服务器）。"
app = typer.Typer(name="clock", help=HELP, no_args_is_help=True, add_completion=False)

DAY = r"\d{4}-\d{2}-\d{2}"
UNITS: dict[str, Unit] = {u: u for u in get_args(Unit)} | {
    "工作日": "working-day", "日": "calendar-day", "天": "calendar-day", "自然日": "calendar-day",
    "月": "month", "个月": "month", "年": "year", "小时": "hour", "时": "hour",
}  # fmt: skip
START_HELP = "起算事件之日 YYYY-MM-DD；以小时计的写到分 YYYY-MM-DDTHH:MM；倒数期限写所倒数的事件之日"


@app.callback()
def clock() -> None:
    """期限计算。"""


def _day(text: str, what: str) -> date:
    try:
        return date.fromisoformat(text if re.fullmatch(DAY, text, re.ASCII) else "")
    except ValueError:
        raise InvalidInputError(f"{what}“{text}”不是有效日期，应写作 YYYY-MM-DD，例如 2025-03-10。") from None


def _start(text: str | None) -> date | datetime:
    if not text:
        raise InvalidInputError("请用 --start 写明起算之日（YYYY-MM-DD；以小时计的写到时、分 YYYY-MM-DDTHH:MM）。")
    if not re.fullmatch(DAY + r"[T ]\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})?", text, re.ASCII):
        return _day(text, "起算日")
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInputError(f"起算时刻“{text}”无效，应写作 YYYY-MM-DDTHH:MM，例如 2025-03-10T09:30。") from None


def _exclusion(text: str) -> Exclusion:
    parts = re.fullmatch(r"(.*?)\.\.([^:：]*)(?:[:：](.*))?", text.strip(), re.DOTALL)
    if not parts:
        raise InvalidInputError(f"--exclude “{text}”应写作 开始日..结束日:事由，例如 2025-04-01..2025-04-30:鉴定期间。")
    low, high, reason = parts.groups()
    until = _day(high.strip(), "扣除结束日") if high.strip() else None
    return Exclusion(_day(low.strip(), "扣除开始日"), until, (reason or "").strip())


def _extension(text: str) -> Extension:
    parts = re.fullmatch(r"(\d{1,6})[:：]([^@]+)(?:@([1-9]\d?))?", text.strip(), re.ASCII)
    if not parts:
        raise InvalidInputError(f"--extend “{text}”应写作 数量:单位，例如 6:month（第几项延长可加 @序号）。")
    amount, unit, entry = parts.groups()
    if unit not in UNITS:
        raise InvalidInputError(f"--extend 的单位“{unit}”无效，应为 {'、'.join(get_args(Unit))} 之一。")
    return Extension(int(amount), UNITS[unit], int(entry) if entry else None)


def _plain(limit: TimeLimit, answer: Reckoning) -> dict[str, Any]:
    """The answer as JSON; `due_at` in Beijing time to the minute."""
    at = answer.due_at
    return {
        "limit_id": limit.id,
        "name": limit.name,
        "due_on": answer.due_on.isoformat() if answer.due_on else None,
        "due_at": at.replace(tzinfo=None).isoformat(timespec="minutes") if at else None,
        "unrolled_on": answer.unrolled_on.isoformat() if answer.unrolled_on else None,
        "suspended_on": answer.suspended_on.isoformat() if answer.suspended_on else None,
        "provisional": answer.provisional,
        "unit": answer.unit,
        "direction": limit.direction,
        "law": answer.law,
        "article": answer.article,
        "quote": limit.law.quote,
        "verification": limit.verification,
        "steps": list(answer.steps),
    }


def _say(limit: TimeLimit, answer: Reckoning, as_json: bool) -> None:
    plain = _plain(limit, answer)
    if as_json:
        typer.echo(json.dumps(plain, ensure_ascii=False, indent=2))
        return
    due = plain["due_at"] or plain["due_on"] or f"未定（自{plain['suspended_on']}起停止计算）"
    typer.echo(f"{limit.name}（{limit.id}）")
    typer.echo(f"届满：{due}{'（暂定）' if answer.provisional else ''}")
    typer.echo(f"依据：{limit.law}")
    for nth, step in enumerate(answer.steps, 1):
        typer.echo(f"  {nth}. {step}")


def _refuse(error: DomainError, as_json: bool) -> typer.Exit:
    """Chinese sentence on stderr, JSON on stdout when asked; 1: the law refuses the amount, 2: bad input."""
    typer.echo(error.detail, err=True)
    if as_json:
        body = {"error": error.slug, "title": error.title, "detail": error.detail, **error.context}
        typer.echo(json.dumps(body, ensure_ascii=False, indent=2))
    return typer.Exit(1 if isinstance(error, RuleRefusedError) else 2)


@app.command()
def explain(
    limit_id: Annotated[str, typer.Argument(help="期限编号（domain/deadlines.yaml），如 civil-first-ordinary-trial")],
    start: Annotated[str | None, typer.Option(help=START_HELP)] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="扣除期间 开始日..结束日:事由，可多次")] = None,
    extend: Annotated[list[str] | None, typer.Option(help="延长 数量:单位，依次对应法定各次延长，可多次")] = None,
    in_custody: Annotated[bool, typer.Option("--in-custody", help="人在押")] = False,
    fixed: Annotated[int | None, typer.Option(help="由法院确定的期间：确定的数量")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="输出一个 JSON 对象")] = False,
) -> None:
    """算出届满日，并逐条说明依据；退出码 0 成功，1 法律不允许，2 输入有误。"""
    try:
        limit = time_limit(limit_id)
        answer = reckon(
            limit,
            _start(start),
            exclusions=[_exclusion(text) for text in exclude or ()],
            extensions=[_extension(text) for text in extend or ()],
            in_custody=in_custody,
            fixed_amount=fixed,
        )
    except DomainError as error:
        raise _refuse(error, as_json) from None
    _say(limit, answer, as_json)
