"""Instruments with their versions and signatures, rows <-> model."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from services.documents.model.approval import Signature
from services.documents.model.instrument import Instrument, Version
from services.documents.tables import instruments, signatures, versions
from services.kit import events, schema
from services.kit.errors import CaseNotKnownError

UNKNOWN = "案件尚未同步到此处，或者您无权查看"  # the same words as where access refuses
_FIELDS = [f.name for f in fields(Instrument)]
_ARRAYS = ("gaps", "rendered", "unsettled")


def instrument_of(row: RowMapping) -> Instrument:
    """A row as model."""
    values: dict[str, Any] = {n: tuple(row[n]) if n in _ARRAYS else row[n] for n in _FIELDS}
    return Instrument(**values)


def _values(instrument: Instrument) -> dict[str, Any]:
    found = {n: getattr(instrument, n) for n in _FIELDS}
    return found | {n: list(found[n]) for n in (*_ARRAYS, "addressees")} | {"fields": dict(instrument.fields)}


class Instruments:
    """The caller holds the lock of the case's stream before it changes anything."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def get(self, instrument_id: str) -> Instrument:
        """Raises CaseNotKnownError, the same answer as for one that is not the caller's to see."""
        query = select(instruments).where(instruments.c.instrument_id == instrument_id)
        row = self.connection.execute(query).mappings().one_or_none()
        if row is None:
            raise CaseNotKnownError(UNKNOWN)
        return instrument_of(row)

    def open_of(self, case_id: str, instrument: str) -> Instrument | None:
        """The one of its kind that is not issued yet."""
        t = instruments.c
        query = select(instruments).where(t.case_id == case_id, t.instrument == instrument, t.state != "issued")
        row = self.connection.execute(query).mappings().one_or_none()
        return None if row is None else instrument_of(row)

    def issuing_for(self, case_id: str, effect_id: str) -> Instrument | None:
        """The one that an effect has begun to issue, and not issued yet."""
        t = instruments.c
        query = select(instruments).where(t.case_id == case_id, t.effect_id == effect_id, t.state == "issuing")
        row = self.connection.execute(query).mappings().one_or_none()
        return None if row is None else instrument_of(row)

    def unissued(self, case_id: str) -> list[Instrument]:
        """Those of a case that are neither issued nor on the way."""
        t = instruments.c
        query = select(instruments).where(t.case_id == case_id, t.state.in_(("draft", "approved")))
        return [instrument_of(row) for row in self.connection.execute(query).mappings()]

    def add(self, instrument: Instrument) -> None:
        """A new one."""
        self.connection.execute(insert(instruments).values(_values(instrument)))

    def save(self, instrument: Instrument) -> Instrument:
        """Write what an act has changed; its version goes up by one."""
        values = _values(instrument) | {"version": instruments.c.version + 1}
        mine = instruments.c.instrument_id == instrument.instrument_id
        row = self.connection.execute(update(instruments).where(mine).values(values).returning(instruments))
        return instrument_of(row.mappings().one())

    def text_told(self, instrument: Instrument) -> str:
        """The text of an issued one, which only its own InstrumentIssued holds."""
        t = schema.outbox.c
        mine = select(t.body).where(t.aggregate_id == instrument.case_id, t.type == "InstrumentIssued").order_by(t.seq)
        told = (events.decode(bytes(body)).raw for body in self.connection.execute(mine).scalars())
        return next((str(raw.get("text", "")) for raw in told if raw["instrument_id"] == instrument.instrument_id), "")

    def add_version(self, version: Version) -> None:
        """The next docx; every signature under the one before falls."""
        self.connection.execute(insert(versions).values(asdict(version)))
        self.connection.execute(delete(signatures).where(signatures.c.instrument_id == version.instrument_id))

    def versions(self, instrument_id: str) -> list[Version]:
        """All docx, oldest first."""
        query = select(versions).where(versions.c.instrument_id == instrument_id).order_by(versions.c.number)
        return [Version(**row) for row in self.connection.execute(query).mappings()]

    def sign(self, instrument_id: str, signature: Signature) -> None:
        """Add a signature."""
        self.connection.execute(insert(signatures).values(instrument_id=instrument_id, **asdict(signature)))

    def signatures(self, instrument_id: str) -> list[Signature]:
        """Signatures under the newest docx, in order."""
        t = signatures
        query = select(t).where(t.c.instrument_id == instrument_id).order_by(t.c.position)
        rows = self.connection.execute(query).mappings()
        return [Signature(**{f.name: row[f.name] for f in fields(Signature)}) for row in rows]
