"""What identity hears: only the cases' cards, which kit keeps for its access decisions."""

from __future__ import annotations

from services.kit.run import Host


class IdentityConsumer:
    """No reactions of its own; the projections are fed by kit."""

    sources = ("intake", "workflow")

    def __init__(self, host: Host) -> None:
        self.host = host
