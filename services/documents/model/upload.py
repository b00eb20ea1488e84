"""Whether the papers that prove a serving have come: a hash alone proves nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.documents.model.serving import Proof, Serving
from services.kit.errors import InvalidInputError


@dataclass(frozen=True)
class Upload:
    """Bytes that have come whole to archive. `stored`: compared with the hash."""

    sha256: str
    body_id: str
    stored: bool


class Files(Protocol):
    """What archive knows of files."""

    def sent(self, hashes: Iterable[str], token: str) -> Sequence[Upload]:
        """Of these files those that the token's holder may know of.

        Raises:
            UnavailableError: archive cannot be asked.
        """


def papers(proof: Proof, serving: Serving) -> dict[str, str]:
    """Field -> hash of what has to be there; one that failed brings nothing, consent counts for 电子送达 alone."""
    is_electronic = (proof.method or serving.method) == "electronic"
    named = {
        "proof_sha256": proof.proof_sha256,
        "consent_sha256": proof.consent_sha256 or (serving.consent_sha256 if is_electronic else ""),
    }
    return {} if proof.failed else {field: sha256 for field, sha256 in named.items() if sha256}


def require_sent(named: dict[str, str], sent: Sequence[Upload], body_id: str) -> None:
    """Every paper has come to the body that serves; archive files no other (its `file_receipt`).

    Raises:
        InvalidInputError: naming the fields of those that have not.
    """
    here = {upload.sha256: False for upload in sent if upload.body_id == body_id}
    here |= {upload.sha256: True for upload in sent if upload.body_id == body_id and upload.stored}
    wrong = [{"pointer": f"/{field}", "detail": _said(field, here.get(sha256))} for field, sha256 in named.items()
             if not here.get(sha256)]  # fmt: skip
    if wrong:
        raise InvalidInputError("；".join(one["detail"] for one in wrong), wrong)


def _said(field: str, is_stored: bool | None) -> str:
    what = "受送达人的确认书" if field == "consent_sha256" else "送达的证明材料"
    state = "尚未上传完成，请先上传再填写" if is_stored is None else "已收齐，正在核对内容，请稍候再提交"
    return f"{what}{state}"
