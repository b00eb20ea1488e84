"""`anjuan number`: check a court case number. Needs no server."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from services.kit.clock import today
from services.kit.errors import DomainError
from services.kit.legal_calendar import working_calendar
from services.kit.numbers import check_case_number

app = typer.Typer(name="number", help="案号校验（不需要服务器）。", no_args_is_help=True, add_completion=False)


@app.callback()
def number() -> None:
    """案号校验。"""


def _checked(text: str) -> dict[str, Any]:
    # a machine whose clock lags still knows the years of the calendar that ships with us
    latest_year = max(today().year, *working_calendar().years)
    try:
        found = check_case_number(text, latest_year)
    except DomainError as error:
        return {"valid": False, "reason": error.detail}
    plain: dict[str, Any] = {
        "valid": True,
        "case_number": str(found),
        "year": found.year,
        "court_code": found.court_code,
        "type_code": found.type_code,
        "sequence": found.serial,
        "court": found.court,
    }
    if found.special:
        plain["special"] = found.special
    if found.doubts:
        plain["doubts"] = list(found.doubts)
    return plain


@app.command()
def check(
    text: Annotated[str, typer.Argument(help="案号，如（2025）粤0703民初1234号")],
    as_json: Annotated[bool, typer.Option("--json", help="输出一个 JSON 对象")] = False,
) -> None:
    """校验法院案号；退出码 0 有效，1 无效。"""
    plain = _checked(text)
    if as_json:
        typer.echo(json.dumps(plain, ensure_ascii=False, indent=2))
    elif plain["valid"]:
        typer.echo(f"有效：{plain['case_number']}  {plain['court']}  {'；'.join(plain.get('doubts', ()))}".rstrip())
    else:
        typer.echo(f"无效：{plain['reason']}", err=True)
    raise typer.Exit(0 if plain["valid"] else 1)
