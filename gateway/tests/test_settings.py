"""Production is never softer than it says."""

from __future__ import annotations

import pytest

from gateway.settings import GatewaySettings

PRODUCTION = {"ANJUAN_RPC": "intake=127.0.0.1:1", "ANJUAN_PROFILE": "kubernetes"}


def test_production_cookies_travel_by_https_alone() -> None:
    assert GatewaySettings.from_environment(PRODUCTION).secure_cookies
    assert not GatewaySettings.from_environment(PRODUCTION | {"ANJUAN_PROFILE": "embedded"}).secure_cookies
    embedded = {"ANJUAN_PROFILE": "embedded", "ANJUAN_SECURE_COOKIES": "1"}
    assert GatewaySettings.from_environment(PRODUCTION | embedded).secure_cookies


@pytest.mark.parametrize("soft", ["ANJUAN_SECURE_COOKIES=0", "ANJUAN_SCRIPTED=1"])
def test_production_refuses_what_only_a_demo_may(soft: str) -> None:
    with pytest.raises(ValueError, match=soft):
        GatewaySettings.from_environment(PRODUCTION | dict([soft.split("=")]))
