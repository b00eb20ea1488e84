"""Marks in a text: found and filled however Word has cut them, and the case token that goes along."""

from __future__ import annotations

import io

from docx import Document

from services.documents.render import marks
from services.documents.render.check import check_docx
from services.documents.tests import papers


def cut(*pieces: str) -> dict[str, bytes]:
    """One paragraph of several runs."""
    document = papers.paper()
    paragraph = document.add_paragraph()
    for number, piece in enumerate(pieces):
        paragraph.add_run(piece).bold = bool(number % 2)
    return check_docx(papers.saved(document))


def test_marks_are_filled_across_runs_and_lines() -> None:
    parts = cut("甲【文", "号", "】乙【文号】丙", "【日期", "】")
    filled = marks.fill(parts, {marks.NUMBER: "江〔2025〕1号", marks.DAY: "2025年3月3日"})
    assert marks.text_of(filled) == "甲江〔2025〕1号乙江〔2025〕1号丙2025年3月3日"
    signed = marks.fill(cut("落款：【署名】完"), {marks.SIGNERS: "审判长　王一\n审判员　李二"})
    assert marks.text_of(signed) == "落款：审判长　王一审判员　李二完"
    lines = [run.text for run in Document(io.BytesIO(marks.pack_docx(signed))).paragraphs[-1].runs]
    assert lines == ["落款：审判长　王一\n审判员　李二完"]


def test_marks_in_headers_and_tables_are_filled_too() -> None:
    document = papers.paper()
    document.sections[0].header.paragraphs[0].text = "页眉【文号】"
    document.add_table(1, 1).cell(0, 0).text = "表【文号】"
    filled = marks.fill(check_docx(papers.saved(document)), {marks.NUMBER: "1号"})
    assert "表1号" in marks.text_of(filled)
    assert "页眉1号" in marks.text_of(filled)
    assert marks.NUMBER not in marks.text_of(filled)


def test_a_text_without_marks_stays_byte_for_byte() -> None:
    parts = cut("没有标记")
    assert marks.fill(parts, {marks.NUMBER: "1号"}) == parts


def test_gaps_are_named_once_each() -> None:
    assert marks.gaps("【待填：事由】【待填：日期】，【待填：事由】") == ["事由", "日期"]


def test_the_token_is_written_read_and_survives_saving() -> None:
    parts = marks.with_token(cut("正文"), "abc123")
    docx = marks.pack_docx(parts)
    assert marks.read_token(check_docx(docx)) == "abc123"
    assert marks.read_token(check_docx(papers.edited(docx, "正文", "改过的正文"))) == "abc123"
    again = marks.with_token(check_docx(docx), "other")
    assert marks.read_token(again) == "other"
    assert marks.read_token(cut("正文")) == ""
    assert marks.pack_docx(parts) == docx


def test_what_authors_left_open_is_seen() -> None:
    parts = cut("正文")
    body = parts["word/document.xml"].decode()
    for xml, word in (
        ('<w:ins w:id="1" w:author="a"/>', "未接受的修订"), ('<w:r><w:commentReference w:id="1"/></w:r>', "批注"),
        ("<w:r><w:rPr><w:vanish/></w:rPr><w:t>x</w:t></w:r>", "隐藏文字"),
    ):  # fmt: skip
        changed = {**parts, "word/document.xml": body.replace("</w:p>", f"{xml}</w:p>", 1).encode()}
        assert marks.unsettled(changed) == [word]
    assert marks.unsettled(parts) == []
