"""How far an example can be led over HTTP: to the first node with an effect that no room performs yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.archive.consumer import ArchiveConsumer
from services.kit.procedure import registry
from services.kit.procedure.model import Pack

PERFORMING = {"archive": hasattr(ArchiveConsumer, "on_effect_requested")}


def reachable(pack: Pack, example: Mapping[str, Any]) -> dict[str, Any]:
    """The example up to that node, the case then still open; whole when every effect has its performer."""
    kinds = registry.effects()
    closed = {n for n, rule in pack.nodes.items()
              if any(not PERFORMING.get(kinds[e.effect].owner, True) for e in rule.effects)}  # fmt: skip
    told, expect = dict(example), dict(example["expect"])
    if closed.isdisjoint(expect["path"]):
        return told
    acts = [act.get("node") not in closed for act in told["acts"]]
    expect["path"] = expect["path"][: min(expect["path"].index(n) for n in closed if n in expect["path"])]
    return told | {"acts": told["acts"][: acts.index(False)], "expect": expect | {"end": ""}}
