"""Printing separator sheets."""

from __future__ import annotations

from anjuan.archive.v1.archive_pb2 import PrintSeparatorSheetsRequest, SeparatorSheets
from services.archive.model import catalogue, covers
from services.archive.sheets.separator import Face, separator_sheets
from services.archive.store import ArchiveUnit
from services.archive.store.cases import CaseCard
from services.archive.store.packs import Packs
from services.kit import access
from services.kit.errors import InvalidInputError
from services.kit.identity import Actor


def print_separator_sheets(
    uow: ArchiveUnit, packs: Packs, actor: Actor, request: PrintSeparatorSheetsRequest
) -> SeparatorSheets:
    """A sheet for the case; with `volume` one for each of its items, with `seq` for that item alone.

    Raises:
        CaseNotKnownError, NotAllowedError: the caller may not bring pages to the case.
        InvalidInputError: no such volume or item.
    """
    with uow:
        access.require(uow.connection, actor, "upload", case_id=request.case_id)
        case = uow.cases.get(request.case_id)
        faces = [_face(uow, case, item) for item in _wanted(uow, packs, case, request)]
        uow.record("print_separator_sheets", case.case_id, case_id=case.case_id, body_id=case.body_id,
                   detail={"codes": [face.code for face in faces]})  # fmt: skip
    return SeparatorSheets(
        pdf=separator_sheets(faces), codes=[face.code for face in faces], file_name=f"分隔页 {case.name}.pdf"
    )


def _wanted(
    uow: ArchiveUnit, packs: Packs, case: CaseCard, request: PrintSeparatorSheetsRequest
) -> list[catalogue.Item | None]:
    if not request.volume:
        if request.seq:
            raise InvalidInputError("指定目录项时须同时指定卷", [{"pointer": "/volume", "detail": "必填"}])
        return [None]
    pack = packs.pinned(uow.connection, case.pack)
    if request.seq:
        return [catalogue.item(pack, request.volume, request.seq)]
    return list(catalogue.items(pack, request.volume))


def _face(uow: ArchiveUnit, case: CaseCard, item: catalogue.Item | None) -> Face:
    place = (item.volume, item.seq, item.is_internal) if item else ()
    sheet = uow.covers.ensure(case.case_id, case.body_id, *place)
    code = covers.written(case.body_id, sheet.token)
    return Face(code, case.name, case.title if case.case_number else "", item.label if item else "", case.body_name)
