"""Papers that people bring to a case, made on the spot as PDF: materials of a filing, receipts of a serving."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

TEMPLATE = Path(__file__).with_name("paper.typ")
MEDIA_TYPE = "application/pdf"


def paper(title: str, rows: Mapping[str, str]) -> bytes:
    """One sheet with a table of what it says; empty values are left out."""
    told = json.dumps({"title": title, "rows": [row for row in rows.items() if row[1]]}, ensure_ascii=False)
    made: bytes = _press().compile(sys_inputs={"data": told})
    return made


@cache
def _press() -> Any:
    """Looks for its fonts once; a sheet then takes milliseconds."""
    import typst  # 100 MB that only a play needs

    return typst.Compiler(str(TEMPLATE), sys_inputs={"data": "{}"})
