"""YAML and JSON of a pack with the line of every part, so that a fault can say where it is.

YAML is read as the plain core of 1.2: no dates, no yes/no/on/off, no base 60, no anchors, no tags, no double keys.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import yaml

from services.kit.procedure.model import Finding

SIZE, DEPTH = 400_000, 100
_PLAIN = frozenset({"null", "bool", "int", "float", "str", "seq", "map"})
Path = tuple[str | int, ...]


class _Loader(yaml.CSafeLoader):
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 (as the parent has it)


for _tag, _shape, _first in (
    ("null", r"~|null|", ["~", "n", ""]),
    ("bool", r"true|false", list("tf")),
    ("int", r"-?(0|[1-9][0-9]*)", list("-0123456789")),
    ("float", r"-?(0|[1-9][0-9]*)\.[0-9]+", list("-0123456789")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_shape})$"), _first)


@dataclass
class Source:
    """One file: its data and the line of each path."""

    file: str
    data: Any = None
    lines: dict[Path, int] = field(default_factory=dict)

    def line(self, *path: str | int) -> int:
        """The line of a path, else of the nearest part above it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def fault(self, message: str, mend: str, *path: str | int, kind: str = "reference") -> Finding:
        """A finding at a path of this file."""
        return Finding(self.file, self.line(*path), message, mend, kind)


class SourceError(Exception):
    """A file that cannot be read at all; the finding says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


@lru_cache(maxsize=128)
def read(file: str, text: bytes) -> Source:
    """A YAML or JSON file; nobody changes what it returns.

    Raises:
        SourceError: too large, not UTF-8, not YAML or JSON, an anchor, a tag, a double key.
    """
    if len(text) > SIZE:
        raise SourceError(Finding(file, 0, f"文件超过 {SIZE} 字节", "拆小", "safety"))
    source = Source(file)
    try:
        words = text.decode("utf-8")
        _require_flat(words)
        loader = _Loader(words)
        root = loader.get_single_node()
        if root is not None:
            _lines(root, (), source, set())
        source.data = json.loads(words) if file.endswith(".json") else loader.construct_document(root)
    except UnicodeDecodeError as error:
        raise SourceError(Finding(file, 0, "不是 UTF-8", "用 UTF-8 另存", "schema")) from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise SourceError(Finding(file, line, f"读不懂：{error.problem}", "检查缩进、冒号和引号", "schema")) from error
    except (yaml.YAMLError, ValueError) as error:
        raise SourceError(Finding(file, 0, f"读不懂：{error}", "检查缩进、冒号和引号", "schema")) from error
    except RecursionError as error:
        raise SourceError(Finding(file, 0, "嵌套过深", "写得平一些", "safety")) from error
    return source


def _require_flat(words: str) -> None:
    """libyaml's tree is built by recursion in C, which nothing else ends in time."""
    depth = 0
    for event in yaml.parse(words, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEPTH:
            raise RecursionError


def _lines(node: yaml.Node, path: Path, source: Source, seen: set[int]) -> None:
    here = node.start_mark.line + 1
    if id(node) in seen or node.tag.rpartition(":")[2] not in _PLAIN:
        raise SourceError(Finding(source.file, here, "用了锚点、别名或标签", "照抄一遍，不用 & * !", "safety"))
    seen.add(id(node))
    source.lines.setdefault(path, here)
    if isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(node.value):
            _lines(child, (*path, index), source, seen)
    if isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            inner = (*path, str(key.value))
            if inner in source.lines:
                raise SourceError(
                    Finding(source.file, key.start_mark.line + 1, f"{key.value} 写了两次", "合并", "schema")
                )
            source.lines[inner] = key.start_mark.line + 1
            _lines(child, inner, source, seen)
