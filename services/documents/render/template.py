"""A Word template and its values -> a docx, made in a process of its own that can do no harm and is killed in time."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from services.documents.render.check import check_docx
from services.documents.render.marks import GAP
from services.documents.settings import KNOBS
from services.kit.errors import InvalidInputError, RuleRefusedError

CHILD = Path(__file__).with_name("child.py")


def render(template: bytes, context: Mapping[str, Any]) -> bytes:
    """The docx of a template, from values by name.

    Raises:
        InvalidInputError: it is no plain docx (see check_docx), or it contains code.
        RuleRefusedError: it does not come to an end in time, or takes too much memory: it was killed.
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
    env = {"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(  # noqa: S603 our own program
            [sys.executable, "-I", str(CHILD)], input=json.dumps(job).encode(), capture_output=True, env=env,
            timeout=KNOBS.render_seconds, check=False, start_new_session=True,
        )  # fmt: skip
        answer: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {"exhausted": done.returncode}
    except subprocess.TimeoutExpired:
        return {"exhausted": "time"}
    except ValueError:
        return {"exhausted": "answer"}
    return answer
