"""What identity hears of the others: nothing. Its people and bodies come by its own calls."""

from __future__ import annotations

from services.kit.run import Host


class IdentityConsumer:
    """Every room has one; this one listens to nobody."""

    sources: tuple[str, ...] = ()

    def __init__(self, host: Host) -> None:
        self.host = host
