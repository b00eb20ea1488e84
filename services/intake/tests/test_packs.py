"""The packs that ship: their examples' filings come in, and their cases get the numbers that the examples state."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from anjuan.identity.v1.events_pb2 import BodyChanged
from anjuan.identity.v1.identity_pb2 import Body
from anjuan.intake.v1 import intake_pb2 as pb
from services.intake.tests.scene import Scene
from services.kit.effects import struct
from services.kit.identity import Actor
from services.kit.procedure.bundle import bundle_of, load_bundle
from services.kit.settings import procedures_dir

PACKS = {folder.name: bundle_of(folder) for folder in sorted(procedures_dir().iterdir()) if folder.is_dir()}
EXAMPLES = [(pack, name) for pack, data in PACKS.items() for name in sorted(load_bundle(data).examples)]


def filing_of(act: dict[str, Any], pack_id: str) -> pb.Filing:
    asked = act["filing"]
    filing = pb.Filing(
        body_id="body-example", procedure_id=pack_id, channel=asked["channel"], title=asked["title"],
        cause=asked.get("cause", ""), amount_in_dispute_fen=asked.get("amount_in_dispute_fen", 0),
        parties=[pb.Party(**party) for party in asked.get("parties", ())], content=struct(asked.get("content", {})),
        materials=[pb.Material(checklist_item=item, name=item, copies=3) for item in asked.get("materials", ())],
    )  # fmt: skip
    if "reporter" in asked:
        filing.reporter.CopyFrom(pb.Reporter(**asked["reporter"]))
    return filing


def test_there_are_examples() -> None:
    assert EXAMPLES


@pytest.mark.parametrize(("pack_id", "name"), EXAMPLES)
def test_an_examples_filing_comes_in(scene: Scene, pack_id: str, name: str) -> None:
    pack = load_bundle(PACKS[pack_id])
    example = pack.examples[name]
    kind = "bureau" if pack.kind == "any" else pack.kind
    body = Body(body_id="body-example", name=example["body"]["name"], kind=kind, code=example["body"]["code"])
    scene.hears("identity", BodyChanged(body=body), body.body_id)
    scene.publish(PACKS[pack_id], pack_id, pack.version, pack.valid_from.isoformat())
    act = next(a for a in example["acts"] if a["do"] == "file" and "refused" not in a)
    scene.moves(body.body_id, date.fromisoformat(act["on"]))
    who = example["people"].get(act.get("who"), {})
    actor = Actor("staff", "p-1", who.get("name", "立案员"), body.body_id, frozenset(who.get("roles", pack.roles)))
    case = scene.submits(filing_of(act, pack_id), actor)
    assert (scene.told(case.case_id)[0].pack_version, list(case.open_items)) == (pack.version, [])
    if stated := example["expect"].get("numbers", {}).get("docket"):
        assert scene.asks("docket", case, date.fromisoformat(act["on"]))["case_number"] == stated
