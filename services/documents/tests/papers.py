"""Real Word files for the tests, as a clerk's Word would make them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence

from docx import Document
from docx.document import Document as Paper
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

FANGSONG, TITLE = "仿宋_GB2312", "方正小标宋简体"


def paper() -> Paper:
    """A blank A4 by GB/T 9704: margins, 仿宋 of size 3."""
    document = Document()
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin, section.bottom_margin = Mm(37), Mm(35)
    section.left_margin, section.right_margin = Mm(28), Mm(26)
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = FANGSONG, Pt(16)
    normal.element.rPr.rFonts.set(qn("w:eastAsia"), FANGSONG)
    normal.paragraph_format.line_spacing = Pt(28.5)
    normal.paragraph_format.space_after = Pt(0)
    return document


def say(document: Paper, text: str, *, title: bool = False, right: bool = False, indent: bool = False) -> None:
    """A paragraph."""
    paragraph = document.add_paragraph()
    run = paragraph.add_run(text)
    if title:
        paragraph.alignment, run.font.size, run.font.name = WD_ALIGN_PARAGRAPH.CENTER, Pt(22), TITLE
        run._element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), TITLE)
        paragraph.paragraph_format.line_spacing = Pt(36)
    if right:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        paragraph.paragraph_format.right_indent = Pt(64)
    if indent:
        paragraph.paragraph_format.first_line_indent = Pt(32)


def saved(document: Paper) -> bytes:
    """The file."""
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def decision() -> bytes:
    """行政处罚决定书: fields, a condition, a loop over table rows."""
    d = paper()
    for text in ("{{ 机关名称 }}", "行政处罚决定书"):
        say(d, text, title=True)
    say(d, "{{ 文号 }}", title=False)
    d.paragraphs[-1].alignment = WD_ALIGN_PARAGRAPH.CENTER
    say(d, "当事人：{{ 当事人 }}", indent=True)
    say(d, "经查明，{{ 事实和证据 }}", indent=True)
    say(d, "{% if 事由 %}上述行为涉及{{ 事由 }}，违反了{{ 法律依据 }}的规定。{% endif %}", indent=True)
    table = d.add_table(3, 2, style="Table Grid")
    table.cell(0, 0).text, table.cell(0, 1).text = "证据名称", "证明事项"
    table.cell(1, 0).text = "{%tr for 证 in 证据清单 %}"
    row = table.add_row()
    table.cell(2, 0).text, table.cell(2, 1).text = "{{ 证.名称 }}", "{{ 证.事项 }}"
    row.cells[0].text = "{%tr endfor %}"
    say(d, "本局对当事人陈述申辩意见的处理：{{ 陈述申辩采纳情况 }}", indent=True)
    say(d, "决定处罚如下：{{ 处罚内容和依据 }}", indent=True)
    say(d, "{{ 履行方式和期限 }}", indent=True)
    say(d, "{{ 复议诉讼途径和期限 }}", indent=True)
    say(d, "")
    say(d, "{{ 机关名称 }}{{ 机关印章 }}", right=True)
    say(d, "{{ 日期 }}", right=True)
    return saved(d)


def judgment() -> bytes:
    """民事判决书, signed by the panel."""
    d = paper()
    say(d, "{{ 法院名称 }}", title=True)
    say(d, "民事判决书", title=True)
    say(d, "{{ 案号 }}", right=True)
    for name in ("当事人", "案由", "诉讼请求_争议事实", "认定事实和理由", "判决结果", "上诉期间和法院", "正文"):
        say(d, "{{ " + name + " }}", indent=True)
    say(d, "{{ 署名 }}{{ 院印 }}", right=True)
    say(d, "{{ 日期 }}", right=True)
    return saved(d)


def plain(*lines: str) -> bytes:
    """A short one of these paragraphs."""
    d = paper()
    for line in lines:
        say(d, line)
    return saved(d)


def parts(docx: bytes) -> dict[str, bytes]:
    """Its parts, unchecked."""
    with zipfile.ZipFile(io.BytesIO(docx)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(files: Mapping[str, bytes], *, also: Sequence[tuple[str, bytes]] = ()) -> bytes:
    """Parts as a file, `also` may repeat names."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in [*files.items(), *also]:
            archive.writestr(name, data)
    return out.getvalue()


def edited(docx: bytes, old: str, new: str) -> bytes:
    """As Word saves it after a person has typed over something."""
    document = Document(io.BytesIO(docx))
    for paragraph in document.paragraphs:
        if old in paragraph.text:
            text = paragraph.text.replace(old, new)
            for run in paragraph.runs[1:]:
                run.text = ""
            paragraph.runs[0].text = text
    return saved(document)
