"""Logs as JSON lines on stderr; what identifies a person is masked before it is written."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

from services.kit.database import traceparent

_HIDDEN = re.compile(r"id_number|phone|password|passwd|secret|token|authorization|cookie|reporter", re.IGNORECASE)
MASK = "***"
# PostgreSQL's DETAIL shows the row that it refused, up to SQLAlchemy's statement or the next error of the chain.
_ROW_SHOWN = re.compile(r"^DETAIL: .*?(?=^\[SQL: |^The above exception|^During handling|\Z)", re.DOTALL | re.MULTILINE)
# Below these levels they say nothing that ours do not.
_QUIET = {"pika": logging.CRITICAL, "nameko": logging.ERROR,
          **dict.fromkeys(("amqp", "kombu", "alembic", "urllib3", "spiff"), logging.WARNING)}  # fmt: skip


def masked(value: Any) -> Any:
    """The same value with every field of a hidden name masked, at any depth, and no row in errors of a database."""
    if isinstance(value, Mapping):
        return {key: MASK if _HIDDEN.search(str(key)) and inner else masked(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [masked(inner) for inner in value]
    return _ROW_SHOWN.sub("", value) if isinstance(value, str) else value


def _trace(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if traceparent.get():
        event["trace_id"] = traceparent.get().split("-")[1:2]
    return event


def configure(service: str, level: int = logging.INFO) -> None:
    """Send all logging of this process there; `service` names the process where a line does not name its room."""

    def _service(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["service"] = event.pop("room", service)
        return event

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars, structlog.stdlib.add_log_level, structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(), structlog.processors.TimeStamper(fmt="iso", utc=True), _service, _trace,
        structlog.processors.format_exc_info, lambda _, __, event: masked(event),
    ]  # fmt: skip
    out: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta,
           structlog.processors.JSONRenderer(ensure_ascii=False)]  # fmt: skip
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=out))
    logging.basicConfig(handlers=[lines], level=level, force=True)
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(least)
