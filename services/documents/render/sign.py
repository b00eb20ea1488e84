"""Seal and signature: PAdES by pyHanko. Other kinds (SM2, OFD seals of GB/T 38540) are another Signer."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pyhanko.keys import load_certs_from_pemder_data, load_private_key_from_pemder_data
from pyhanko.pdf_utils.images import PdfImage
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import AxisAlignment, Margins, SimpleBoxLayoutRule
from pyhanko.sign import SimpleSigner, signers
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.stamp import StaticStampStyle
from pyhanko_certvalidator.registry import SimpleCertificateStore

from services.documents.render.pdf import Place
from services.documents.render.seal import POINTS, draw
from services.kit import clock
from services.kit.errors import RuleRefusedError

FIELD = "AnjuanSeal"
DEVELOPMENT = "开发证书（不具法律效力）"
_LIFE = timedelta(days=3650)


@dataclass(frozen=True)
class Look:
    """Whose seal, and where its middle goes; no place: the signature is not seen."""

    body_name: str
    title: str
    place: Place | None


class Signer(Protocol):
    """Seals a finished PDF so that every later change shows."""

    def sign(self, pdf: bytes, look: Look) -> bytes:
        """The same document with seal and signature."""


class PadesSigner:
    """By the key and chain in one PEM file: private key, own certificate, those above it."""

    def __init__(self, path: Path) -> None:
        held = path.read_bytes()
        certificates = list(load_certs_from_pemder_data(held))
        store = SimpleCertificateStore()  # type: ignore[no-untyped-call]
        store.register_multiple(certificates[1:])
        key = load_private_key_from_pemder_data(_key_part(held), None)
        self._signer = SimpleSigner(signing_cert=certificates[0], signing_key=key, cert_registry=store)

    def sign(self, pdf: bytes, look: Look) -> bytes:
        """See Signer; a certifying signature that allows no change at all."""
        writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
        metadata = signers.PdfSignatureMetadata(
            field_name=FIELD, md_algorithm="sha256", name=look.body_name, reason=f"制发{look.title}", certify=True,
            docmdp_permissions=MDPPerm.NO_CHANGES, subfilter=SigSeedSubFilter.PADES,
        )  # fmt: skip
        box = None
        if look.place is not None:
            half = POINTS / 2
            x, y = look.place.x, look.place.y
            box = (round(x - half), round(y - half), round(x + half), round(y + half))
        field = SigFieldSpec(FIELD, on_page=look.place.page if look.place else 0, box=box)
        signer = signers.PdfSigner(metadata, self._signer, stamp_style=_style(look), new_field_spec=field)
        out = io.BytesIO()
        signer.sign_pdf(writer, output=out)
        return out.getvalue()


def _style(look: Look) -> StaticStampStyle | None:
    if look.place is None:
        return None
    middle = SimpleBoxLayoutRule(AxisAlignment.ALIGN_MID, AxisAlignment.ALIGN_MID, Margins(0, 0, 0, 0))
    return StaticStampStyle(
        border_width=0, background=PdfImage(draw(look.body_name)), background_opacity=1.0, background_layout=middle
    )


def _key_part(held: bytes) -> bytes:
    return held.split(b"-----BEGIN CERTIFICATE-----", 1)[0]


def signer_of(data: Path, profile: str) -> Signer:
    """The site's signer: keys/seal.pem; outside production a development certificate is made at first use.

    Raises:
        RuleRefusedError: production without a certificate of its own.
    """
    path = data / "keys" / "seal.pem"
    if not path.exists():
        if profile == "kubernetes":
            raise RuleRefusedError("没有配置印章证书（keys/seal.pem），不能制发正式文书，请运维人员安装")
        make_development_certificate(path)
    return PadesSigner(path)


def make_development_certificate(path: Path) -> None:
    """A key with a certificate of ten years whose name says loudly what it is; of two processes the first wins."""
    root_key, key = (rsa.generate_private_key(65537, 2048) for _ in range(2))
    root = _certificate("根", root_key, "根", root_key, is_root=True)
    own = _certificate("文书签章", key, "根", root_key, is_root=False)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem += own.public_bytes(Encoding.PEM) + root.public_bytes(Encoding.PEM)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(pem)
    try:
        os.link(fresh, path)
    except FileExistsError:
        return
    finally:
        fresh.unlink()


def _certificate(
    subject: str, key: rsa.RSAPrivateKey, issuer: str, issuer_key: rsa.RSAPrivateKey, *, is_root: bool
) -> x509.Certificate:
    began = clock.now() - timedelta(days=1)
    made = x509.CertificateBuilder(
        issuer_name=_name(issuer), subject_name=_name(subject), public_key=key.public_key(),
        serial_number=x509.random_serial_number(), not_valid_before=began, not_valid_after=began + _LIFE,
    )  # fmt: skip
    usage = x509.KeyUsage(
        digital_signature=not is_root, content_commitment=not is_root, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=is_root, crl_sign=is_root, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    made = made.add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
    made = made.add_extension(usage, critical=True)
    made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    above = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    return made.add_extension(above, critical=False).sign(issuer_key, hashes.SHA256())


def _name(what: str) -> x509.Name:
    return x509.Name([
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Anjuan DEVELOPMENT ONLY"),
        x509.NameAttribute(NameOID.COMMON_NAME, DEVELOPMENT + what),
    ])  # fmt: skip
