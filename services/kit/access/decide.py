"""One decision: (actor, action, object) -> permit or refuse, by policies.cedar over the projections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, TypedDict, Unpack

import cedarpy
from sqlalchemy import Connection, select, text

from services.kit import schema
from services.kit.errors import CaseNotKnownError, NotAllowedError, UnavailableError
from services.kit.identity import Actor

HERE = Path(__file__).parent
LABELS = {
    "file": "向该机关提交申请", "list_cases": "查看案件列表", "view_case": "查看该案件",
    "view_dossier": "查看该案卷宗", "view_internal": "查看该案副卷", "work_case": "办理该案件",
    "supervise": "监督该案件", "upload": "上传材料", "seal_case": "封存该案件", "view_own_report": "查看该举报",
    "view_own_filing": "查看该申请", "list_people": "查看人员", "administer_body": "管理该机关",
    "publish_pack": "发布程序包", "confirm_pack": "确认程序包", "operate": "进行运行维护",
}  # fmt: skip
_CASE = text("""
    select case_id, c.body_id, state, department_id, secrecy_level, sealed, involves_minor, officer_ids, panel_ids,
           party_account_ids, reporter_account_id, ancestor_ids
    from case_card c left join body_tree t on t.body_id = c.body_id where case_id = :case_id""")
_BODY = text("select ancestor_ids from body_tree where body_id = :body_id")
_CLOSE = ("seal_case", "view_internal")  # and a dossier opened from above: by today's roles, not those of the token


@dataclass(frozen=True)
class Facts:
    """What only the calling room knows: see allowed()."""

    candidate: bool = False
    filer: bool = False
    owner: str = ""
    reason: str = ""
    department: str = ""


@cache
def _policies() -> cedarpy.PolicySet:
    return cedarpy.PolicySet.from_str((HERE / "policies.cedar").read_text(encoding="utf-8"))


def _uid(kind: str, name: str) -> dict[str, str]:
    return {"type": kind, "id": name}


def _body(body_id: str, ancestors: Sequence[str] = ()) -> dict[str, Any]:
    return {"uid": _uid("Body", body_id), "attrs": {}, "parents": [_uid("Body", a) for a in ancestors]}


def _person(actor: Actor) -> dict[str, Any]:
    attributes = {
        "kind": actor.kind, "person": actor.person_id, "account": actor.account_id, "rule": actor.rule,
        "body": {"__entity": _uid("Body", actor.body_id)}, "roles": sorted(actor.roles),
        "departments": sorted(actor.department_ids),
    }  # fmt: skip
    return {"uid": _uid("Person", actor.person_id), "attrs": attributes, "parents": []}


def entities_of(row: Any) -> list[dict[str, Any]]:
    """A case card with its body's ancestors, as Cedar entities, the case first."""
    attributes = {
        "body": {"__entity": _uid("Body", row.body_id)}, "state": row.state, "department": row.department_id,
        "secrecy": row.secrecy_level, "sealed": row.sealed, "minor": row.involves_minor,
        "officers": row.officer_ids, "panel": row.panel_ids, "accounts": row.party_account_ids,
        "reporter": row.reporter_account_id,
    }  # fmt: skip
    case = {"uid": _uid("Case", row.case_id), "attrs": attributes, "parents": []}
    return [case, _body(row.body_id, row.ancestor_ids or ())]


def case_entities(connection: Connection, case_id: str) -> list[dict[str, Any]]:
    """The case first, then its body with all ancestors; empty when the case is not known here."""
    row = connection.execute(_CASE, {"case_id": case_id}).one_or_none()
    return [] if row is None else entities_of(row)


def _find_body(connection: Connection, body_id: str) -> list[dict[str, Any]]:
    found = connection.execute(_BODY, {"body_id": body_id}).one_or_none()
    return [] if found is None else [_body(body_id, found.ancestor_ids)]


def decide(actor: Actor, action: str, resource: Sequence[dict[str, Any]], facts: Facts) -> bool:
    """The policy's answer for an object given as Cedar entities, the object itself first.

    Raises:
        ValueError: no such action, or the policies cannot be evaluated: a fault of ours, never a silent no.
    """
    if action not in LABELS:
        raise ValueError(f"no such action: {action}")
    request = {
        "principal": _uid("Person", actor.person_id), "action": _uid("Action", action),
        "resource": resource[0]["uid"], "context": asdict(facts),
    }  # fmt: skip
    answer = cedarpy.is_authorized(request, _policies(), [_person(actor), *resource])
    if answer.diagnostics.errors or answer.decision is cedarpy.Decision.NoDecision:
        raise ValueError(f"policies failed: {answer.diagnostics.errors}")
    return bool(answer.allowed)


class Object(TypedDict, total=False):
    """A case, else a body, else the site; and what only the calling room knows of it.

    `candidate`: the actor is a candidate of an open task of the case. `filer`: the actor took the case in.
    `owner_id`: the account that handed in the object. `reason`: appeal, supervision or transfer, with which an upper
    tier opens a dossier below (the caller records it). `department_id`: the part of the body that is asked about.
    """

    case_id: str
    body_id: str
    department_id: str
    candidate: bool
    filer: bool
    owner_id: str
    reason: str


def current(connection: Connection, actor: Actor) -> Actor:
    """The actor with those of the token's roles that identity has not taken back meanwhile.

    Raises:
        UnavailableError: identity has signed for the person, and has not told of him here yet.
    """
    if actor.kind != "staff":
        return actor
    c = schema.person_card.c
    query = select(c.state, c.appointments).where(c.person_id == actor.person_id)
    if (row := connection.execute(query).one_or_none()) is None:
        raise UnavailableError("您的人员信息尚未同步到此处，请稍后重试")
    here = [a for a in row.appointments if a["body_id"] == actor.body_id and row.state == "active"]
    return replace(actor, body_id=actor.body_id if here else "", roles=actor.roles & {a["role"] for a in here},
                   department_ids=actor.department_ids & {a["department_id"] for a in here})  # fmt: skip


def allowed(connection: Connection, actor: Actor, action: str, **what: Unpack[Object]) -> bool:
    """Whether the actor may do the action on the object; an unknown case or body is refused.

    Raises:
        UnavailableError: the token's roles would do, and whether they are still held is not known here yet.
    """
    facts = Facts(what.get("candidate", False), what.get("filer", False), what.get("owner_id", ""),
                  what.get("reason", ""), what.get("department_id", ""))  # fmt: skip
    if case_id := what.get("case_id"):
        resource = case_entities(connection, case_id)
    elif body_id := what.get("body_id"):
        resource = _find_body(connection, body_id)
    else:
        resource = [{"uid": _uid("Site", "site"), "attrs": {}, "parents": []}]
    if not resource or not decide(actor, action, resource, facts):
        return False
    close = action in _CLOSE or bool(facts.reason)
    return not close or decide(current(connection, actor), action, resource, facts)


def require(connection: Connection, actor: Actor, action: str, **what: Unpack[Object]) -> None:
    """As allowed(), or raise.

    Raises:
        CaseNotKnownError: the case is unknown here, or the actor may not even see it.
        NotAllowedError: the actor may see the case (or it is about a body), but not do this.
    """
    if allowed(connection, actor, action, **what):
        return
    if what.get("case_id") and not allowed(connection, actor, "view_case", **what):
        raise CaseNotKnownError("案件尚未同步到此处，或者您无权查看")
    raise NotAllowedError(f"您无权{LABELS[action]}")
