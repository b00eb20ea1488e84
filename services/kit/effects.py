"""Consequences: a room performs what a completed node asks of it, once per effect id, and answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct
from sqlalchemy.dialects.postgresql import insert as upsert

from anjuan.kit.v1.effects_pb2 import EffectDone, EffectRefused
from services.kit import schema
from services.kit.database import UnitOfWork
from services.kit.errors import CaseNotKnownError, DomainError, UnavailableError
from services.kit.events import Event


@dataclass(frozen=True)
class EffectCall:
    """One request: what the pack's `with:` evaluated to, and the results of effects it came `after:`."""

    effect_id: str
    effect: str
    case_id: str
    body_id: str
    occurred_on: date
    pack: tuple[str, str]
    visit_id: str
    node_id: str
    params: dict[str, Any]
    answers: dict[str, Any]

    def as_payload(self) -> dict[str, Any]:
        """JSON form, for a job that answers later."""
        return {**asdict(self), "occurred_on": self.occurred_on.isoformat(), "pack": list(self.pack)}

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> EffectCall:
        """The reverse of as_payload."""
        occurred_on = date.fromisoformat(payload["occurred_on"])
        return cls(**{**payload, "occurred_on": occurred_on, "pack": tuple(payload["pack"])})


# None: the room answers later, with done() or refused(), when its job has run
Performer = Callable[[UnitOfWork, EffectCall], Mapping[str, Any] | None]


def struct(values: Mapping[str, Any]) -> Struct:
    """A JSON object as protobuf Struct."""
    return json_format.ParseDict(dict(values), Struct())


def plain(values: Struct) -> dict[str, Any]:
    """A Struct as JSON object; whole numbers come back as int."""
    return {key: _whole(value) for key, value in json_format.MessageToDict(values).items()}


def _whole(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _whole(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_whole(v) for v in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def call_of(event: Event) -> EffectCall:
    """The request in an EffectRequested event."""
    e = event.data
    return EffectCall(
        effect_id=e.effect_id, effect=e.effect, case_id=event.case_id, body_id=event.body_id,
        occurred_on=event.occurred_on, pack=(event.pack_id, event.pack_version), visit_id=e.visit_id,
        node_id=e.node_id, params=plain(e.params), answers=plain(e.answers),
    )  # fmt: skip


def perform(event: Event, uow: UnitOfWork, performers: Mapping[str, Performer]) -> None:
    """Perform an EffectRequested meant for this room, in the caller's transaction.

    A DomainError refuses the effect with its Chinese sentence and leaves nothing half-done; any other
    error (and UnavailableError) leaves the event to be retried and at last parked.
    """
    if event.data.owner != uow.service or event.data.effect not in performers:
        return
    call = call_of(event)
    once = upsert(schema.effects_performed).values(effect_id=call.effect_id, effect=call.effect, case_id=call.case_id)
    first = once.on_conflict_do_nothing().returning(schema.effects_performed.c.effect_id)
    if uow.connection.execute(first).first() is None:
        return
    try:
        with uow.savepoint():
            results = performers[call.effect](uow, call)
    except UnavailableError:
        raise
    except CaseNotKnownError as early:
        # intake's facts come by another queue and may still be on their way
        raise UnavailableError(early.detail) from early
    except DomainError as refusal:
        refused(uow, call, refusal)
    else:
        if results is not None:
            done(uow, call, results)


def withdrawn(event: Event, uow: UnitOfWork) -> None:
    """Given up, node left, case closed or procedure ended: a request of it parked here is not performed any more."""
    if event.data.owner == uow.service:
        given_up = upsert(schema.effects_performed).values(
            effect_id=event.data.effect_id, effect=event.data.effect, case_id=event.case_id
        )
        uow.connection.execute(given_up.on_conflict_do_nothing())


def done(uow: UnitOfWork, call: EffectCall, results: Mapping[str, Any]) -> None:
    """Answer that the effect is performed, in the transaction that performs it."""
    answer = EffectDone(effect_id=call.effect_id, effect=call.effect, case_id=call.case_id, results=struct(results))
    _tell(uow, call, answer)


def refused(uow: UnitOfWork, call: EffectCall, refusal: DomainError) -> None:
    """Answer that the effect cannot be performed; the node opens again with the reason."""
    _tell(uow, call, EffectRefused(effect_id=call.effect_id, effect=call.effect, case_id=call.case_id,
                                   reason=refusal.detail, slug=refusal.slug))  # fmt: skip


def _tell(uow: UnitOfWork, call: EffectCall, answer: EffectDone | EffectRefused) -> None:
    uow.emit(answer, stream=call.effect_id, body_id=call.body_id, case_id=call.case_id,
             occurred_on=call.occurred_on, pack=call.pack)  # fmt: skip
