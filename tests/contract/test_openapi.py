"""What the OpenAPI document and the protos promise."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from gateway.app import create
from gateway.settings import GatewaySettings
from services.kit.settings import ROOT
from tests.contract.fits_archive import FITS

METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
OPEN = {
    "POST /api/v1/session", "POST /api/v1/accounts", "POST /api/v1/stations", "OPTIONS /api/v1/uploads",
    "POST /api/v1/stations/{station_id}/token", "GET /healthz", "DELETE /api/v1/session",
}  # fmt: skip
DOCUMENT: dict[str, Any] = create(GatewaySettings(rpc={})).openapi()
OPERATIONS = {
    f"{method.upper()} {path}": item[method]
    for path, item in DOCUMENT["paths"].items() for method in METHODS if method in item
}  # fmt: skip
SERVED = OPERATIONS.keys() & FITS.keys()
BUF = Path(sys.executable).parent / "buf"


def refs(value: Any) -> set[str]:
    """Every $ref within."""
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(refs(one) for one in value.values()))
    return set().union(*(refs(one) for one in value)) if isinstance(value, list) else set()


def test_the_document_is_openapi_3_1() -> None:
    from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

    assert DOCUMENT["openapi"].startswith("3.1")
    assert [error.message for error in OPENAPI_31_VALIDATOR.iter_errors(DOCUMENT)] == []


def test_every_reference_leads_somewhere_and_every_schema_is_one() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    assert refs(DOCUMENT) <= {f"#/components/schemas/{name}" for name in schemas}
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)


def test_operation_ids_are_unique() -> None:
    named = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(set(named)) == len(named)


@pytest.mark.parametrize("label", sorted(OPERATIONS))
def test_the_operation_says_what_it_is_and_how_it_fails(label: str) -> None:
    operation, problem = OPERATIONS[label], {"$ref": "#/components/schemas/Problem"}
    assert operation["summary"]
    assert operation["tags"]
    answers = operation["responses"]
    assert any(code.startswith("2") for code in answers)
    refusals = {code: told for code, told in answers.items() if code[0] in "45"}
    assert refusals.keys() >= {"400", "401", "403", "404", "409", "412", "413", "415", "422", "429", "503"}
    for code, told in refusals.items():
        assert told["content"] == {"application/problem+json": {"schema": problem}}, code


@pytest.mark.parametrize("label", sorted(OPERATIONS))
def test_the_operation_asks_for_credentials_unless_it_is_open(label: str) -> None:
    security = OPERATIONS[label].get("security", DOCUMENT["security"])
    assert security == ([] if label in OPEN else [{"bearer": []}, {"session": []}])


@pytest.mark.parametrize("label", sorted(OPERATIONS))
def test_what_takes_bytes_or_gives_them_says_so(label: str) -> None:
    answers = OPERATIONS[label]["responses"]
    content = answers[next(code for code in answers if code.startswith("2"))].get("content", {})
    described = [told["schema"] for told in content.values()]
    assert {} not in described, "an answer without a shape"


def test_every_operation_has_a_request_that_fits() -> None:
    assert sorted(OPERATIONS.keys() - FITS.keys()) == []
    assert sorted(FITS.keys() - OPERATIONS.keys()) == []


def test_the_running_gateway_serves_this_document(http: httpx.Client) -> None:
    assert http.get("/openapi.json").json() == DOCUMENT


def test_protos_keep_buf_s_rules() -> None:
    done = subprocess.run([BUF, "lint"], cwd=ROOT / "proto", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _last_protos(folder: Path) -> bool:
    """The protos of the last commit, laid into a folder; False when there is no commit to compare with."""
    git = shutil.which("git")
    if git is None:
        return False
    asked: list[str] = [git, "-C", str(ROOT), "archive", "--format=tar", "HEAD", "proto"]
    archived = subprocess.run(asked, capture_output=True, check=False)
    if archived.returncode:
        return False
    tar = folder / "proto.tar"
    tar.write_bytes(archived.stdout)
    shutil.unpack_archive(tar, folder, filter="data")
    return True


def test_protos_break_nothing_that_was_committed(tmp_path: Path) -> None:
    against = tmp_path / "proto" if _last_protos(tmp_path) else ROOT / "proto"
    done = subprocess.run([BUF, "breaking", "--against", str(against)],
                          cwd=ROOT / "proto", capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
