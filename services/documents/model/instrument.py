"""An instrument on its way: draft, approved, issuing, issued."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from services.documents.model.fields import Marked
from services.kit.errors import ConflictError, RuleRefusedError, require_version

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
STATES = {"draft": "拟稿中", "approved": "已签发", "issuing": "制发中", "issued": "已制发"}


@dataclass(frozen=True)
class Instrument:
    """`number` stays with the instrument when issuing fails; `gaps` and `rendered`: see fields.Marked.

    `unsettled`: revisions, comments or hidden text in the newest docx.
    """

    instrument_id: str
    case_id: str
    body_id: str
    pack_id: str
    pack_version: str
    instrument: str
    title: str
    state: str
    is_internal: bool
    volume: str
    catalogue_seq: int
    token: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    gaps: tuple[str, ...] = ()
    rendered: tuple[str, ...] = ()
    unsettled: tuple[str, ...] = ()
    addressees: Sequence[Mapping[str, Any]] = ()
    number: str = ""
    issued_on: date | None = None
    approved_sha256: str = ""
    docx_sha256: str = ""
    pdf_sha256: str = ""
    pages: int = 0
    node_id: str = ""
    effect_id: str = ""
    attempts: int = 0
    reason: str = ""
    version: int = 1

    @property
    def pack(self) -> tuple[str, str]:
        """Id and version of the pack it was drafted by."""
        return self.pack_id, self.pack_version

    @property
    def marked(self) -> Marked:
        """What its text still lacks."""
        return Marked(self.gaps, self.rendered)

    def at(self, version: int) -> Instrument:
        """Itself, when it is still what the caller read.

        Raises:
            VersionMissingError: no version was named.
            PreconditionError: it has moved on.
        """
        require_version(version, self.version, f"文书已被他人更新（现为第 {self.version} 版），请重新读取后再改")
        return self

    def may_change(self) -> Instrument:
        """Itself, while its text is still open.

        Raises:
            ConflictError: it is being issued, or is issued.
        """
        if self.state not in ("draft", "approved"):
            raise ConflictError(f"文书{STATES[self.state]}，内容不能再改")
        return self

    def settled(self) -> Instrument:
        """Itself, when nothing in its text is still open between its authors.

        Raises:
            RuleRefusedError: revisions, comments or hidden text.
        """
        if self.unsettled:
            left = "、".join(self.unsettled)
            raise RuleRefusedError(f"《{self.title}》中还有{left}，请在 Word 或 WPS 中处理后重新上传")
        return self


@dataclass(frozen=True)
class Version:
    """One docx of an instrument; `origin`: rendered by the house or uploaded by a person."""

    instrument_id: str
    number: int
    sha256: str
    made_at: datetime
    made_by: str
    made_by_name: str
    origin: str
