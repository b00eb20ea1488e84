"""What another body asks of this one: received as a case of its own, answered when that case has ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID, uuid5

from anjuan.intake.v1 import events_pb2 as events
from services.intake.messages import told_filing
from services.intake.model.case import Case
from services.intake.model.checklist import open_items
from services.intake.model.filing import Draft, Filing
from services.intake.settings import SETTINGS
from services.intake.store import IntakeUnit
from services.intake.store.packs import Packs
from services.intake.usecases.telling import tell
from services.kit import clock, effects
from services.kit.effects import EffectCall, plain
from services.kit.errors import DomainError, NotFoundError, RuleRefusedError, UnavailableError
from services.kit.events import Event

CHANNEL = "request"
EFFECT = "ask_superior"
WITHDRAWN = "下级撤回请示"
OPEN = ("received", "accepted")


def case_of(effect_id: str) -> str:
    """One effect, one case, however often it is told; a filing handed in by people never has such an id."""
    return str(uuid5(UUID(effect_id), CHANNEL))


def receive_request(packs: Packs, uow: IntakeUnit, event: Event) -> None:
    """收到报请: a case of the asked body on the pack that was named; what cannot be received refuses the effect.

    Raises:
        UnavailableError: the asked body is not known here yet.
    """
    asked, case_id = event.data, case_of(event.data.effect_id)
    if not asked.to_body_id:  # its answer comes on paper
        return
    uow.lock(case_id)
    if uow.cases.channel(case_id) is not None:
        return
    try:
        with uow.savepoint():
            _receive(packs, uow, event, case_id)
    except UnavailableError:
        raise
    except NotFoundError as early:
        raise UnavailableError(early.detail) from early
    except DomainError as refusal:
        effects.refused(uow, _call(asked.effect_id, event.case_id, event.body_id, event.occurred_on), refusal)


def _receive(packs: Packs, uow: IntakeUnit, event: Event, case_id: str) -> None:
    asked, body = event.data, uow.bodies.get(event.data.to_body_id)
    pack = packs.newest(uow.connection, asked.pack_id, event.occurred_on)
    if CHANNEL not in pack.channels or pack.kind not in (body.kind, "any"):
        raise RuleRefusedError(f"上级机关不能以程序“{pack.title}”受理报请（程序包有误）")
    draft = Draft(body_id=body.body_id, procedure_id=pack.id, channel=CHANNEL, content=plain(asked.request),
                  title=asked.title[: SETTINGS.longest_title])  # fmt: skip
    filing = Filing(clock.new_id(), content=draft.content or {})
    case = Case.receive(draft, pack, case_id, filing, event.occurred_on)
    case = replace(case, secrecy_level=max(case.secrecy_level, asked.secrecy_level))
    case = case.lacking(open_items(pack, case.facts, case.parties, case.materials))
    uow.cases.add(case)
    detail = {"effect_id": asked.effect_id, "pack": list(case.pack)}
    tell(uow, "receive_request", case, events.FilingSubmitted(filing=told_filing(case)), case.received_on, detail)


def withdraw_request(uow: IntakeUnit, event: Event) -> None:
    """下级撤回请示: the procedure is told to end; whether the answer was faster, it alone knows."""
    asked, case_id = event.data, case_of(event.data.effect_id) if event.data.effect == EFFECT else ""
    if not case_id or uow.cases.channel(case_id) != CHANNEL:  # answered on paper, or never received
        return
    case = uow.locked(case_id)
    if case.state in OPEN:
        fact = events.RequestWithdrawn(effect_id=asked.effect_id, reason=asked.reason)
        tell(uow, "withdraw_request", case, fact, event.occurred_on, {"effect_id": asked.effect_id})


def answer_request(uow: IntakeUnit, event: Event) -> None:
    """The procedure of a request has ended: its case is closed, and the effect is answered with what was decided.

    One that was taken back below ends without an answer, and nothing is told there.
    """
    if uow.cases.channel(event.case_id) != CHANNEL:
        return
    before = uow.locked(event.case_id)
    asked, answer = before.filing.content, plain(event.data.answer)
    answered = event.data.HasField("answer")
    if before.state in OPEN:
        said = ("同意" if answer.get("granted") else "不同意") if answered else WITHDRAWN
        after = before.answered(event.occurred_on, said)
        uow.cases.save(before, after)
        fact = events.CaseClosed(closed_on=event.occurred_on.isoformat(), disposition=after.disposition)
        tell(uow, "answer_request", after, fact, event.occurred_on, {"outcome": event.data.outcome})
    effect_id = str(asked.get("effect_id", ""))
    if answered and _is_effect(effect_id, before.case_id):
        call = _call(effect_id, str(asked["case_id"]), str(asked["asked_by"]), event.occurred_on)
        effects.done(uow, call, answer)


def _is_effect(effect_id: str, case_id: str) -> bool:
    try:
        return case_of(effect_id) == case_id
    except ValueError:
        return False


def _call(effect_id: str, case_id: str, body_id: str, on: date) -> EffectCall:
    return EffectCall(effect_id, EFFECT, case_id, body_id, on, ("", ""), "", "", {}, {})
