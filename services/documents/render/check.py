"""Is this .docx only text and pictures? Templates and uploads pass here before anything else opens them."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping

from lxml import etree

from services.documents.settings import KNOBS
from services.kit.errors import InvalidInputError, TooLargeError

PACKAGE = "{http://schemas.openxmlformats.org/package/2006/relationships}"
TYPES = "{http://schemas.openxmlformats.org/package/2006/content-types}"
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
MAIN = "word/document.xml"
MAIN_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_XML = (".xml", ".rels", ".vml")
# last word of a relationship's type: whatever is not here may carry code or other people's bytes
_RELATIONS = frozenset({
    "officeDocument", "styles", "stylesWithEffects", "settings", "webSettings", "fontTable", "theme", "themeOverride",
    "numbering", "header", "footer", "footnotes", "endnotes", "comments", "commentsExtended", "commentsIds",
    "commentsExtensible", "people", "image", "customXml", "customXmlProps", "core-properties", "extended-properties",
    "custom-properties", "thumbnail", "glossaryDocument", "wpsCustomData", "documenttasks", "classificationlabels",
})  # fmt: skip
_PICTURES: dict[str, tuple[bytes, ...]] = {
    "png": (b"\x89PNG",), "jpeg": (b"\xff\xd8\xff",), "jpg": (b"\xff\xd8\xff",), "gif": (b"GIF8",), "bmp": (b"BM",),
    "tif": (b"II*\0", b"MM\0*"), "tiff": (b"II*\0", b"MM\0*"),
}  # fmt: skip
_NAMED = {
    "vbaproject": "宏代码", "attachedtemplate": "外部模板", "oleobject": "嵌入的 OLE 对象", "package": "嵌入的文件",
    "afchunk": "嵌入的外来文档（altChunk）", "subdocument": "外部子文档", "control": "ActiveX 控件",
    "hyperlink": "外部链接", "frame": "外部框架", "font": "嵌入的字体", "externallink": "外部链接", "chart": "内嵌图表",
    "mailmergesource": "邮件合并数据源", "ui": "自定义功能区", "webextension": "加载项",
    "webextensiontaskpanes": "加载项", "keymapcustomizations": "自定义按键",
}  # fmt: skip
_FIELDS = re.compile(
    r"\b(INCLUDETEXT|INCLUDEPICTURE|INCLUDE|IMPORT|LINK|DDE|DDEAUTO|DATABASE|MACROBUTTON|EMBED|RD|AUTOTEXT|GOTOBUTTON|"
    r"ASK|FILLIN|HYPERLINK(?!\s*\\l\b))\b", re.IGNORECASE,
)  # fmt: skip
_TAGS = {"altChunk": "嵌入的外来文档（altChunk）", "object": "嵌入的 OLE 对象", "control": "ActiveX 控件",
         "OLEObject": "嵌入的 OLE 对象", "subDoc": "外部子文档", "mailMerge": "邮件合并数据源"}  # fmt: skip
_SOURCES = etree.XPath("//@*[local-name() = 'src' or local-name() = 'href']")


def check_docx(data: bytes, what: str = "文件") -> dict[str, bytes]:
    """The parts of a plain .docx by name. `what` begins every refusal: 上传的文书, 模板 …

    Raises:
        TooLargeError: over the largest file, or it unfolds to more than is sane (a zip bomb).
        InvalidInputError: not a .docx, or it carries code, links, foreign objects or a DTD; all faults at once.
    """
    parts = _unpack(data, what)
    trees = {name: _tree(name, part, what) for name, part in parts.items() if name.lower().endswith(_XML)}
    faults = [*_part_faults(parts), *_type_faults(trees["[Content_Types].xml"])]
    for name, tree in trees.items():
        faults += _link_faults(tree) if name.endswith(".rels") else _content_faults(tree)
    if faults:
        found = list(dict.fromkeys(faults))
        raise InvalidInputError(
            f"{what}不能使用：含有{'、'.join(found)}。请用 Word 或 WPS 另存为不含这些内容的 .docx 后重新提交",
            [{"pointer": "/docx", "detail": f"含有{fault}"} for fault in found],
        )
    return parts


def _unpack(data: bytes, what: str) -> dict[str, bytes]:
    if len(data) > KNOBS.largest_docx:
        raise TooLargeError(f"{what}超过上限 {KNOBS.largest_docx // 1024**2} MB，请压缩其中的图片")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _read(archive, what)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, OSError, EOFError,
            ValueError) as error:  # fmt: skip
        raise InvalidInputError(f"{what}不是完好的 .docx（Word 2007 及以后格式），请检查后重新提交") from error
    except zlib.error as error:
        raise InvalidInputError(f"{what}已损坏，无法解开，请重新提交") from error


def _read(archive: zipfile.ZipFile, what: str) -> dict[str, bytes]:
    infos = [i for i in archive.infolist() if not i.is_dir()]
    names = [i.filename for i in infos]
    if not {"[Content_Types].xml", MAIN} <= set(names):
        raise InvalidInputError(f"{what}不是 Word 文档（.docx）")
    odd = any(n.startswith("/") or ".." in n.split("/") or "\\" in n for n in names)
    if odd or len({n.lower() for n in names}) != len(names):
        raise InvalidInputError(f"{what}的内部结构不合规范（部件重名或路径有误），请另存后重新提交")
    if len(names) > KNOBS.most_parts or sum(i.file_size for i in infos) > KNOBS.largest_unpacked:
        raise TooLargeError(f"{what}解开后过大，疑为压缩炸弹，已拒收")
    parts, left = {}, KNOBS.largest_unpacked
    for info in infos:
        with archive.open(info) as part:
            content = part.read(left + 1)  # the directory may lie about sizes
        left -= len(content)
        if left < 0:
            raise TooLargeError(f"{what}解开后过大，疑为压缩炸弹，已拒收")
        parts[info.filename] = content
    return parts


def _tree(name: str, part: bytes, what: str) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        tree = etree.fromstring(part, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise InvalidInputError(f"{what}中的 {name} 不是完好的 XML，请用 Word 或 WPS 另存后重新提交") from error
    if tree.getroottree().docinfo.doctype or any(isinstance(e, etree._Entity) for e in tree.iter(etree.Entity)):
        raise InvalidInputError(f"{what}中的 {name} 含有 DTD（文档类型定义），已拒收",
                                [{"pointer": "/docx", "detail": "含有 DTD"}])  # fmt: skip
    return tree


def _part_faults(parts: Mapping[str, bytes]) -> Iterator[str]:
    for name, content in parts.items():
        ending = name.lower().rsplit(".", 1)[-1]
        if ending in _PICTURES:
            if not content.startswith(_PICTURES[ending]):
                yield f"不是图片的图片（{name}）"
        elif name.startswith("docProps/thumbnail."):
            continue
        elif ending in ("emf", "wmf", "svg", "wdp"):
            yield f"矢量图片（{name}，请改用 PNG）"
        elif ending == "odttf":
            yield "嵌入的字体"
        elif f".{ending}" not in _XML or "/embeddings/" in f"/{name.lower()}" or "activex" in name.lower():
            yield f"不认识的部件 {name}" if "vba" not in name.lower() else "宏代码"


def _type_faults(types: etree._Element) -> Iterator[str]:
    declared = {str(e.get("ContentType", "")) for e in types.iter(f"{TYPES}Override", f"{TYPES}Default")}
    if MAIN_TYPE not in declared:
        yield "宏代码或模板类型（应为普通 .docx）"
    for kind in declared:
        if re.search(r"macroEnabled|vba|activeX|oleObject|keyMapCustomizations", kind, re.IGNORECASE):
            yield "宏代码"


def _link_faults(relations: etree._Element) -> Iterator[str]:
    for relation in relations.iter(f"{PACKAGE}Relationship"):
        kind = str(relation.get("Type", "")).rstrip("/").rsplit("/", 1)[-1]
        target = str(relation.get("Target", ""))
        if str(relation.get("TargetMode", "")).lower() == "external":
            yield f"外部链接（{target[:80]}）"
        elif kind == "hyperlink" and target.startswith("#"):
            continue
        elif kind not in _RELATIONS:
            yield _NAMED.get(kind.lower(), f"不认识的内容 {kind}")


def _content_faults(tree: etree._Element) -> Iterator[str]:
    yield from (_TAGS[etree.QName(element).localname] for element in tree.iter(*(f"{{*}}{name}" for name in _TAGS)))
    for field in tree.iter("{*}fldSimple"):
        yield from _field_faults(str(field.get(f"{W}instr", "")))
    for value in _SOURCES(tree):
        if re.match(r"[a-z]+:|[\\/]{2}", str(value), re.IGNORECASE):
            yield f"外部链接（{str(value)[:80]}）"
    pieces = [str(e.text or "") for e in tree.iter(f"{W}instrText", f"{W}delInstrText")]
    for joined in ("".join(pieces), " ".join(pieces)):  # Word cuts one instruction into many
        yield from _field_faults(joined)
    if any(True for _ in tree.iter(etree.ProcessingInstruction)):
        yield "处理指令"


def _field_faults(instruction: str) -> Iterator[str]:
    for word in _FIELDS.findall(instruction):
        yield f"会取用外部内容的域（{word.upper()}）"
