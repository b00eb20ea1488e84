"""Schemathesis as one person at a time: the served document, with the ids and requests that fit fed in."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from schemathesis.engine import events, from_schema

from tests.contract.fits import CHUNK, ZIP, Fit
from tests.contract.fits_documents import DOCX
from tests.contract.world import World

CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")
# which of the world's ids an id in a path may be; what is not here is generated
FED = {"body_id": ("body",), "account_id": ("account",),
       "case_id": ("case", "docketed", "foreign_case"), "task_id": ("task",), "clock_id": ("clock",),
       "filing_id": ("filing",), "upload_id": ("upload",), "notice_id": ("notice",), "hearing_id": ("hearing",),
       "station_id": ("station",), "effect_id": ("effect",), "sha256": ("pack", "sha256"),
       "instrument_id": ("instrument",), "serving_id": ("serving",), "page_id": ("page",), "pile_id": ("pile",),
       "batch_id": ("batch",), "volume_id": ("volume",)}  # fmt: skip
LARGEST_POOL = 12
BYTES: dict[str, bytes] = {}


@schemathesis.serializer(ZIP, CHUNK, DOCX)
def _bytes(context: schemathesis.SerializationContext, value: Any) -> Any:
    """The bytes that a name in an example stands for; generated ones go as they are."""
    return BYTES[value] if isinstance(value, str) and value in BYTES else value


@dataclass
class Tally:
    """What a run has shown: statuses by operation, lists that came back with rows, and failures."""

    statuses: dict[str, dict[int, int]] = field(default_factory=dict)
    filled: set[str] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)

    def reached(self) -> set[str]:
        """Operations that answered 2xx."""
        return {label for label, seen in self.statuses.items() if any(200 <= s < 300 for s in seen)}

    def add(self, other: Tally) -> None:
        """Take another run in."""
        for label, seen in other.statuses.items():
            mine = self.statuses.setdefault(label, {})
            for status, times in seen.items():
                mine[status] = mine.get(status, 0) + times
        self.filled |= other.filled
        self.failures += other.failures


def _configured(world: World, role: str, phases: Iterable[str], examples: int) -> schemathesis.Config:
    chosen = {name: {"enabled": name in phases} for name in ("examples", "coverage", "fuzzing", "stateful")}
    quiet = {"extra-data-sources": {"responses": False}}
    return schemathesis.Config.from_dict({
        "base-url": str(world.http.base_url).rstrip("/"), "headers": world.people[role].headers(), "seed": 20250303,
        "checks": {"enabled": False} | {name: {"enabled": True} for name in CHECKS},
        "generation": {"max-examples": examples, "deterministic": True, "no-shrink": True, "database": "none",
                       "with-security-parameters": False},
        "phases": {name: told | (quiet if name != "stateful" else {}) for name, told in chosen.items()},
        "continue-on-failure": True, "request-timeout": 60, "suppress-health-check": ["all"],
    })  # fmt: skip


def _fed(world: World, document: dict[str, Any], labels: Iterable[str], made: dict[str, Fit]) -> dict[str, Any]:
    """The document with these operations alone; ids in paths are known ones, requests that fit are examples."""
    told = copy.deepcopy(document)
    paths: dict[str, dict[str, Any]] = {}
    for label in labels:
        method, path = label.split(" ", 1)
        operation = told["paths"][path][method.lower()]
        for parameter in operation.get("parameters", []):
            _feed(world, parameter, made.get(label))
        if label in made:
            _show_body(operation, made[label])
        paths.setdefault(path, {})[method.lower()] = operation
    return told | {"paths": paths}


def _feed(world: World, parameter: dict[str, Any], fit: Fit | None) -> None:
    name, where = parameter["name"], parameter["in"]
    pool = [one for kind in FED.get(name, ()) for one in world.known.get(kind, [])]
    if where == "path" and pool:
        own = [fit.path[name]] if fit else []
        parameter["schema"] = {"type": "string", "enum": list(dict.fromkeys(own + pool))[:LARGEST_POOL]}
    if fit is not None:
        sent: dict[str, Any] = {"path": fit.path, "query": fit.query, "header": fit.headers}[where]
        shown = {key.lower(): value for key, value in sent.items()}
        if name.lower() in shown:
            parameter["example"] = shown[name.lower()]


def _show_body(operation: dict[str, Any], fit: Fit) -> None:
    if fit.content is not None:
        token = f"bytes-{len(BYTES)}"
        BYTES[token] = fit.content
        for told in operation["requestBody"]["content"].values():
            told["example"] = token
    elif fit.body is not None:
        operation["requestBody"]["content"]["application/json"]["example"] = fit.body


def run(world: World, document: dict[str, Any], role: str, made: dict[str, Fit], phases: Iterable[str]) -> Tally:
    """One person tries operations, with requests that fit."""
    config = _configured(world, role, phases, examples=4)
    return _executed(role, schemathesis.openapi.from_dict(_fed(world, document, made, made), config=config))


def wander(world: World, document: dict[str, Any], role: str, labels: Iterable[str]) -> Tally:
    """One person tries operations that are for others, with ids that others made."""
    config = _configured(world, role, ["fuzzing"], examples=2)
    return _executed(role, schemathesis.openapi.from_dict(_fed(world, document, sorted(labels), {}), config=config))


def _executed(role: str, schema: Any) -> Tally:
    tally = Tally()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            _count(tally, role, event.recorder)
        elif isinstance(event, events.NonFatalError | events.FatalError):
            tally.failures.append(f"{role}: {event!r}")
    return tally


def _count(tally: Tally, role: str, recorder: Any) -> None:
    for case_id, interaction in recorder.interactions.items():
        case, answer = recorder.cases[case_id].value, interaction.response
        if answer is None or case.method.upper() != recorder.label.split(" ", 1)[0]:
            continue
        seen = tally.statuses.setdefault(recorder.label, {})
        seen[answer.status_code] = seen.get(answer.status_code, 0) + 1
        if answer.status_code == 200 and _has_rows(answer):
            tally.filled.add(recorder.label)
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info is not None:
                tally.failures.append(_told(role, recorder, case_id, check))


def _has_rows(answer: Any) -> bool:
    if not answer.headers.get("content-type", [""])[0].startswith("application/json"):
        return False
    body = answer.json()
    return isinstance(body, dict) and any(isinstance(value, list) and value for value in body.values())


def _told(role: str, recorder: Any, case_id: str, check: Any) -> str:
    request, answer = recorder.interactions[case_id].request, recorder.interactions[case_id].response
    said = answer.content[:300].decode("utf-8", "replace") if answer else ""
    failure = check.failure_info.failure
    sent = (request.body or b"")[:200]
    what = f"{check.name} {failure.title} {failure.message[:300]}"
    return f"{role} {request.method} {request.uri} {sent!r}: {what} | {said}"
