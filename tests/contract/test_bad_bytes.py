"""Uploads and packs that are not what they say."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from services.kit.procedure.bundle import files_of, pack_files
from services.kit.testing import until
from tests.contract.asking import made, refused, send
from tests.contract.fits import CHUNK, Fit
from tests.contract.world import PENALTY, World, announced, bundle

OPEN_UPLOAD, APPEND = "POST /api/v1/uploads", "PATCH /api/v1/uploads/{upload_id}"
PACKS = "POST /api/v1/packs"
TEXT = "一份举报材料".encode()


def session(world: World, text: bytes = TEXT, **pairs: str) -> str:
    """A fresh upload of the registrar; `pairs` replace what is announced."""
    headers = announced(text, world.play.cast.body)
    if pairs:
        told = dict(part.split(" ", 1) for part in headers["Upload-Metadata"].split(","))
        told |= {name: base64.b64encode(value.encode()).decode() for name, value in pairs.items()}
        headers["Upload-Metadata"] = ",".join(f"{name} {value}" for name, value in told.items())
    answer = send(world, OPEN_UPLOAD, Fit("registrar", headers=headers))
    assert answer.status_code == 201, answer.text
    return answer.headers["location"].rpartition("/")[2]


def append(world: World, upload_id: str, offset: int, data: bytes, **headers: str) -> httpx.Response:
    """Bytes from an offset."""
    told = {"Upload-Offset": str(offset), "Content-Type": CHUNK}
    fit = Fit("registrar", {"upload_id": upload_id}, content=data, headers=told)
    return send(world, APPEND, fit, headers={name.replace("_", "-"): value for name, value in headers.items()})


def state(world: World, upload_id: str) -> dict[str, str]:
    """What HEAD says."""
    answer = send(world, "HEAD /api/v1/uploads/{upload_id}", Fit("registrar", {"upload_id": upload_id}))
    return {"offset": answer.headers["upload-offset"], "state": answer.headers["anjuan-upload-state"],
            "reason": unquote(answer.headers.get("anjuan-upload-reason", ""))}


def checksum(data: bytes) -> str:
    """The Upload-Checksum of a chunk."""
    return f"sha256 {base64.b64encode(hashlib.sha256(data).digest()).decode()}"


def test_a_wrong_checksum_leaves_nothing(world: World) -> None:
    upload_id = session(world)
    refused(append(world, upload_id, 0, TEXT, Upload_Checksum=checksum(b"other")), 460, slug="checksum-mismatch")
    for wrong in ("md5 x", "sha256", "sha256 ²"):
        refused(append(world, upload_id, 0, TEXT, Upload_Checksum=wrong.encode("latin-1")), 422, 460)  # type: ignore[arg-type]
    assert state(world, upload_id) == {"offset": "0", "state": "open", "reason": ""}
    assert append(world, upload_id, 0, TEXT, Upload_Checksum=checksum(TEXT)).status_code == 204


def test_a_wrong_offset_says_where_to_go_on(world: World) -> None:
    upload_id = session(world)
    assert append(world, upload_id, 0, TEXT[:5]).status_code == 204
    for offset in (0, 4, 6, 2**33):
        assert refused(append(world, upload_id, offset, TEXT[5:]), 409, slug="conflict")["offset"] == 5
    for wrong in ("-1", "x", "9" * 30, "1.5"):
        refused(append(world, upload_id, 0, TEXT, Upload_Offset=wrong), 422)
    refused(append(world, upload_id, 5, TEXT), 413)
    refused(append(world, upload_id, 5, b""), 409)
    assert state(world, upload_id)["offset"] == "5"


def test_a_line_that_is_cut_keeps_what_arrived(world: World) -> None:
    text = b"a" * (3 * 1024 * 1024)
    upload_id = session(world, text)

    def cut() -> Iterator[bytes]:
        yield text[: 2 * 1024 * 1024 + 10]
        raise ConnectionAbortedError("the station's cable is pulled")

    headers = world.people["registrar"].headers() | {"Upload-Offset": "0", "Content-Type": CHUNK}
    with pytest.raises(ConnectionAbortedError):
        world.http.patch(f"/api/v1/uploads/{upload_id}", content=cut(), headers=headers)
    arrived = until(lambda: int(state(world, upload_id)["offset"]), 30, "what arrived is durable")
    assert arrived <= 2 * 1024 * 1024 + 10

    def goes_on() -> bool:  # what arrived may still be on its way into the store
        offset = int(state(world, upload_id)["offset"])
        return append(world, upload_id, offset, text[offset:]).status_code == 204

    assert until(goes_on, 30, "it goes on where it stood")


@pytest.mark.parametrize(("pairs", "pointer"), [
    ({"sha256": "x"}, "/sha256"), ({"sha256": "A" * 64}, "/sha256"), ({"filetype": "pdf"}, "/filetype"),
    ({"purpose": "mining"}, "/purpose"), ({"filename": "a\0b"}, "/file_name"),
])  # fmt: skip
def test_a_wrong_announcement_is_refused(world: World, pairs: dict[str, str], pointer: str) -> None:
    told = dict(part.split(" ", 1) for part in announced(TEXT, world.play.cast.body)["Upload-Metadata"].split(","))
    told |= {name: base64.b64encode(value.encode()).decode() for name, value in pairs.items()}
    headers = {"Upload-Length": "9", "Upload-Metadata": ",".join(f"{k} {v}" for k, v in told.items())}
    problem = refused(send(world, OPEN_UPLOAD, Fit("registrar", headers=headers)), 422)
    assert pointer in [error["pointer"] for error in problem["errors"]]


@pytest.mark.parametrize("headers", [
    {}, {"Upload-Length": "0"}, {"Upload-Length": "-5"}, {"Upload-Length": "x"}, {"Upload-Length": "9" * 30},
    {"Upload-Length": "9", "Upload-Metadata": "sha256 ***"}, {"Upload-Length": "9", "Upload-Metadata": "sha256 /w=="},
    {"Upload-Length": "9", "Upload-Metadata": ",,,"}, {"Upload-Length": "9", "Upload-Metadata": "x" * 4001},
])  # fmt: skip
def test_headers_that_announce_nothing_are_refused(world: World, headers: dict[str, str]) -> None:
    refused(send(world, OPEN_UPLOAD, Fit("registrar", headers=headers)), 422)


def test_nobody_uploads_for_another_body_or_into_another_s_session(world: World) -> None:
    headers = announced(TEXT, world.other.cast.body)
    refused(send(world, OPEN_UPLOAD, Fit("registrar", headers=headers)), 403, 404)
    upload_id = session(world)
    told = {"Upload-Offset": "0", "Content-Type": CHUNK}
    refused(send(world, APPEND, Fit("officer", {"upload_id": upload_id}, content=TEXT, headers=told)), 403, 404)


def test_a_chunk_of_another_type_or_too_large_is_refused(world: World) -> None:
    upload_id = session(world)
    refused(append(world, upload_id, 0, TEXT, Content_Type="text/plain"), 415)
    largest = 16 * 1024 * 1024
    refused(append(world, upload_id, 0, b"x" * (largest + 1)), 413)
    headers = world.people["registrar"].headers() | {"Upload-Offset": "0", "Content-Type": CHUNK}
    endless = iter([b"x" * (1024 * 1024)] * 17)
    told = headers | {"Upload-Checksum": checksum(b"")}
    refused(world.http.patch(f"/api/v1/uploads/{upload_id}", content=endless, headers=told), 413)
    assert state(world, upload_id)["offset"] == "0"


@pytest.mark.parametrize(("text", "pairs", "why"), [
    (b"no PDF at all", {"filetype": "application/pdf"}, "文件内容不是 application/pdf"),
    (b"PK no zip", {"filetype": "application/zip"}, "文件内容不是 application/zip"),
    (b"other bytes", {"sha256": "0" * 64}, "与声明的 SHA-256 不符"),
])  # fmt: skip
def test_bytes_that_are_not_what_was_announced_are_not_kept(
    world: World, text: bytes, pairs: dict[str, str], why: str
) -> None:
    upload_id = session(world, text, **pairs)
    assert append(world, upload_id, 0, text).status_code == 204
    until(lambda: state(world, upload_id)["state"] == "failed", 30, "the upload is refused")
    assert why in state(world, upload_id)["reason"]
    assert why in refused(append(world, upload_id, len(text), b"x"), 409)["detail"]
    sha256 = pairs.get("sha256", hashlib.sha256(text).hexdigest())
    refused(send(world, "GET /api/v1/files/{sha256}", Fit("registrar", {"sha256": sha256})), 404)


def test_what_names_a_file_that_has_not_come_is_refused(world: World) -> None:
    text = f"证据{world.next()}".encode()
    sha256 = hashlib.sha256(text).hexdigest()
    material = {"name": "证据", "sha256": sha256, "size": len(text)}
    filing = replace(made(world, "POST /api/v1/filings"), body=world.filing(materials=[material]))
    proof = made(world, "POST /api/v1/servings/{serving_id}/proof")
    lacking = replace(proof, body=proof.body | {"proof_sha256": sha256})
    foreign = announced(text, world.other.cast.body)  # that another body has it is not said
    path = world.other.speak("deng").ask("POST", "/uploads", headers=foreign).headers["location"]
    told = {"Upload-Offset": "0", "Content-Type": CHUNK}
    world.other.speak("deng").ask("PATCH", path.removeprefix("/api/v1"), headers=told, content=text)
    for label, fit, pointer in (("POST /api/v1/filings", filing, "/materials/0/sha256"),
                                ("POST /api/v1/servings/{serving_id}/proof", lacking, "/proof_sha256")):  # fmt: skip
        (fault,) = refused(send(world, label, fit), 422)["errors"]
        assert (fault["pointer"], "尚未上传完成，请先上传" in fault["detail"]) == (pointer, True)
    world.upload(text, send=True)
    assert send(world, "POST /api/v1/filings", filing).status_code == 201
    assert send(world, "POST /api/v1/servings/{serving_id}/proof", lacking).status_code == 200


def test_paper_at_the_counter_names_no_file(world: World) -> None:
    filing = made(world, "POST /api/v1/filings")
    on_paper = [{"name": "举报登记表", "checklist_item": "report_record"}]
    for materials, missing in (([], 1), (on_paper, 0)):
        answer = send(world, "POST /api/v1/filings", replace(filing, body=world.filing(materials=materials)))
        assert (answer.status_code, len(answer.json()["open_items"])) == (201, missing)


def test_a_file_is_read_from_an_offset_within_reason(world: World) -> None:
    fit = made(world, "GET /api/v1/files/{sha256}")
    for offset in ("-1", "x", "9" * 30):
        refused(send(world, "GET /api/v1/files/{sha256}", replace(fit, query=fit.query | {"offset": offset})), 422)
    past = send(world, "GET /api/v1/files/{sha256}", replace(fit, query=fit.query | {"offset": 10**9}))
    assert (past.status_code, past.content) == (200, b"")


def _squeezed(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def _lying(data: bytes) -> bytes:
    """A zip whose directory speaks of far more bytes than there are."""
    start = data.rindex(b"PK\x01\x02")
    return data[: start + 24] + (2**31).to_bytes(4, "little") + data[start + 28 :]


def bad_packs() -> dict[str, tuple[bytes, str]]:
    """What is sent, and the words that the refusal must hold."""
    files = files_of(PENALTY)
    nodes, process = files["nodes.yaml"], files["process.bpmn"]
    doctype = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    head = process.index(b"?>") + 2
    end = process.rindex(b"</bpmn:process>" if b"</bpmn:process>" in process else b"</process>")
    prefix = b"bpmn:" if b"</bpmn:process>" in process else b""
    script = b"<%sscriptTask id='evil' name='x'><%sscript>import os</%sscript></%sscriptTask>" % ((prefix,) * 4)
    return {
        "no zip": (b"this is text", "不是程序包"),
        "a cut zip": (pack_files(files)[:-200], "不是程序包"),
        "a zip bomb": (_squeezed({"pack.yaml": b"\0" * 50_000_000}), "压缩"),
        "a lying zip": (_lying(bundle("0.9.1")), "程序包"),
        "a way out": (pack_files({**files, "../../evil.yaml": b"x"}), "不认识的文件"),
        "a dangling reference": (
            pack_files(files | {"nodes.yaml": nodes.replace(b"role: division_head", b"role: no_such_role", 1)}),
            "nodes.yaml"),
        "a script": (pack_files(files | {"process.bpmn": process[:end] + script + process[end:]}), "process.bpmn"),
        "a DTD": (
            pack_files(files | {"process.bpmn": process[:head] + doctype + process[head:]}), "process.bpmn"),
        "no XML": (pack_files(files | {"process.bpmn": b"<<<"}), "process.bpmn"),
        "an anchor": (pack_files(files | {"nodes.yaml": b"a: &x 1\nb: *x\n"}), "nodes.yaml"),
        "no UTF-8": (pack_files(files | {"nodes.yaml": b"\xff\xfe"}), "nodes.yaml"),
        "deep YAML": (pack_files(files | {"nodes.yaml": b"[" * 5000}), "nodes.yaml"),
        "a condition that is none": (
            pack_files(files | {"nodes.yaml": nodes.replace(b"form.decision == 'docket'", b"__import__('os')", 1)}),
            "nodes.yaml"),
    }  # fmt: skip


@pytest.mark.parametrize("what", sorted(bad_packs()))
def test_a_bad_pack_is_told_file_and_line(world: World, what: str) -> None:
    data, words = bad_packs()[what]
    answer = send(world, PACKS, Fit("publisher", content=data, headers={"Content-Type": "application/zip"}))
    problem = refused(answer, 422)
    said = problem["detail"] + "".join(e["pointer"] + e["detail"] for e in problem.get("errors", []))
    assert words in said
    listed: list[dict[str, Any]] = world.http.get(
        "/api/v1/packs", headers=world.people["publisher"].headers(), params={"limit": 100}
    ).json()["packs"]
    assert hashlib.sha256(data).hexdigest() not in {one["sha256"] for one in listed}


def test_a_pack_is_published_by_two_people_only(world: World) -> None:
    fit = made(world, PACKS)
    for role in ("registrar", "leader", "party", "administrator"):
        refused(send(world, PACKS, fit, role=role), 403)
    proposed = send(world, PACKS, fit).json()
    confirm = Fit("publisher", {"sha256": proposed["sha256"]})
    refused(send(world, "POST /api/v1/packs/{sha256}/confirmation", confirm), 403)
    other = bundle(proposed["version"], checklist__yaml=files_of(PENALTY)["checklist.yaml"] + b"# changed\n")
    refused(send(world, PACKS, replace(fit, content=other)), 409, slug="conflict")


def test_a_pack_of_another_type_empty_or_too_large_is_refused(world: World) -> None:
    zipped = {"Content-Type": "application/zip"}
    refused(send(world, PACKS, Fit("publisher", content=b"x", headers={"Content-Type": "text/plain"})), 415)
    refused(send(world, PACKS, Fit("publisher", content=b"", headers=zipped)), 422)
    refused(send(world, PACKS, Fit("publisher", content=b"x" * (16 * 1024 * 1024 + 1), headers=zipped)), 413)
