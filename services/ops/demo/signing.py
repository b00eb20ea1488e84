"""裁判文书: what judges must sign is drafted from the form of the node that will issue it, and signed in order."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from services.kit.procedure.conditions import resolve
from services.kit.testing import until
from services.ops.demo.site import RefusedError

if TYPE_CHECKING:
    from services.ops.demo.player import Play


def sign_before(play: Play, act: Mapping[str, Any]) -> None:
    """Draft and sign every instrument with signers that the node's completion will issue."""
    signed = {made.id for made in play.pack.instruments if made.signed_by}
    for effect in play.pack.nodes[act["node"]].effects:
        kind = effect.with_.get("instrument")
        if effect.effect == "issue_instrument" and kind in signed and not act.get("refused"):
            fields = resolve(effect.with_.get("fields", {}), {"form": play.meant(act.get("form", {}))})
            speaker = play.speak(act["who"])
            made = speaker.post(f"/cases/{play.case_id}/instruments", {"instrument": kind, "fields": fields})
            until(partial(_signed, play, made["instrument_id"]), play.patience, f"{kind} 的签署")


def _signed(play: Play, instrument_id: str) -> bool:
    """One round over everybody: whoever's turn it is signs what he reads. True when it is approved."""
    for short in play.cast.people:
        if play.speak(play.officer()).get(f"/instruments/{instrument_id}")["state"] == "approved":
            return True
        _sign(play, short, instrument_id)
    return False


def _sign(play: Play, short: str, instrument_id: str) -> None:
    speaker = play.speak(short)
    try:
        read = speaker.get(f"/instruments/{instrument_id}")["versions"][-1]["sha256"]
        speaker.post(f"/instruments/{instrument_id}/approval", {"sha256": read})
    except RefusedError as refusal:
        if refusal.slug not in ("not-allowed", "case-not-known", "conflict"):
            raise
