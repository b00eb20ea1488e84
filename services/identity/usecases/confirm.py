"""A second look before a sealing or an internal volume: is the caller still who the token says?"""

from __future__ import annotations

from anjuan.identity.v1 import identity_pb2 as pb
from services.identity.model.faults import fault, refuse
from services.identity.store import IdentityUnit
from services.identity.usecases.sign_in import actor_of
from services.kit import access
from services.kit.errors import NotAllowedError, NotSignedInError

ACTIONS = ("seal_case", "view_internal", "view_dossier")


def confirm_access(uow: IdentityUnit, request: pb.ConfirmAccessRequest) -> pb.ConfirmAccessAnswer:
    """The policy's answer for the roles that the caller holds at this moment; asked and answered on the record.

    Raises:
        InvalidInputError: not an action that is confirmed.
    """
    known = request.action in ACTIONS
    refuse([fault("/action", f"应为 {'、'.join(ACTIONS)} 之一")] if not known else [], "无法核对")
    actor = uow.cause.actor
    with uow:
        try:
            now = actor_of(uow, actor.kind, actor.person_id, actor.body_id)
        except (NotSignedInError, NotAllowedError):
            allowed = False
        else:
            allowed = access.allowed(
                uow.connection, now, request.action, case_id=request.case_id, reason=request.reason
            )
        detail = {"action": request.action, "reason": request.reason, "allowed": allowed}
        uow.record("confirm_access", request.case_id, case_id=request.case_id, detail=detail)
        return pb.ConfirmAccessAnswer(allowed=allowed)
