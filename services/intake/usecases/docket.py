"""立案 or its refusal: the official number is allotted."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from anjuan.intake.v1 import events_pb2 as events
from services.intake.model.case import Case
from services.intake.model.numbering import DRAWN_FROM, DRAWN_TO, is_drawn, official_number, series_of
from services.intake.store import IntakeUnit
from services.intake.store.packs import Packs
from services.intake.usecases.telling import tell
from services.kit.effects import EffectCall


def docket(packs: Packs, uow: IntakeUnit, call: EffectCall) -> Mapping[str, Any]:
    """Number and day of docketing, dated by the act's `occurred_on`; its year is the number's year.

    Raises:
        RuleRefusedError: the case is decided already, waits for correction, or its procedure is not docketed.
    """
    before, on = uow.locked(call.case_id), call.occurred_on
    before.may_docket(on)
    number = allot(packs, uow, before, on.year)
    after = before.docketed(number, on)
    uow.cases.save(before, after)
    fact = events.CaseDocketed(case_number=number, docketed_on=on.isoformat())
    tell(uow, "docket", after, fact, on, {"case_number": number, "reason": call.params.get("reason", "")})
    return {"case_number": number, "docketed_on": on.isoformat()}


def allot(packs: Packs, uow: IntakeUnit, case: Case, year: int) -> str:
    """The next number of the body's series; after every other lock, for its row is everybody's."""
    pack, body = packs.pinned(uow.connection, case.pack), uow.bodies.get(case.body_id)
    series = series_of(pack)
    if is_drawn(pack):
        return official_number(pack, body, year, secrets.randbelow(DRAWN_TO - DRAWN_FROM) + DRAWN_FROM)
    return official_number(pack, body, year, uow.numbers.take(body.body_id, series, year))
