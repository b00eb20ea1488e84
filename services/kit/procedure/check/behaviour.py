"""Do the examples play as they say, and do they together show everything there is?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from services.kit.procedure.graph import FILE, Graph
from services.kit.procedure.model import Finding, Pack
from services.kit.procedure.play import PlayError, play
from services.kit.procedure.source import Source


def findings(pack: Pack, graph: Graph, sources: Mapping[str, Source]) -> Iterator[Finding]:
    """Examples that play otherwise than they say; flows, limits and effects that none shows."""
    flows: set[str] = set()
    fired: set[str] = set()
    effects: set[str] = set()
    for name, script in pack.examples.items():
        source = sources[f"examples/{name}"]
        if not any("refused" in act for act in script["acts"]):
            yield source.fault("没有一步应被拒绝", "加一步依法应拒绝的办理", "acts", kind="coverage")
        try:
            player = play(pack, script)
        except PlayError as error:
            at = ("expect",) if error.act < 0 else ("acts", error.act)
            yield source.fault(f"演练不符：{error}", "改正程序包或案例", *at, kind="behaviour")
            continue
        flows |= player.told.flows
        effects |= player.told.effects.keys()
        fired |= player.clocks.fired
    yield from _uncovered(pack, graph, sources, flows, effects, fired)


def _uncovered(
    pack: Pack, graph: Graph, sources: Mapping[str, Source], flows: set[str], effects: set[str], fired: set[str]
) -> Iterator[Finding]:
    for flow in graph.flows.values():
        if flow.id not in flows:
            yield Finding(
                FILE,
                flow.line,
                f"没有案例走过顺序流 {flow.id}（{flow.source} → {flow.target}）",
                "补一个案例",
                "coverage",
            )
    limits, nodes = sources["time_limits.yaml"], sources["nodes.yaml"]
    for index, rule in enumerate(pack.time_limits):
        shown = {"starts": True, "stops": bool(rule.stops), "extends": bool(rule.extends)}
        for what in [w for w, wanted in shown.items() if wanted and f"{rule.limit} {w}" not in fired]:
            yield limits.fault(
                f"没有案例触发期限 {rule.limit} 的 {what}", "补一个案例", "limits", index, kind="coverage"
            )
    for ident in pack.effects.keys() - effects:
        node = pack.effects[ident][0]
        yield nodes.fault(f"没有案例办过效果 {ident}", "补一个案例", "nodes", node, "effects", kind="coverage")
