"""What every act on an instrument leaves: a fact where the others need one, and an audit row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from google.protobuf.message import Message

from services.documents.model.case import Case
from services.documents.model.instrument import Instrument
from services.documents.store import DocumentsUnit
from services.kit.errors import UnavailableError


def tell(uow: DocumentsUnit, instrument: Instrument, fact: Message, on: date) -> None:
    """Tell a fact of the case, dated by when it happened in law."""
    uow.emit(fact, stream=instrument.case_id, case_id=instrument.case_id, body_id=instrument.body_id, occurred_on=on,
             pack=instrument.pack)  # fmt: skip


def record(uow: DocumentsUnit, action: str, instrument: Instrument, detail: Mapping[str, Any]) -> None:
    """Leave an audit row; the kind of instrument is always named."""
    uow.record(
        action, instrument.instrument_id, case_id=instrument.case_id, body_id=instrument.body_id,
        legal_on=uow.legal_on(instrument.body_id), detail={"instrument": instrument.instrument, **detail},
    )  # fmt: skip


def case_of_effect(uow: DocumentsUnit, case_id: str) -> Case:
    """The case of an effect; raises UnavailableError while its register entry is still on the way."""
    if (found := uow.cases.find(case_id)) is None:
        raise UnavailableError("案件登记尚未同步到文书服务，稍后重试")
    return found
