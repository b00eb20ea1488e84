"""What a draft still lacks is marked in its text: 【文号】 filled when it is issued, 【待填：事由】 by people."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping

from lxml import etree

from services.documents.render.check import MAIN, PACKAGE, TYPES, W

NUMBER, DAY, SIGNERS, SEAL = "【文号】", "【日期】", "【署名】", "【印章】"
AT_ISSUE = (NUMBER, DAY, SIGNERS, SEAL)
GAP = "【待填：{}】"
_GAP = re.compile(r"【待填：([^【】]{1,200})】")
TOKEN = "AnjuanToken"  # noqa: S105 a name: the property's value is the token
CUSTOM = "docProps/custom.xml"
_CP = "http://schemas.openxmlformats.org/officeDocument/2006/custom-properties"
_VT = "http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes"
_FORMAT = "{D5CDD505-2E9C-101B-9397-08002B2CF9AE}"  # the property set that [MS-OE376] asks for
_CUSTOM_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/custom-properties"
_CUSTOM_TYPE = "application/vnd.openxmlformats-officedocument.custom-properties+xml"
_UNSETTLED = {("ins", "del", "moveFrom", "moveTo", "rPrChange", "pPrChange"): "未接受的修订",
              ("commentReference",): "批注", ("vanish",): "隐藏文字"}  # fmt: skip
_TEXTS = re.compile(r"word/(document|header\d*|footer\d*|footnotes|endnotes)\.xml")


def pack_docx(parts: Mapping[str, bytes]) -> bytes:
    """Parts as one file; equal parts give equal bytes."""
    out = io.BytesIO()
    names = sorted(parts, key=lambda n: (n != "[Content_Types].xml", n != "_rels/.rels", n))
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), parts[name], zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _paragraphs(parts: Mapping[str, bytes]) -> Iterator[tuple[str, etree._Element, list[etree._Element]]]:
    """Part name, its root, and the text elements of one paragraph at a time."""
    for name in sorted(n for n in parts if _TEXTS.fullmatch(n)):
        root = etree.fromstring(parts[name], etree.XMLParser(resolve_entities=False))
        for paragraph in root.iter(f"{W}p"):
            texts = [t for t in paragraph.iter(f"{W}t") if next(t.iterancestors(f"{W}p")) is paragraph]
            yield name, root, texts


def text_of(parts: Mapping[str, bytes]) -> str:
    """The words of all paragraphs, one a line."""
    return "\n".join("".join(t.text or "" for t in texts) for _, _, texts in _paragraphs(parts))


def unsettled(parts: Mapping[str, bytes]) -> list[str]:
    """What must not be in a text that is signed: revisions not accepted, comments, hidden text."""
    found = []
    for name in sorted(n for n in parts if _TEXTS.fullmatch(n)):
        root = etree.fromstring(parts[name], etree.XMLParser(resolve_entities=False))
        for tags, word in _UNSETTLED.items():
            if next(root.iter(*(f"{W}{tag}" for tag in tags)), None) is not None:
                found.append(word)
    return list(dict.fromkeys(found))


def gaps(text: str) -> list[str]:
    """Names of what people must still fill in, in order, each once."""
    return list(dict.fromkeys(_GAP.findall(text)))


def fill(parts: Mapping[str, bytes], values: Mapping[str, str]) -> dict[str, bytes]:
    """The parts with every mark replaced, even where Word has cut it into several runs; a line feed is a line break."""
    filled, changed = dict(parts), {}
    for name, root, texts in _paragraphs(parts):
        whole = "".join(t.text or "" for t in texts)
        found = sorted((m.start(), mark) for mark in values for m in re.finditer(re.escape(mark), whole))
        for start, mark in reversed(found):  # from the end, so that the places before stay right
            _replace(texts, start, len(mark), values[mark])
        if found:
            changed[name] = root
    for name, root in changed.items():
        for text in list(root.iter(f"{W}t")):
            _break_lines(text)
        filled[name] = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
    return filled


def _replace(texts: list[etree._Element], start: int, length: int, value: str) -> None:
    at, end = 0, start + length
    for text in texts:
        own = text.text or ""
        first, last = max(start - at, 0), min(end - at, len(own))
        if first < last:
            text.text = own[:first] + (value if at <= start else "") + own[last:]
            text.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
        at += len(own)


def _break_lines(text: etree._Element) -> None:
    lines = (text.text or "").split("\n")
    parent = text.getparent()
    if len(lines) < 2 or parent is None:
        return
    text.text, place = lines[0], parent.index(text)
    for line in lines[1:]:
        after = etree.Element(f"{W}t")
        after.text = line
        parent.insert(place + 1, etree.Element(f"{W}br"))
        parent.insert(place + 2, after)
        place += 2


def read_token(parts: Mapping[str, bytes]) -> str:
    """The case token, empty where there is none (or more than one)."""
    if CUSTOM not in parts:
        return ""
    root = etree.fromstring(parts[CUSTOM], etree.XMLParser(resolve_entities=False))
    found = ["".join(str(t) for t in p.itertext()) for p in root.iter(f"{{{_CP}}}property") if p.get("name") == TOKEN]
    return found[0].strip() if len(found) == 1 else ""


def with_token(parts: Mapping[str, bytes], token: str) -> dict[str, bytes]:
    """The parts with this case token, in place of any other."""
    root = (
        etree.fromstring(parts[CUSTOM], etree.XMLParser(resolve_entities=False)) if CUSTOM in parts
        else etree.Element(f"{{{_CP}}}Properties", nsmap={None: _CP, "vt": _VT})
    )  # fmt: skip
    for old in [p for p in root if p.get("name") == TOKEN]:
        root.remove(old)
    free = 1 + max([1, *(int(p.get("pid", "1")) for p in root)])
    entry = etree.SubElement(root, f"{{{_CP}}}property", {"fmtid": _FORMAT, "pid": str(free), "name": TOKEN})
    etree.SubElement(entry, f"{{{_VT}}}lpwstr").text = token
    written = {CUSTOM: etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)}
    return {**parts, **written, **_announced(parts)}


def _announced(parts: Mapping[str, bytes]) -> dict[str, bytes]:
    """Content type and relationship of the custom properties, added where they are missing."""
    types = etree.fromstring(parts["[Content_Types].xml"])
    relations = etree.fromstring(parts["_rels/.rels"])
    if not any(e.get("PartName") == f"/{CUSTOM}" for e in types):
        etree.SubElement(types, f"{TYPES}Override", {"PartName": f"/{CUSTOM}", "ContentType": _CUSTOM_TYPE})
    if not any(e.get("Type") == _CUSTOM_RELATION for e in relations):
        ids = {e.get("Id") for e in relations}
        free = next(f"rId{n}" for n in range(1, len(ids) + 2) if f"rId{n}" not in ids)
        etree.SubElement(
            relations, f"{PACKAGE}Relationship", {"Id": free, "Type": _CUSTOM_RELATION, "Target": CUSTOM}
        )
    return {
        "[Content_Types].xml": etree.tostring(types, xml_declaration=True, encoding="UTF-8", standalone=True),
        "_rels/.rels": etree.tostring(relations, xml_declaration=True, encoding="UTF-8", standalone=True),
    }


__all__ = ["AT_ISSUE", "DAY", "GAP", "MAIN", "NUMBER", "SEAL", "SIGNERS", "TOKEN", "fill", "gaps", "pack_docx",
           "read_token", "text_of", "unsettled", "with_token"]  # fmt: skip
