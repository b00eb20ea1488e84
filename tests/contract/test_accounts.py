"""An impostor comes first: whose number it is, the counter decides; and the filer sees his case from the first day."""

from __future__ import annotations

import httpx
import pytest

from services.kit.testing import until
from services.ops.demo.cast import PASSWORD
from services.ops.demo.site import RefusedError, Voice
from tests.contract.asking import refused
from tests.contract.people import confirm, open_account, resident_id
from tests.contract.world import DOCKETED, World

VICTIM = resident_id(4714)


def holder(world: World) -> Voice:
    """Whoever is signed in under the number."""
    voice = world.stage.voice(VICTIM.lower(), PASSWORD)
    voice.token()
    return voice


def linked(world: World, account_id: str) -> str:
    """A case to which the clerk links the account."""
    respondent = {"role": "respondent", "kind": "natural_person", "name": "周明", "account_id": account_id}
    return world.case(*DOCKETED, parties=[respondent]).case_id


def opens(voice: Voice, case_id: str) -> bool:
    try:
        return bool(voice.get(f"/cases/{case_id}")["case_id"] == case_id)
    except RefusedError as refusal:
        if refusal.slug != "case-not-known":
            raise
        return False


def test_a_clerk_links_nobody_whose_document_was_not_seen(world: World) -> None:
    clerk, asked = world.play.speak("deng"), {"id_kind": "resident_id", "id_number": VICTIM}
    open_account(world.http, VICTIM)
    impostor = holder(world)
    found = clerk.post("/accounts/inquiry", asked)
    assert (found["state"], VICTIM in str(found)) == ("registered", False)
    with pytest.raises(RefusedError) as refusal:
        linked(world, found["account_id"])
    assert [error["pointer"] for error in refusal.value.body["errors"]] == ["/parties/0/account_id"]
    assert clerk.post(f"/accounts/{found['account_id']}/block", {"reason": "持证人称未注册"})["state"] == "blocked"
    signing_in = {"sign_in": VICTIM.lower(), "password": PASSWORD}
    refused(world.http.post("/api/v1/session", json=signing_in), 401)
    mine = open_account(world.http, VICTIM)
    victim = holder(world)
    confirm(clerk, victim, mine)
    assert clerk.post("/accounts/inquiry", asked) == found | {"account_id": mine, "state": "confirmed"}
    world.settle()
    case_id = linked(world, mine)
    until(lambda: opens(victim, case_id), 30, "the victim's case")
    assert not opens(impostor, case_id), "its last token has minutes to live"
    world.settle()
    assert "clocks" in victim.get(f"/cases/{case_id}/clocks")
    assert clerk.post(f"/accounts/{mine}/block", {"reason": "本人申请停用"})["state"] == "blocked"
    world.settle()
    assert not opens(victim, case_id), "no card names a blocked account"
    with pytest.raises(RefusedError) as refusal:
        victim.get(f"/cases/{case_id}/clocks")
    assert refusal.value.slug == "case-not-known"


def test_a_reporter_opens_no_case(world: World, http: httpx.Client) -> None:
    own = world.filing()
    own.pop("reporter")
    told = world.people["reporter"].headers()
    made = http.post("/api/v1/filings", json=own, headers=told).json()
    assert http.get(f"/api/v1/filings/{made['filing_id']}", headers=told).json()["state"] == "submitted"
    refused(http.get(f"/api/v1/cases/{made['case_id']}", headers=told), 404, slug="case-not-known")
