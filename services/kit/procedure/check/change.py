"""May running cases move from one version to another? What would be pulled from under them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from services.kit.procedure import bpmn
from services.kit.procedure.graph import FILE
from services.kit.procedure.model import Finding, Pack
from services.kit.procedure.source import Source


def findings(former: Pack, pack: Pack, sources: Mapping[str, Source]) -> Iterator[Finding]:
    """Why cases running on `former` may not move to `pack`; and a version that does not go up."""
    source = sources["pack.yaml"]
    if former.id != pack.id:
        yield source.fault(f"与 {former.id} 不是同一程序", "给出同一程序的旧版本", "id", kind="change")
        return
    if former.sha256 != pack.sha256 and _order(former.version) >= _order(pack.version):
        yield source.fault(f"版本 {pack.version} 没有高于 {former.version}", "提高 version", "version", kind="change")
    old, new = (bpmn.read(p.files[FILE]) for p in (former, pack))
    for name, element in old.elements.items():
        now = new.elements.get(name)
        if now is None or (now.tag, new.thread(name)) != (element.tag, old.thread(name)):
            line = now.line if now else 0
            yield Finding(
                FILE, line, f"{name} 已删去或换了种类，停在这里的案件不能迁移", "保留它，或让旧案件办完", "change"
            )
    for effect in former.effects.keys() - pack.effects.keys():
        yield sources["nodes.yaml"].fault(
            f"效果 {effect} 已删去，旧案件的 results.{effect} 会落空", "保留它", kind="change"
        )
    for rule in former.time_limits:
        if rule.limit not in [r.limit for r in pack.time_limits]:
            yield sources["time_limits.yaml"].fault(
                f"期限 {rule.limit} 已删去，旧案件的计时会悬空", "保留它", kind="change"
            )


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.replace("-", ".").split("."))
