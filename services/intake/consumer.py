"""What the intake room does at the facts of others; bodies, people, packs and due days it only remembers (kit)."""

from __future__ import annotations

from functools import partial
from typing import Any

from services.intake.store import IntakeUnit
from services.intake.store.packs import Packs
from services.intake.usecases import decisions, requests
from services.intake.usecases.docket import docket
from services.intake.usecases.standing import keep_account
from services.kit import effects
from services.kit.events import Event
from services.kit.run import Host


class IntakeConsumer:
    """Performs the effects that workflow asks of intake."""

    sources = ("identity", "workflow", "supervision", "archive")

    def __init__(self, host: Host) -> None:
        self.packs = packs = Packs(host.objects)
        self.performers: dict[str, Any] = {
            "accept_filing": decisions.accept_filing,
            "decline_filing": decisions.decline_filing,
            "issue_deficiency_notice": partial(decisions.issue_deficiency_notice, packs),
            "docket": partial(docket, packs),
            "refuse_docketing": partial(decisions.refuse_docketing, packs),
            "close_case": decisions.close_case,
            "link_case": decisions.link_case,
        }

    def on_effect_requested(self, event: Event, uow: IntakeUnit) -> None:
        """Perform it once, and answer."""
        effects.perform(event, uow, self.performers)

    def on_effect_withdrawn(self, event: Event, uow: IntakeUnit) -> None:
        """An effect that is not wanted any more."""
        effects.withdrawn(event, uow)
        requests.withdraw_request(uow, event)

    def on_account_changed(self, event: Event, uow: IntakeUnit) -> None:
        """A clerk has confirmed an account, or blocked it."""
        keep_account(uow, event.data.account_id, event.data.state)

    def on_superior_asked(self, event: Event, uow: IntakeUnit) -> None:
        """Another body asks one of ours."""
        requests.receive_request(self.packs, uow, event)

    def on_procedure_concluded(self, event: Event, uow: IntakeUnit) -> None:
        """What was asked is decided."""
        requests.answer_request(uow, event)
