"""Facts the notices room listens to."""

from __future__ import annotations

from services.kit import effects
from services.kit.events import Event
from services.kit.run import Host
from services.notices import usecases
from services.notices.store import NoticesUnit


class NoticesConsumer:
    """Cases and people come through kit's projections; workflow asks for notices."""

    sources = ("identity", "intake", "workflow")

    def __init__(self, host: Host) -> None:
        self.host = host

    def on_effect_requested(self, event: Event, uow: NoticesUnit) -> None:
        """Perform what is asked of this room."""
        effects.perform(event, uow, {"notify": usecases.notify})  # type: ignore[dict-item]

    def on_approval_asked(self, event: Event, uow: NoticesUnit) -> None:
        """The approvers are told."""
        usecases.tell_approvers(uow, event)

    def on_effect_withdrawn(self, event: Event, uow: NoticesUnit) -> None:
        """An effect that is not wanted any more."""
        effects.withdrawn(event, uow)
