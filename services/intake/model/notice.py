"""The one-time deficiency notice (一次性告知): all defects at once, and never a second time for an old one.

行政许可法 第三十二条第（四）项; 最高人民法院关于人民法院登记立案若干问题的规定 第七条.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date

from services.intake.model.filing import Defect, Material
from services.intake.model.people import Party
from services.kit.errors import RuleRefusedError

FORM = ""  # what a defect without checklist item is about: the form and the parties


@dataclass(frozen=True)
class Notice:
    """A notice that has gone out. `seen`: checklist item -> print of what the clerk then had before him."""

    notice_id: str
    issued_on: date
    due_on: date | None
    defects: tuple[Defect, ...]
    seen: Mapping[str, str]


def prints(
    items: Iterable[str], parties: Sequence[Party], materials: Sequence[Material], content: Mapping[str, object]
) -> dict[str, str]:
    """A print of everything a defect can be about, as it stands now."""
    form = [content, [asdict(p) for p in parties]]
    brought = {item: [asdict(m) for m in materials if m.checklist_item == item] for item in items}
    return {about: _print(value) for about, value in (*brought.items(), (FORM, form))}


def _print(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]


def check(told: Sequence[Defect], missing: Sequence[Defect], seen: Mapping[str, str], last: Notice | None) -> None:
    """Whether these defects may be told now.

    Raises:
        RuleRefusedError: none is given, an open item is left out, an item is not in the checklist, or a
            defect is old: what it is about has not changed since the last notice.
    """
    if not told:
        raise RuleRefusedError("补正告知应当写明需要补正的全部内容，现在一项也没有")
    if strange := [d.checklist_item for d in told if d.checklist_item not in seen]:
        raise RuleRefusedError(f"收件清单中没有需要本案提交的“{'、'.join(strange)}”")
    items = {d.checklist_item for d in told}
    if last is None:
        if left_out := [d.detail for d in missing if d.checklist_item not in items]:
            raise RuleRefusedError(f"补正内容应当一次性全部告知，还有未列入的：{'；'.join(left_out)}")
    elif old := [d.detail for d in told if last.seen.get(d.checklist_item) == seen[d.checklist_item]]:
        again = "；".join(old)
        raise RuleRefusedError(f"补正已于{last.issued_on}一次性告知，此后没有变化的内容不得再次要求补正：{again}")


def outstanding(defects: Sequence[Defect], seen: Mapping[str, str], last: Notice | None) -> tuple[Defect, ...]:
    """The told defects about which nothing has been changed since the last notice."""
    if last is None:
        return ()
    return tuple(d for d in defects if last.seen.get(d.checklist_item) == seen.get(d.checklist_item))
