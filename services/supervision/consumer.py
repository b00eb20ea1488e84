"""What this room does at the facts of others."""

from __future__ import annotations

from services.kit.effects import perform, withdrawn
from services.kit.errors import NotFoundError, UnavailableError
from services.kit.events import Event
from services.kit.objects import sha256_key
from services.kit.procedure.bundle import load_bundle
from services.kit.run import Host
from services.supervision.store import SupervisionUnit
from services.supervision.usecases.effects import PERFORMERS
from services.supervision.usecases.facts import enter_fact
from services.supervision.usecases.requests import note_answer, note_request, note_withdrawal


class SupervisionConsumer:
    """Every fact may move a clock: the pack says which. None of these methods calls another room."""

    sources = ("identity", "intake", "workflow", "documents", "archive")

    def __init__(self, host: Host) -> None:
        self.host = host

    def on_pack_published(self, event: Event, uow: SupervisionUnit) -> None:
        """Keep the limits of the pack in our own database.

        Raises:
            UnavailableError: the bundle does not lie in the object store (yet).
        """
        try:
            data = self.host.objects.get(sha256_key(event.data.sha256))
        except NotFoundError as error:
            raise UnavailableError(f"程序包 {event.data.pack_id} 尚未进入对象存储，稍后重试") from error
        uow.packs.put(load_bundle(data))

    def on_effect_requested(self, event: Event, uow: SupervisionUnit) -> None:
        perform(event, uow, PERFORMERS)

    def on_effect_withdrawn(self, event: Event, uow: SupervisionUnit) -> None:
        withdrawn(event, uow)
        note_withdrawal(uow, event)

    def on_superior_asked(self, event: Event, uow: SupervisionUnit) -> None:
        note_request(uow, event)

    def on_superior_answered(self, event: Event, uow: SupervisionUnit) -> None:
        note_answer(uow, event)

    def on_filing_submitted(self, event: Event, uow: SupervisionUnit) -> None:
        enter_fact(uow, event)

    # the same for every other fact of a case
    on_filing_corrected = on_deficiency_notice_issued = on_filing_accepted = on_filing_submitted
    on_filing_declined = on_case_docketed = on_docketing_refused = on_register_corrected = on_filing_submitted
    on_case_closed = on_filing_submitted
    on_procedure_started = on_node_opened = on_node_completed = on_node_cancelled = on_filing_submitted
    on_node_sent_back = on_case_assigned = on_hearing_scheduled = on_hearing_cancelled = on_filing_submitted
    on_procedure_concluded = on_filing_submitted
    on_instrument_issued = on_instrument_published = on_instrument_served = on_filing_submitted
    on_pages_received = on_volume_bound = on_dossier_archived = on_filing_submitted
