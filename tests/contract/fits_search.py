"""The request that fits the search; see fits."""

from __future__ import annotations

from tests.contract.fits import _plain

_plain("GET", "/search", "officer", text=lambda world: "线索", kind=lambda world: "case")
