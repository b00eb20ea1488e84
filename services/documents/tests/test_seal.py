"""The sealed PDF: PDF/A-2b, fonts inside, a signature that holds, and that breaks at any change."""

from __future__ import annotations

import hashlib
import io
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pikepdf
import psutil
import pypdfium2  # type: ignore[import-untyped]
import pytest
from pyhanko.keys import load_certs_from_pemder_data
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import PdfSignatureStatus, SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from services.documents.render import fonts, pdf
from services.documents.render.check import check_docx
from services.documents.render.office import OFFICE, Office, OfficeError
from services.documents.render.seal import POINTS
from services.documents.render.sign import FIELD, signer_of
from services.documents.tests import papers
from services.documents.tests.packs import DECISION, DECISION_FIELDS, FORM
from services.documents.tests.scene import Scene
from services.documents.tests.test_issue import FORM_FIELDS
from services.kit.errors import InvalidInputError, RuleRefusedError
from services.kit.run import Host
from services.ops.rig.archive import ArchiveBeside
from services.ops.rig.session import Rig
from services.ops.rig.verapdf import broken_rules

_STARTS = """
import sys
from services.documents.render.office import Office
from services.documents.tests import papers
office = Office()
office.convert(papers.plain("x"))
print(office.pid, flush=True)
sys.stdin.readline()
"""


@pytest.fixture(scope="module")
def sealed(host: Host, rig: Rig, archive_beside: ArchiveBeside) -> bytes:
    """An issued decision, as an officer downloads it."""
    rig.empty_tables(["documents"])
    scene = Scene(host, archive_beside)
    scene.furnish()
    drafted = scene.approve(scene.draft(scene.verified(), DECISION, DECISION_FIELDS))
    data = scene.content(scene.issued(drafted.case_id, DECISION)["instrument_id"], "pdf")
    (event,) = scene.told("InstrumentIssued")
    assert hashlib.sha256(data).hexdigest() == event.data.pdf_sha256
    return data


def validated(host: Host, data: bytes) -> PdfSignatureStatus:
    """By the development root alone."""
    pem = (host.settings.data / "keys" / "seal.pem").read_bytes()
    root = list(load_certs_from_pemder_data(pem))[-1]
    (signature,) = PdfFileReader(io.BytesIO(data)).embedded_signatures
    return validate_pdf_signature(signature, ValidationContext(trust_roots=[root]))


def test_the_signature_holds_and_covers_everything(host: Host, sealed: bytes) -> None:
    status = validated(host, sealed)
    assert status.bottom_line
    assert status.coverage is SignatureCoverageLevel.ENTIRE_FILE
    assert "开发证书" in status.signing_cert.subject.human_friendly
    (signature,) = PdfFileReader(io.BytesIO(sealed)).embedded_signatures
    assert signature.sig_object["/SubFilter"] == "/ETSI.CAdES.detached"
    assert (signature.field_name, signature.sig_object["/Name"]) == (FIELD, "江门市市场监督管理局")
    assert signature.docmdp_level is not None


def test_one_flipped_byte_breaks_it(host: Host, sealed: bytes) -> None:
    place = sealed.index(b"stream") + 40
    flipped = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
    status = validated(host, flipped)
    assert not status.intact
    assert not status.bottom_line


def test_something_added_breaks_it(host: Host, sealed: bytes) -> None:
    writer, out = IncrementalPdfFileWriter(io.BytesIO(sealed)), io.BytesIO()
    page = writer.root["/Pages"]["/Kids"][0]
    page[generic.pdf_name("/Rotate")] = generic.NumberObject(90)  # type: ignore[no-untyped-call]
    writer.update_container(page)
    writer.write(out)  # type: ignore[no-untyped-call]
    assert not validated(host, out.getvalue()).bottom_line


def test_it_is_pdf_a_2b_with_all_fonts_inside(sealed: bytes, tmp_path: Path) -> None:
    path = tmp_path / "sealed.pdf"
    path.write_bytes(sealed)
    assert broken_rules(path) == []
    spoilt = pikepdf.open(path)
    del spoilt.Root.OutputIntents
    spoilt.save(tmp_path / "spoilt.pdf")
    assert broken_rules(tmp_path / "spoilt.pdf")  # it does look
    with pikepdf.open(io.BytesIO(sealed)) as document:
        with document.open_metadata() as metadata:
            assert (metadata.get("pdfaid:part"), metadata.get("pdfaid:conformance")) == ("2", "B")
        (intent,) = document.Root.OutputIntents
        assert intent.S == "/GTS_PDFA1"
        assert "/DestOutputProfile" in intent
        assert "/AcroForm" in document.Root
        assert "/Encrypt" not in document.trailer
        assert not {"/AA", "/JavaScript"} & set(document.Root.keys())
        assert isinstance(document.Root.get("/OpenAction"), pikepdf.Array)  # a place on a page, no act
        embedded = [_embedded(font) for page in document.pages for font in page.Resources.Font.values()]
        assert embedded
        assert all(embedded)
        annotations = [a for page in document.pages for a in page.get("/Annots", [])]
        assert all(int(a.F) & 4 and not int(a.F) & 2 for a in annotations)  # printed, not hidden


def _embedded(font: pikepdf.Object) -> bool:
    described = font.DescendantFonts[0] if "/DescendantFonts" in font else font
    return bool({"/FontFile", "/FontFile2", "/FontFile3"} & set(described.FontDescriptor.keys()))


def test_the_seal_stands_over_the_date_in_red(sealed: bytes) -> None:
    place = pdf.find_last(sealed, "2025年3月3日")
    assert place is not None
    (signature,) = PdfFileReader(io.BytesIO(sealed)).embedded_signatures
    left, low, right, high = map(float, signature.sig_field["/Rect"])
    assert right - left == pytest.approx(POINTS, abs=1)
    assert left < place.x < right
    assert low < place.y < (low + high) / 2
    with pypdfium2.PdfDocument(sealed) as document:
        document.init_forms()
        picture = document[place.page].render(scale=1, may_draw_forms=True).to_pil().convert("RGB")
    height = picture.height
    ring = [picture.getpixel((int(x), int(height - (low + high) / 2))) for x in range(int(left), int(left) + 5)]
    assert any(red > 150 and green < 140 for red, green, _ in ring)


def test_an_unsealed_form_is_signed_without_being_seen(scene: Scene, host: Host) -> None:
    answer = scene.issued(scene.verified(), FORM, fields=FORM_FIELDS)
    data = scene.content(answer["instrument_id"], "pdf")
    assert validated(host, data).bottom_line
    (signature,) = PdfFileReader(io.BytesIO(data)).embedded_signatures
    assert [float(n) for n in signature.sig_field["/Rect"]] == [0, 0, 0, 0]


def test_the_development_key_is_its_owners_alone(host: Host, sealed: bytes) -> None:
    path = host.settings.data / "keys" / "seal.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    own, root = load_certs_from_pemder_data(path.read_bytes())
    assert "开发证书（不具法律效力）" in own.subject.human_friendly
    assert "DEVELOPMENT ONLY" in root.subject.human_friendly


def test_production_makes_no_certificate_for_itself(host: Host) -> None:
    settings = replace(host.settings, data=host.settings.data / "elsewhere")
    with pytest.raises(RuleRefusedError, match="没有配置印章证书"):
        signer_of(settings.data, "kubernetes")
    assert not (settings.data / "keys").exists()


def test_text_has_no_blanks_beside_chinese() -> None:
    assert pdf.without_blanks("行 政\n处罚 〔2025〕 12 号  abc  def") == "行政处罚〔2025〕12号abc def"


def test_wanted_typefaces_are_here_or_have_a_substitute() -> None:
    assert fonts.missing(fonts.WANTED) == []
    assert fonts.missing(["某某体", "仿宋_GB2312"]) == ["某某体"]
    assert "仿宋_GB2312" in fonts.families(check_docx(papers.decision()))


def test_a_document_in_an_unknown_typeface_is_not_printed() -> None:
    document = papers.paper()
    papers.say(document, "正文")
    document.paragraphs[0].runs[0].font.name = "不存在的字体"
    with pytest.raises(RuleRefusedError, match="不存在的字体"):
        fonts.require(check_docx(papers.saved(document)))


def test_an_office_that_hangs_is_killed_and_the_next_one_works() -> None:
    office = Office()
    try:
        first = office.convert(papers.plain("第一份"))
        pid = office.pid
        with pytest.raises(OfficeError, match="no answer within"):
            office.convert(papers.decision(), seconds=0.0)
        assert office.pid is None
        assert pdf.read(office.convert(papers.plain("第二份"))).text == "第二份"
        assert office.pid != pid
        assert pdf.read(first).text == "第一份"
    finally:
        office.stop()


def listening(pid: int | None) -> list[Path]:
    """The sockets of LibreOffice under this bridge."""
    found = [str(c.laddr) for one in psutil.Process(pid).children() for c in one.net_connections("unix")]
    return [Path(name) for name in sorted(set(found)) if "OSL_PIPE_" in name]


def test_an_office_that_was_killed_leaves_nothing_behind() -> None:
    owner = subprocess.Popen([sys.executable, "-c", _STARTS], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    office = Office()
    try:
        assert owner.stdout is not None
        theirs = listening(int(owner.stdout.readline()))
        owner.kill()  # as by a machine without memory: whoever would clear up is dead as well
        owner.communicate()
        assert len(theirs) == 2
        assert all(path.is_socket() for path in theirs)
        office.convert(papers.plain("下一份"))
        mine = listening(office.pid)
        assert len(mine) == 2
        assert not any(path.exists() for path in theirs)
        for child in psutil.Process(office.pid).children():
            child.kill()
        with pytest.raises(OfficeError, match="died"):
            office.convert(papers.plain("再一份"))
        assert not any(path.exists() for path in mine)
    finally:
        owner.kill()
        office.stop()


def test_what_libreoffice_cannot_read_is_the_documents_fault() -> None:
    with pytest.raises(InvalidInputError, match="无法转换为 PDF"):
        OFFICE.convert(b"this is no document")
    assert OFFICE.convert(papers.plain("仍能转换")).startswith(b"%PDF")
