"""From the pack's template to a docx with the case token, its gaps marked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.documents.model.case import Case
from services.documents.model.fields import NUMBERS, by_template, is_empty
from services.documents.render import marks
from services.documents.render.check import check_docx
from services.documents.render.template import render
from services.kit.errors import InvalidInputError
from services.kit.procedure.model import InstrumentRule, Pack

_OURS = {"日期": marks.DAY, "署名": marks.SIGNERS, "机关印章": marks.SEAL, "院印": marks.SEAL}


@dataclass(frozen=True)
class Composed:
    """A docx and what its text still lacks."""

    docx: bytes
    gaps: tuple[str, ...]
    unsettled: tuple[str, ...]

    @classmethod
    def of(cls, parts: Mapping[str, bytes], docx: bytes) -> Composed:
        """From its parts."""
        return cls(docx, tuple(marks.gaps(marks.text_of(parts))), tuple(marks.unsettled(parts)))


def compose(pack: Pack, rule: InstrumentRule, case: Case, values: Mapping[str, Any], token: str) -> Composed:
    """Render the template in its child.

    Raises:
        InvalidInputError: the pack lacks the template, or it cannot be used.
        RuleRefusedError: rendering does not end.
    """
    template = pack.files.get(rule.template)
    if template is None:
        raise InvalidInputError(f"程序包 {pack.id} {pack.version} 中没有模板 {rule.template}")
    rendered = render(template, context(rule, case, values))
    parts = marks.with_token(check_docx(rendered, "生成的文书"), token)
    return Composed.of(parts, marks.pack_docx(parts))


def context(rule: InstrumentRule, case: Case, values: Mapping[str, Any]) -> dict[str, Any]:
    """What the template may name: filled fields, and marks for what is known only when it is issued."""
    filled = {name: _paragraphs(value) for name, value in by_template(values).items() if not is_empty(value)}
    number = case.case_number if rule.number is None and case.case_number else marks.NUMBER
    return filled | _OURS | dict.fromkeys(NUMBERS, number)


def _paragraphs(value: Any) -> Any:
    """A line feed in a value begins a new paragraph of the same form (docxtpl's \\a)."""
    if isinstance(value, str):
        return value.replace("\n", "\a")
    if isinstance(value, dict):
        return {k: _paragraphs(v) for k, v in value.items()}
    return [_paragraphs(v) for v in value] if isinstance(value, list) else value
