"""A Word template and its values -> a docx, made in a process of its own that can do no harm and is killed in time."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from services.documents.render.check import check_docx
from services.documents.render.marks import GAP
from services.documents.render.stem import STEM
from services.documents.settings import KNOBS
from services.kit.errors import InvalidInputError, RuleRefusedError


def render(template: bytes, context: Mapping[str, Any]) -> bytes:
    """The docx of a template, from values by name.

    Raises:
        InvalidInputError: it is no plain docx (see check_docx), or it contains code.
        RuleRefusedError: it does not come to an end in time, or takes too much memory: it was killed.
        UnavailableError: no child can be started.
    """
    check_docx(template, "文书模板")
    answer = _run_child(template, context)
    if "exhausted" in answer:
        raise RuleRefusedError("文书模板生成时间过长或占用内存过大，已强行终止，请程序包维护人员检查模板中的循环")
    if "code" in answer:
        faults = answer["code"]
        raise InvalidInputError(
            f"文书模板不能使用：含有代码（{'；'.join(faults)}）。模板中只能取值、判断和循环",
            [{"pointer": "/template", "detail": fault} for fault in faults],
        )
    if "refused" in answer:
        raise InvalidInputError(f"文书模板不能使用：{answer['refused']}")
    docx = base64.b64decode(answer["docx"])
    check_docx(docx, "生成的文书")
    return docx


def _run_child(template: bytes, context: Mapping[str, Any]) -> dict[str, Any]:
    job = {
        "template": base64.b64encode(template).decode(), "context": dict(context), "gap": GAP,
        "memory": KNOBS.render_memory, "seconds": int(KNOBS.render_seconds),
    }  # fmt: skip
    told = json.dumps(job).encode()
    answer = STEM.ask(told, KNOBS.render_seconds)
    try:
        found: dict[str, Any] = json.loads(answer) if answer else {"exhausted": "time or memory"}
    except ValueError:
        return {"exhausted": "answer"}
    return found
