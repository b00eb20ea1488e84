"""Every route with JSON in it, with everything that can be wrong with JSON; nothing here may change anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from services.kit.testing import until
from tests.contract.asking import made, refused, send
from tests.contract.fits import Fit
from tests.contract.test_openapi import DOCUMENT, OPEN, OPERATIONS, SERVED
from tests.contract.world import World, as_json

STRANGE: list[Any] = [[{"strange": [1]}]]
ONE_MIB = 1024 * 1024
AUDIT = "GET /api/v1/cases/{case_id}/audit"
HIS_OWN = {"GET /api/v1/cases/{case_id}", "GET /api/v1/filings/{filing_id}", "GET /api/v1/files/{sha256}",
           "GET /api/v1/cases/{case_id}/course", "GET /api/v1/cases/{case_id}/clocks"}  # fmt: skip

# an account belongs to no body: whoever takes filings in may have seen the document
ANY_COUNTER = {"POST /api/v1/accounts/{account_id}/confirmation-code", "POST /api/v1/accounts/{account_id}/block"}


def json_schema(label: str) -> dict[str, Any]:
    """The schema of an operation's JSON body; empty when it takes none."""
    content = OPERATIONS[label].get("requestBody", {}).get("content", {})
    schema: dict[str, Any] = content.get("application/json", {}).get("schema", {})
    if "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def parameters(label: str, where: str) -> list[dict[str, Any]]:
    """The operation's parameters in one place."""
    return [p for p in OPERATIONS[label].get("parameters", []) if p["in"] == where]


WITH_JSON = sorted(label for label in SERVED if json_schema(label))
LISTS = sorted(label for label in SERVED if any(p["name"] == "cursor" for p in parameters(label, "query")))
WITH_IDS = sorted(label for label in SERVED if parameters(label, "path"))
WITH_VERSION = sorted(
    label for label in SERVED if any(p["name"].lower() == "if-match" for p in parameters(label, "header"))
)
# whose task it is may complete it or send it back without: nobody else could have changed it
FREE = ("/completion", "/sending-back")
UNREAD = [label for label in WITH_VERSION if not label.endswith(FREE)]


@pytest.fixture(scope="module")
def kept(world: World) -> dict[str, Fit]:
    """One fitting request for each operation; all that is sent of it here is refused."""
    return {label: made(world, label) for label in sorted(SERVED)}


def wrong_bodies(label: str, body: dict[str, Any]) -> Iterator[tuple[str, bytes, str]]:
    """What is wrong, the bytes, and the pointer that the answer must name (if any)."""
    schema = json_schema(label)
    for name in schema.get("required", []):
        yield f"without {name}", as_json({k: v for k, v in body.items() if k != name}), f"/{name}"
    for name in schema["properties"]:
        wrong = {"not": "a list"} if schema["properties"][name].get("type") == "array" else STRANGE
        yield f"{name} of a wrong type", as_json(body | {name: wrong}), f"/{name}"
    yield "an unknown field", as_json(body | {"unknown_field": 1}), "/unknown_field"
    yield "half a surrogate as a field", as_json(body)[:-1] + b', "\\ud800": 1}', ""
    for name, value in body.items():
        if isinstance(value, str):
            yield f"NUL in {name}", as_json(body | {name: value + "\0"}), ""
            yield f"half a surrogate in {name}", as_json(body | {name: "#"}).replace(b'"#"', b'"\\ud800"'), ""
            yield f"an endless {name}", as_json(body | {name: "长" * 20_000}), ""
        if isinstance(value, dict):
            yield from _wrong_free_form(body, name)


def _wrong_free_form(body: dict[str, Any], name: str) -> Iterator[tuple[str, bytes, str]]:
    whole = as_json(body | {name: {"x": "#"}})
    for what, text in (("NaN", b"NaN"), ("Infinity", b"-Infinity"), ("half a surrogate", b'"\\ud800"'),
                       ("NUL", b'"\\u0000"'), ("a number beyond all", b"1" + b"0" * 400),
                       ("200 levels", b"[" * 200 + b"]" * 200)):  # fmt: skip
        yield f"{what} in {name}", whole.replace(b'"#"', text), ""


@pytest.mark.parametrize("label", WITH_JSON)
def test_a_wrong_field_is_named(world: World, kept: dict[str, Fit], label: str) -> None:
    for what, content, pointer in wrong_bodies(label, kept[label].body):
        answer = send(world, label, kept[label], content=content)
        assert answer.status_code >= 400, (what, answer.text)
        told = refused(answer, *((401, 422) if label in OPEN else (422,)))
        if not pointer:
            continue
        pointers = [error["pointer"] for error in told["errors"]]
        assert any(one == pointer or one.startswith(f"{pointer}/") for one in pointers), (what, told)


@pytest.mark.parametrize("label", WITH_JSON)
def test_what_is_no_json_object_is_refused(world: World, kept: dict[str, Fit], label: str) -> None:
    for content in (b"", b"{", b"[]", b"null", b'"text"', b"NaN", b"\xff\xfe{}", b"[" * 100_000, b"1" * 5000):
        refused(send(world, label, kept[label], content=content), 400, 422)


@pytest.mark.parametrize("label", WITH_JSON)
def test_another_content_type_is_refused(world: World, kept: dict[str, Fit], label: str) -> None:
    for kind in ("text/plain", "application/xml", "application/x-www-form-urlencoded", "application/json-but-not"):
        refused(send(world, label, kept[label], headers={"Content-Type": kind}), 415, 422)


@pytest.mark.parametrize("label", WITH_JSON)
def test_a_body_over_the_limit_is_refused(world: World, kept: dict[str, Fit], label: str) -> None:
    refused(send(world, label, kept[label], content=b" " * (ONE_MIB + 1)), 413, slug="too-large")


def test_a_body_of_unknown_length_is_refused(world: World) -> None:
    headers = world.people["registrar"].headers() | {"Content-Type": "application/json"}
    answer = world.http.post("/api/v1/filings", content=iter([b"{", b"}"]), headers=headers)
    refused(answer, 422)


@pytest.mark.parametrize("label", sorted(SERVED - OPEN))
def test_without_credentials_nobody_is_heard(world: World, kept: dict[str, Fit], label: str) -> None:
    refused(send(world, label, kept[label], role="anonymous"), 401, slug="not-signed-in")


@pytest.mark.parametrize("label", LISTS)
def test_a_bad_cursor_limit_or_filter_is_refused(world: World, kept: dict[str, Fit], label: str) -> None:
    fit = kept[label]
    for cursor in ("x", "²", "9" * 40, "W10", "bnVsbA", "eyJhIjoxfQ", "A" * 601, "\x00"):
        refused(send(world, label, replace(fit, query=fit.query | {"cursor": cursor})), 422)
    for limit in ("0", "-1", "101", "1.5", "x", "", "9" * 30):
        refused(send(world, label, replace(fit, query=fit.query | {"limit": limit})), 422)
    for one in parameters(label, "query"):
        if one["name"] not in ("cursor", "limit"):
            told = replace(fit, query=fit.query | {one["name"]: "\x00"})
            pointer = refused(send(world, label, told), 422)["errors"][0]["pointer"]
            assert pointer.split("/")[0] == f"query:{one['name']}"


@pytest.mark.parametrize("label", LISTS)
def test_a_day_that_is_none_is_refused(world: World, kept: dict[str, Fit], label: str) -> None:
    days = [p["name"] for p in parameters(label, "query") if "received" in p["name"] or p["name"] == "due_to"]
    for name in days:
        for day in ("2025-02-30", "0000-01-01", "2025-1-1", "tomorrow"):
            refused(send(world, label, replace(kept[label], query={name: day})), 422)


@pytest.mark.parametrize("label", WITH_IDS)
def test_an_unknown_or_impossible_id_is_not_found(world: World, kept: dict[str, Fit], label: str) -> None:
    fit = kept[label]
    for fitting in ("0" * 64,) if "sha256" in fit.path else ("no-such-object", "01a206ff-0000-7000-8000-000000000000"):
        answer = send(world, label, replace(fit, path=dict.fromkeys(fit.path, fitting)))
        if label != AUDIT:  # a room's log holds nothing of it
            refused(answer, *((401, 404) if label in OPEN else (403, 404)))
    for ident in ("%00", "x" * 65, "中", "a b", "'--"):
        refused(send(world, label, replace(fit, path=dict.fromkeys(fit.path, ident))), 404, 422)


@pytest.mark.parametrize("label", sorted(set(WITH_IDS) - OPEN - {"GET /api/v1/bodies/{body_id}"}))
def test_another_body_s_objects_are_as_if_they_were_not(world: World, kept: dict[str, Fit], label: str) -> None:
    strangers = {"neighbour", "administrator", "party"} - {kept[label].role}
    if label in HIS_OWN:
        strangers -= {"party"}
    if label in ANY_COUNTER:
        strangers -= {"neighbour"}
    for role in sorted(strangers):
        refused(send(world, label, kept[label], role=role), 403, 404)


@pytest.mark.parametrize("label", WITH_VERSION)
def test_a_stale_version_is_refused(world: World, kept: dict[str, Fit], label: str) -> None:
    refused(send(world, label, kept[label], headers={"If-Match": '"987654321"'}), 412, slug="stale-version")
    for wrong in ("x", '"1', '"-1"', '"²"'.encode("latin-1"), '"' + "9" * 19 + '"'):
        answer = send(world, label, kept[label], headers={"If-Match": wrong})  # type: ignore[dict-item]
        refused(answer, 412, 422)


@pytest.mark.parametrize("label", UNREAD)
def test_a_change_without_the_version_read_names_the_header(world: World, kept: dict[str, Fit], label: str) -> None:
    others = {name: value for name, value in kept[label].headers.items() if name != "If-Match"}
    said = refused(send(world, label, replace(kept[label], headers=others)), 428, slug="version-missing")
    assert "If-Match" in said["detail"]
    assert said["errors"] == [{"pointer": "header:If-Match", "detail": "必填"}]


def test_what_was_refused_has_changed_nothing(world: World, kept: dict[str, Fit]) -> None:
    """Every request that fitted before the others were tried fits still."""
    world.settle()
    for label in ("POST /api/v1/tasks/{task_id}/completion", "POST /api/v1/tasks/{task_id}/decision",
                  "POST /api/v1/stations/{station_id}/decision", "POST /api/v1/hearings/{hearing_id}/cancellation",
                  "PATCH /api/v1/filings/{filing_id}"):  # fmt: skip
        answer = send(world, label, kept[label])
        assert answer.status_code == 200, answer.text
    open_task = kept["PUT /api/v1/tasks/{task_id}/draft"].path["task_id"]
    headers = world.people["officer"].headers()
    view = until(lambda: world.http.get(f"/api/v1/tasks/{open_task}", headers=headers).json(), 10, "the task")
    assert view["draft"] in (None, {})


def test_hundreds_of_faults_are_told_at_once(world: World) -> None:
    label = "POST /api/v1/filings"
    party = {"role": "respondent", "kind": "natural_person", "name": "周明", "id_kind": "resident_id", "id_number": "1"}
    fit = replace(made(world, label), body=world.filing(parties=[party] * 300))
    assert len(refused(send(world, label, fit), 422)["errors"]) >= 300
