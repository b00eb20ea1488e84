"""Everybody tries every operation with what schemathesis thinks of; each operation works for somebody."""

from __future__ import annotations

from functools import cache

import pytest

from services.ops.trial import Platform
from tests.contract.crowd import Tally, run, wander
from tests.contract.fits import PREFIX, Fit
from tests.contract.fits_archive import FITS
from tests.contract.test_bad_input import LISTS
from tests.contract.test_openapi import DOCUMENT, SERVED
from tests.contract.world import World, stuck_effect

ROLES = ("registrar", "officer", "division_head", "leader", "administrator", "publisher", "confirmer", "operator",
         "party", "reporter", "neighbour", "anonymous", "browser", "stuck")  # fmt: skip
ALL_PHASES = ("examples", "coverage", "fuzzing")
REFUSAL = f"POST {PREFIX}/operations/effects/{{effect_id}}/refusal"
# a legal date out of the air is centuries away: every day on which something is due is lived through
CALM = {f"POST {PREFIX}/operations/legal-date"}


class Runs:
    """Each role's run, made once: its own operations in all phases, those of others by fuzzing alone."""

    def __init__(self, world: World, platform: Platform) -> None:
        self.world, self.platform = world, platform
        self.made = {label: FITS[label](world) for label in sorted(SERVED)}
        world.settle()
        self.of = cache(self._of)

    def _of(self, role: str) -> Tally:
        if role == "stuck":
            return self._stuck()
        own = {label: fit for label, fit in self.made.items() if fit.role == role}
        tally = Tally()
        if role == "browser":  # each by a session of its own: one of them ends it
            for label, fit in own.items():
                tally.add(run(self.world, DOCUMENT, role, {label: fit}, ALL_PHASES))
            return tally
        for chosen, phases in ((own.keys() - CALM, ALL_PHASES), (own.keys() & CALM, ALL_PHASES[:1])):
            if chosen:
                tally.add(run(self.world, DOCUMENT, role, {label: own[label] for label in sorted(chosen)}, phases))
        tally.add(wander(self.world, DOCUMENT, role, SERVED - CALM - own.keys()))
        return tally

    def _stuck(self) -> Tally:
        with stuck_effect(self.world, self.platform) as effect_id:
            fit = Fit("operator", {"effect_id": effect_id}, {"reason": "长期没有答复"})
            return run(self.world, DOCUMENT, "operator", {REFUSAL: fit}, ALL_PHASES[:1])


@pytest.fixture(scope="module")
def runs(world: World, platform: Platform) -> Runs:
    """Nothing has run yet."""
    return Runs(world, platform)


@pytest.mark.parametrize("role", ROLES)
def test_nothing_breaks_whatever_a_role_sends(runs: Runs, role: str) -> None:
    tally = runs.of(role)
    assert tally.statuses
    assert tally.failures == []


def test_every_operation_works_for_somebody_and_no_list_is_empty(runs: Runs) -> None:
    whole = Tally()
    for role in ROLES:
        whole.add(runs.of(role))
    assert [f"{label}: {whole.statuses.get(label)}" for label in sorted(SERVED - whole.reached())] == []
    assert set(LISTS) - whole.filled == set()
