"""How a case has gone: every visit with who and when, what was said, what followed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from anjuan.workflow.v1 import workflow_pb2 as pb
from services.kit import access
from services.kit.effects import struct
from services.kit.errors import CaseNotKnownError
from services.kit.procedure import registry
from services.kit.procedure.model import Pack
from services.workflow.model.records import Effect, Opinion, Visit
from services.workflow.store import WorkflowUnit
from services.workflow.tables import effects, instances, opinions, visits
from services.workflow.usecases.run import Packs, Run
from services.workflow.usecases.tasks import may_request


@dataclass(frozen=True)
class Sight:
    """How much of a case the caller may read: the dossier, also its internal part."""

    person_id: str
    staff: bool
    dossier: bool
    internal: bool

    @classmethod
    def of(cls, uow: WorkflowUnit, case_id: str, candidate: bool, reason: str) -> Sight:
        """The caller's; `candidate`: a task of the case waits for him; `reason`: why an upper tier reads."""
        actor = uow.cause.actor
        dossier, internal = (
            access.allowed(uow.connection, actor, action, case_id=case_id, candidate=candidate, reason=reason)
            for action in ("view_dossier", "view_internal")
        )
        return cls(actor.person_id, actor.kind != "party", dossier, internal)

    def acted(self, visit: Visit, said: Sequence[Opinion]) -> bool:
        """Whether the caller filled in, approved or completed the visit himself."""
        who = {visit.submitted_by, visit.completed_by, *visit.people, *(o.person_id for o in said)}
        return self.staff and self.person_id in who


def get_course(uow: WorkflowUnit, packs: Packs, request: pb.GetCourseRequest) -> pb.Course:
    """The course of a case. A party sees nodes and days, who may not open the dossier also the people; the content
    of internal nodes, and internal fields, only who may open the internal volume or acted there himself. An upper
    tier opens the dossier with a reason alone; whoever reads it is on the record.

    Raises:
        CaseNotKnownError: no procedure here, or the caller may not see the case.
    """
    actor, case_id = uow.cause.actor, request.case_id
    keys = uow.people.keys(actor, uow.legal_on(actor.body_id))
    candidate = uow.tasks.is_candidate(case_id, keys, actor.person_id)
    access.require(uow.connection, actor, "view_case", case_id=case_id, candidate=candidate)
    found = uow.instances.one(instances.c.case_id == case_id)
    if found is None:
        raise CaseNotKnownError("案件尚未同步到此处，或者您无权查看")
    run = Run(uow, packs.engine(found.pack_sha256), found)
    sight = Sight.of(uow, case_id, candidate, request.reason)
    staff = sight.staff
    if sight.dossier:
        uow.record("read_course", case_id, case_id=case_id, body_id=found.body_id,
                   detail={"reason": request.reason, "internal": sight.internal})  # fmt: skip
    rows = [row for row in _rows(uow, case_id) if _public(run, row[0], staff)]
    asks = may_request(run, keys, actor.person_id) if staff and not found.concluded else []
    return pb.Course(
        case_id=case_id, pack_id=found.pack_id, pack_version=found.pack_version, concluded=found.concluded,
        outcome=found.outcome, visits=[_visit(run, *row, sight) for row in rows],
        officer_ids=found.officer_ids, panel_ids=found.panel_ids,
        department_id=found.department_id, stage=found.stage, flows=run.engine.flows(found.tokens) if staff else [],
        requests=[pb.Request(node_id=n, title=run.node(n).title) for n in asks],
    )  # fmt: skip


def _rows(uow: WorkflowUnit, case_id: str) -> list[tuple[Visit, list[Opinion], list[Effect]]]:
    said = uow.opinions.list(opinions.c.case_id == case_id, opinions.c.position)
    out = uow.effects.list(effects.c.case_id == case_id, effects.c.position)
    return [
        (v, [o for o in said if o.visit_id == v.visit_id], [e for e in out if e.visit_id == v.visit_id])
        for v in uow.visits.list(visits.c.case_id == case_id, visits.c.position)
    ]


def _public(run: Run, visit: Visit, staff: bool) -> bool:
    return staff or not run.node(visit.node_id).internal


def _visit(run: Run, visit: Visit, said: Sequence[Opinion], out: Sequence[Effect], sight: Sight) -> pb.Visit:
    v, whole = visit, sight.internal or sight.acted(visit, said)
    told = pb.Visit(
        visit_id=v.visit_id, node_id=v.node_id, title=v.title, stage=v.stage, state=v.state, kind=v.kind,
        opened_on=v.opened_on.isoformat(), done_on=v.occurred_on.isoformat() if v.occurred_on else "",
        done_at=v.done_at.isoformat() if v.done_at else "",
    )  # fmt: skip
    if not sight.staff:
        return told
    told.done_by, told.done_by_name = v.submitted_by, v.submitted_by_name
    told.people.extend(v.people)
    if whole or (sight.dossier and not run.node(v.node_id).internal):
        told.data.CopyFrom(struct(v.data if whole else open_fields(run, v.node_id, v.data)))
        told.reason = v.reason
        told.opinions.extend(opinion(o) for o in said)
        told.effects.extend(effect_states(run.pack, out, whole))
    return told


def open_fields(run: Run, node_id: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """What a node's form holds, without fields that belong to the internal volume."""
    schema: Mapping[str, Any] = run.pack.form_of(node_id) or {}
    fields = schema.get("properties", {})
    return {k: v for k, v in data.items() if not fields.get(k, {}).get("x-internal")}


def opinion(said: Opinion) -> pb.Opinion:
    """An opinion as it is told."""
    return pb.Opinion(
        level=said.level, person_id=said.person_id, person_name=said.person_name, decision=said.decision,
        text=said.text, given_at=said.given_at.isoformat(), round=said.round,
    )  # fmt: skip


def _subject(pack: Pack, effect: Effect, internal: bool) -> str:
    """The title of the instrument that it issues; of the internal volume's to who may open that."""
    rule = next((r for r in pack.instruments if r.id == effect.params.get("instrument")), None)
    if rule is None or effect.effect != "issue_instrument":
        return ""
    inner = {volume.id for volume in pack.volumes if volume.kind == "internal"}
    return rule.title if internal or rule.volume.id not in inner else ""


def effect_states(pack: Pack, found: Sequence[Effect], internal: bool) -> list[pb.EffectState]:
    """Effects as they are told; `internal`: to who may read the internal volume, or acted there."""
    kinds = registry.effects()
    return [
        pb.EffectState(
            effect_id=e.effect_id, effect=e.effect, name=e.name, title=kinds[e.effect].title, owner=e.owner,
            state=e.state, attempt=e.attempt, results=struct(e.results), reason=e.reason,
            requested_at=e.requested_at.isoformat() if e.requested_at else "", subject=_subject(pack, e, internal),
        ) for e in found
    ]  # fmt: skip
