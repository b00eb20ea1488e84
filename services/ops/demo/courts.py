"""A court of domain/courts.csv with the one above it, as the bodies of a play."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from anjuan.identity.v1 import identity_pb2 as pb
from services.kit.numbers import court_numbers


def is_court(told: Mapping[str, Any]) -> bool:
    """Whether an example's body is a court of the list."""
    return str(told["code"]) in court_numbers().courts


def court_bodies(told: Mapping[str, Any], root_id: str, body_id: str, legal_on: str) -> list[pb.Body]:
    """The court one tier up, scripted from that day, and the court itself."""
    courts = court_numbers().courts
    own = courts[str(told["code"])]
    upper = courts[own.parent_code]
    return [
        pb.Body(body_id=root_id, name=upper.name, kind="court", tier=upper.tier, code=upper.code, legal_on=legal_on),
        pb.Body(body_id=body_id, parent_id=root_id, name=own.name, kind="court", tier=own.tier, code=own.code),
    ]
