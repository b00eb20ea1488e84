"""A finished docx -> its sealed PDF and what that says. Heavy libraries: only the job imports this."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from services.documents.render import pdf
from services.documents.render.office import OFFICE
from services.documents.render.sign import Look, signer_of
from services.documents.settings import KNOBS
from services.kit.errors import RuleRefusedError


@dataclass(frozen=True)
class Imprint:
    """Whose seal goes on which instrument; it stands over `day`, the written date. `data`, `profile`: settings."""

    body_name: str
    title: str
    day: str
    is_sealed: bool
    data: Path
    profile: str


def press(docx: bytes, imprint: Imprint) -> tuple[bytes, pdf.Reading]:
    """PDF/A-2b by LibreOffice, with seal and signature.

    Raises:
        InvalidInputError: LibreOffice cannot read the document.
        RuleRefusedError: too large, or production lacks its certificate.
        OfficeError: the office failed; trying again may help.
    """
    printed = OFFICE.convert(docx)
    place = pdf.seal_place(printed, imprint.day) if imprint.is_sealed else None
    signer = signer_of(imprint.data, imprint.profile)
    sealed = signer.sign(printed, Look(imprint.body_name, imprint.title, place))
    if len(sealed) > KNOBS.largest_pdf:
        raise RuleRefusedError(f"制成的 PDF 超过上限 {KNOBS.largest_pdf // 1024**2} MB，请压缩文书中的图片")
    return sealed, pdf.read(sealed)
