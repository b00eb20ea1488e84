"""Plays an example with kit alone: nodes, forms, conditions, approvals, clocks; effects are answered in the
performers' place. What it shows is compared with what the example states by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from services.kit.procedure.model import Pack
from services.kit.procedure.play.people import named
from services.kit.procedure.play.player import Player, PlayError


def play(pack: Pack, script: Mapping[str, Any]) -> Player:
    """Play an example to its end and compare; returns the player for what it has shown.

    Raises:
        PlayError: see Player.play; act -1 when only the expectation differs.
    """
    player = Player(pack, script)
    player.play()
    if differences := list(_differences(player, script["expect"])):
        raise PlayError(-1, "；".join(differences))
    return player


def _differences(player: Player, expect: Mapping[str, Any]) -> Iterator[str]:
    told, engine = player.told, player.engine
    if not engine.concluded(player.state):
        yield f"没有走到结束，还停在 {'、'.join(n.node_id for n in engine.open(player.state))}"
    found = {"end": engine.outcome(player.state), "path": told.path, "numbers": player.rooms.numbers}
    for name, value in found.items():
        if expect.get(name, {}) != value:
            yield f"{name} 应为 {expect.get(name)}，实为 {value}"
    cards = [{k: c[k] for k in want} for want, c in zip(expect.get("cards", []), player.clocks.cards, strict=False)]
    if cards != expect.get("cards", []) or len(cards) != len(player.clocks.cards):
        yield f"cards 应为 {expect.get('cards', [])}，实为 {player.clocks.cards}"
    views = [c.view() for c in player.clocks.all]
    clocks = [{k: v[k] for k in want} for want, v in zip(expect["clocks"], views, strict=False)]
    if clocks != expect["clocks"] or len(clocks) != len(views):
        yield f"clocks 应为 {expect['clocks']}，实为 {views}"
    for name, shown in (("effects", told.effects), ("instruments", player.rooms.instruments)):
        wanted = expect.get(name, {})
        parts = {k: {p: shown.get(k, {}).get(p) for p in v} for k, v in wanted.items()}
        if parts != named(wanted) or set(wanted) != set(shown):
            yield f"{name} 应为 {wanted}，实为 {shown}"


__all__ = ["PlayError", "Player", "named", "play"]
