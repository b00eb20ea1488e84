"""OpenAPI 3.1 as served at /openapi.json: the problem shape, and how one signs in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from gateway.auth import COOKIE, signed_in
from gateway.problems import Problem
from gateway.routes import ALL


def install(app: FastAPI) -> None:
    """Replace the generated document by one that names our problems and credentials."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    made = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    parts = made.setdefault("components", {})
    schemas = parts.setdefault("schemas", {})
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs", {}))
    schemas["Problem"] = problem
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    parts["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
    }
    made["security"] = [{"bearer": []}, {"session": []}]
    for path, method in _open_to_anybody():
        made["paths"][path][method]["security"] = []
    return made


def _open_to_anybody() -> Iterator[tuple[str, str]]:
    for route in (one for router in ALL for one in router.routes):
        if isinstance(route, APIRoute) and route.include_in_schema and not _asks(route.dependant):
            yield from ((route.path, method.lower()) for method in route.methods or ())


def _asks(needed: Dependant) -> bool:
    return needed.call is signed_in or any(_asks(one) for one in needed.dependencies)
