"""Which typefaces a document asks for, and whether this machine has them or a known substitute (fonts.conf)."""

from __future__ import annotations

import logging
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from lxml import etree

from services.documents.render.check import W
from services.kit.errors import RuleRefusedError

log = logging.getLogger("anjuan.documents.fonts")
CONFIGURATION = Path(__file__).with_name("fonts.conf")
# GB/T 9704-2012 and the courts' forms of instruments ask for these
WANTED = ("仿宋_GB2312", "宋体", "黑体", "楷体_GB2312", "方正小标宋简体", "Times New Roman")
_PARTS = re.compile(r"word/(document|header\d*|footer\d*|footnotes|endnotes)\.xml")
_STYLES = "word/styles.xml"
_NAMES = (f"{W}eastAsia", f"{W}ascii", f"{W}hAnsi")


def families(parts: Mapping[str, bytes]) -> list[str]:
    """Typefaces named by the text, by the styles that it uses and by the defaults."""
    trees = [etree.fromstring(parts[n]) for n in sorted(parts) if _PARTS.fullmatch(n)]
    styles = etree.fromstring(parts[_STYLES]) if _STYLES in parts else None
    found = [f for tree in trees for f in _named(tree)]
    if styles is not None:
        used = {str(e.get(f"{W}val")) for t in trees for e in t.iter(f"{W}pStyle", f"{W}rStyle", f"{W}tblStyle")}
        found += [f for style in _used_styles(styles, used) for f in _named(style)]
        found += [f for defaults in styles.iter(f"{W}docDefaults") for f in _named(defaults)]
    return sorted(set(found))


def _named(tree: etree._Element) -> list[str]:
    return [str(e.get(name)) for e in tree.iter(f"{W}rFonts") for name in _NAMES if e.get(name)]


def _used_styles(styles: etree._Element, used: set[str]) -> list[etree._Element]:
    by_id = {str(s.get(f"{W}styleId")): s for s in styles.iter(f"{W}style")}
    wanted = [*used, *(i for i, s in by_id.items() if s.get(f"{W}default") in ("1", "true", "on"))]
    found: dict[str, etree._Element] = {}
    while wanted:
        style_id = wanted.pop()
        if style_id in by_id and style_id not in found:
            found[style_id] = by_id[style_id]
            wanted += [str(e.get(f"{W}val")) for e in by_id[style_id].iter(f"{W}basedOn", f"{W}link")]
    return list(found.values())


@cache
def aliases() -> dict[str, tuple[str, ...]]:
    """Known substitutes of fonts.conf."""
    tree = etree.parse(str(CONFIGURATION), etree.XMLParser(load_dtd=False, no_network=True))
    return {
        str(a.findtext("family")): tuple(str(f.text) for f in a.iterfind("accept/family")) for a in tree.iter("alias")
    }


@cache
def _matched(family: str) -> frozenset[str]:
    """All names of the face that fontconfig gives for a family; empty without fontconfig."""
    program = shutil.which("fc-match")
    if program is None:
        return frozenset()
    pattern = re.sub(r"([\\:,\-])", r"\\\1", family)
    done = subprocess.run(  # noqa: S603
        [program, "--format=%{family}", pattern], env={"FONTCONFIG_FILE": str(CONFIGURATION), "LANG": "C.UTF-8"},
        capture_output=True, timeout=30, check=False,
    )  # fmt: skip
    return frozenset(name.strip().casefold() for name in done.stdout.decode("utf-8", "replace").split(","))


def missing(wanted: Iterable[str]) -> list[str]:
    """Those for which there is neither the face itself nor a known substitute on this machine."""
    return [f for f in wanted if not {f.casefold(), *(a.casefold() for a in aliases().get(f, ()))} & _matched(f)]


def require(parts: Mapping[str, bytes]) -> None:
    """Refuse to print officially what would silently get another face.

    Raises:
        RuleRefusedError: naming the typefaces.
    """
    if lacking := missing(families(parts)):
        raise RuleRefusedError(
            f"本机缺少文书使用的字体且没有约定的代用字体：{'、'.join(lacking)}。请改用仿宋、宋体、黑体、楷体，或请运维人员安装字体"
        )


def report() -> None:
    """At start: say loudly which typefaces of official documents this machine lacks."""
    if lacking := missing(WANTED):
        log.error("fonts_missing", extra={"families": "、".join(lacking)})
