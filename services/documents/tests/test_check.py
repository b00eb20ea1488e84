"""What a docx may carry: text and pictures. Everything else is refused with a sentence a clerk can act on."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest
from docx.shared import Mm
from PIL import Image

from services.documents.render.check import check_docx
from services.documents.settings import KNOBS
from services.documents.tests import papers
from services.kit.errors import InvalidInputError, TooLargeError

BODY, TYPES = "word/document.xml", "[Content_Types].xml"
RELATIONS = "word/_rels/document.xml.rels"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def changed(part: str, old: str, new: str, **more: bytes) -> bytes:
    """A plain docx with one part altered and others added."""
    files = papers.parts(papers.plain("正文"))
    assert old in files[part].decode()
    files[part] = files[part].decode().replace(old, new, 1).encode()
    return papers.packed(files | more)


def linked(kind: str, target: str, external: bool = True, **more: bytes) -> bytes:
    """With one more relationship."""
    mode = ' TargetMode="External"' if external else ""
    link = f'<Relationship Id="rIdX" Type="{_OFFICE}/{kind}" Target="{target}"{mode}/></Relationships>'
    return changed(RELATIONS, "</Relationships>", link, **more)


def instructed(*pieces: str) -> bytes:
    """With a field whose instruction Word has cut into these pieces."""
    runs = "".join(f"<w:r><w:instrText>{piece}</w:instrText></w:r>" for piece in pieces)
    return changed(BODY, "<w:t>正文</w:t></w:r>", f"<w:t>正文</w:t></w:r>{runs}")


def with_picture() -> bytes:
    document, picture = papers.paper(), io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(picture, "PNG")
    document.add_picture(picture, width=Mm(20))
    return papers.saved(document)


@pytest.mark.parametrize("docx", [papers.decision(), papers.judgment(), with_picture(), instructed(" PAGE "),
                                  instructed(' HYPERLINK \\l "here" ')])  # fmt: skip
def test_plain_documents_pass(docx: bytes) -> None:
    assert BODY in check_docx(docx)


HOSTILE = {
    "宏代码": changed(TYPES, "document.main+xml", "document.macroEnabled.main+xml"),
    "宏代码 ": linked("vbaProject", "vbaProject.bin", False, **{"word/vbaProject.bin": b"x"}),
    "OLE": linked("oleObject", "embeddings/a.bin", False, **{"word/embeddings/a.bin": b"x"}),
    "嵌入的文件": linked("package", "embeddings/a.xlsx", False, **{"word/embeddings/a.xlsx": b"x"}),
    "altChunk": linked("aFChunk", "other.html", False, **{"word/other.html": b"<p/>"}),
    "altChunk ": changed(BODY, "<w:p>", '<w:altChunk/><w:p>'),
    "外部链接": linked("hyperlink", "http://example.org/"),
    "外部链接 ": linked("image", "file:///etc/passwd"),
    "外部链接  ": linked("attachedTemplate", "\\\\server\\share\\a.dotm"),
    "ActiveX": linked("control", "activeX/activeX1.xml", False, **{"word/activeX/activeX1.xml": b"<a/>"}),
    "INCLUDETEXT": instructed(' INCLUDETEXT "/etc/passwd" '),
    "INCLUDEPICTURE": instructed(" INCLUDE", "PICT", 'URE "http://example.org/a.png" '),
    "DDEAUTO": instructed(" DDEAUTO c:\\\\windows\\\\system32\\\\cmd.exe "),
    "HYPERLINK": instructed(' HYPERLINK "http://example.org" '),
    "LINK": changed(BODY, "<w:p>", '<w:p><w:fldSimple w:instr=" LINK Excel.Sheet "/>'),
    "DTD": changed(BODY, "<w:document", '<!DOCTYPE w [<!ENTITY a "b">]><w:document'),
    "不是图片": linked("image", "media/a.png", False, **{"word/media/a.png": b"MZ\x90"}),
    "矢量图片": linked("image", "media/a.emf", False, **{"word/media/a.emf": b"\x01\0\0\0"}),
    "不认识的部件": papers.packed(papers.parts(papers.plain("a")) | {"word/run.exe": b"MZ"}),
    "嵌入的字体": linked("font", "fonts/a.odttf", False, **{"word/fonts/a.odttf": b"x"}),
    "处理指令": changed(BODY, "<w:p>", "<?php x?><w:p>"),
}  # fmt: skip


@pytest.mark.parametrize("word", HOSTILE)
def test_what_is_more_than_text_is_refused(word: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        check_docx(HOSTILE[word], "上传的文书")
    assert word.strip() in refused.value.detail
    assert refused.value.detail.startswith("上传的文书")
    assert refused.value.fields


def test_all_faults_are_told_at_once() -> None:
    both = papers.packed(papers.parts(HOSTILE["外部链接"]) | {"word/run.exe": b"MZ"})
    with pytest.raises(InvalidInputError, match=r"不认识的部件 word/run.exe.*外部链接（http://example.org/）"):
        check_docx(both)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04broken", papers.plain("a")[:-300], b"%PDF-1.7 not a docx",
                                  papers.packed({"a.txt": b"x"})])  # fmt: skip
def test_what_is_no_docx_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInputError, match="docx"):
        check_docx(data)


def test_a_utf16_dtd_does_not_hide() -> None:
    files = papers.parts(papers.plain("正文"))
    text = files[BODY].decode().replace("UTF-8", "UTF-16").replace("<w:document", '<!DOCTYPE w SYSTEM "a"><w:document')
    with pytest.raises(InvalidInputError, match="DTD"):
        check_docx(papers.packed(files | {BODY: text.encode("utf-16")}))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_parts_of_one_name_are_refused() -> None:
    files = papers.parts(papers.plain("正文"))
    for name in (BODY, "word/Document.xml"):
        with pytest.raises(InvalidInputError, match="内部结构"):
            check_docx(papers.packed(files, also=[(name, files[BODY])]))


def test_a_zip_bomb_is_refused_before_it_unfolds() -> None:
    bomb = papers.packed(papers.parts(papers.plain("a")) | {"word/media/a.png": b"\0" * (KNOBS.largest_unpacked + 1)})
    assert len(bomb) < KNOBS.largest_docx
    with pytest.raises(TooLargeError, match="压缩炸弹"):
        check_docx(bomb)


def test_a_zip_bomb_that_lies_about_its_size_is_refused() -> None:
    bomb = bytearray(papers.packed({TYPES: b"<a/>", BODY: b"\0" * (KNOBS.largest_unpacked + 1)}))
    with zipfile.ZipFile(io.BytesIO(bytes(bomb))) as archive:
        real = struct.pack("<I", archive.getinfo(BODY).file_size)
    lie = bytes(bomb).replace(real, struct.pack("<I", 1000))
    with pytest.raises((TooLargeError, InvalidInputError)):
        check_docx(lie)


def test_an_oversize_file_is_refused() -> None:
    with pytest.raises(TooLargeError, match="10 MB"):
        check_docx(b"PK" + b"\0" * KNOBS.largest_docx)
